import { join } from 'node:path';
import { LexigateClient } from '../client/client.js';
import { packageRoot } from '../util/package-root.js';
import { type AudioFile, readAudioFile, sendFile } from './audio-file.js';
import { CaptionsView } from './captions-view.js';
import { startService } from './compose.js';
import type { ServeSettings } from './settings.js';

/** Two sentences with the same name in them, spoken by two voices; `samples/README.md` says where they come from. */
const SAMPLES = ['before.wav', 'after.wav'];

/** The name as it shall be written. */
const NAME = 'Siobhan Kowalczyk';

/** Quiet between the sentences, as between two people who talk: ends the first one's segment. */
const PAUSE_SECONDS = 1.2;

/** One session over a real socket in real time: a sentence, a list update while audio goes on, another sentence. */
export async function demo(settings: ServeSettings): Promise<void> {
  const [before, after] = await Promise.all(
    SAMPLES.map((sample) => readAudioFile(join(packageRoot(), 'samples', sample))),
  );
  const service = await startService({
    ...settings,
    host: '127.0.0.1',
    port: 0,
    workers: 1,
    record: undefined,
  });
  try {
    await converse(service.url, before!, after!);
  } finally {
    await service.stop({ graceMs: 0 });
  }
}

async function converse(url: string, before: AudioFile, after: AudioFile): Promise<void> {
  const client = await LexigateClient.connect(url, { audio: before.format });
  const view = new CaptionsView({ out: process.stdout, speakers: false, partialLines: true });
  client.on('partial', (message) => view.partial(message)).on('final', (message) => view.final(message));
  client.on('error', ({ code, message }) => view.note(`${code}: ${message}`));
  const { name, version } = client.ready.model;
  view.note(`connected to ${url}, model ${name} ${version}, latency ${client.ready.latencyMs} ms\n`);

  const send = (packet: Uint8Array): Promise<void> => client.sendAudio(packet);
  view.note('No vocabulary yet:');
  await sendFile(before, send, { realtime: true });
  await sendFile(silence(before, PAUSE_SECONDS), send, { realtime: true });

  const speaking = sendFile(after, send, { realtime: true });
  const applied = await client.updateVocabulary({ patch: { set: [{ text: NAME }] } });
  const seconds = (applied.sample / before.format.sampleRate).toFixed(2);
  view.note(
    `\n+ "${NAME}" while the audio goes on: list version ${applied.version}, in force from ${seconds} s of the audio, built in ${applied.buildMs} ms`,
  );
  await speaking;
  const totals = await client.stop();
  view.note(
    `\n${totals.audioSeconds.toFixed(1)} s of audio, ${totals.words} words in ${totals.segments} segments, one session, no reconnect`,
  );
}

function silence({ format }: AudioFile, seconds: number): AudioFile {
  const bytes = new Uint8Array(Math.round(seconds * format.sampleRate) * 2 * format.channels);
  return { format, bytes, seconds };
}
