import type { MessagePort } from 'node:worker_threads';
import type { RecogniserCommand, RecogniserConfig } from './recogniser.js';
import type { FromWorker, ToWorker } from './thread.js';
import { Transcriber, type TranscriberResources } from './transcriber.js';

/** The worker's side of the border: keeps the transcribers of its sessions and hands them their commands. */
export function host(port: MessagePort, resources: TranscriberResources): void {
  const transcribers = new Map<number, Transcriber>();
  const post = (message: FromWorker): void => {
    port.postMessage(message);
  };

  const open = async (session: number, config: RecogniserConfig): Promise<void> => {
    try {
      const { transcriber, vocabulary } = await Transcriber.open(config, resources, (event) => {
        post({ type: 'event', session, event });
      });
      transcribers.set(session, transcriber);
      post({ type: 'opened', session, vocabulary });
    } catch (reason) {
      post({ type: 'refused', session, message: reason instanceof Error ? reason.message : String(reason) });
    }
  };

  const command = (session: number, what: RecogniserCommand): void => {
    try {
      transcribers.get(session)?.command(what);
    } catch (reason) {
      // one session's failure is not its neighbours'
      const message = `Recognition failed: ${reason instanceof Error ? reason.message : String(reason)}.`;
      post({ type: 'event', session, event: { type: 'failed', code: 'internal', message } });
      close(session);
    }
  };

  const close = (session: number): void => {
    transcribers.get(session)?.close();
    transcribers.delete(session);
  };

  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'open':
        void open(message.session, message.config);
        return;
      case 'command':
        command(message.session, message.command);
        return;
      case 'close':
        close(message.session);
        return;
      case 'stop':
        for (const session of [...transcribers.keys()]) close(session);
        // what the runtime still computes ends by itself, and nothing else keeps the thread alive then
        port.close();
        return;
      case 'metrics':
        void resources.metrics?.snapshot().then((snapshot) => post({ type: 'metrics', snapshot }));
    }
  });
  post({ type: 'ready', description: resources.batcher.runtime.description });
}
