/** Recognisers without workers, whose network hears what the audio spells: a frame's level is the number of its piece. */
import { Subject } from 'rxjs';
import { Batcher } from '../src/encoder/batcher.js';
import type { EncoderRuntime } from '../src/encoder/runtime.js';
import type { RecogniserEvent, RecogniserFactory } from '../src/session/recogniser.js';
import { Transcriber } from '../src/session/transcriber.js';
import { DESCRIPTION } from './session-support.js';

export const PIECES = ['▁a', '▁b', '▁c', 'd'];

/** Samples of a frame, at the rate of the network. */
export const FRAME = 640;

/** Frames of s16le: 0 is silence, n the n-th piece. */
export function spoken(pieces: readonly number[]): Uint8Array {
  const samples = new Int16Array(pieces.length * FRAME);
  for (const [i, piece] of pieces.entries()) samples.fill(piece * 128, i * FRAME, (i + 1) * FRAME);
  return new Uint8Array(samples.buffer);
}

/** @param delay before each run of the network, which decides where updates meet the audio */
export function scriptedRecognisers(delay = async (): Promise<void> => undefined): RecogniserFactory {
  const description = {
    ...DESCRIPTION,
    pieces: PIECES,
    blank: PIECES.length,
    latencies: [{ chunkFrames: 2, lookaheadFrames: 2 }],
  };
  const width = PIECES.length + 1;
  const runtime: EncoderRuntime = {
    description,
    start: () => ({ tensors: [] }),
    fork: (state) => state,
    run: async (requests) => {
      await delay();
      return requests.map(({ pcm, state }) => {
        const frames = Math.floor(pcm.length / FRAME);
        const subwords = new Float32Array(frames * width).fill(-9);
        for (let frame = 0; frame < frames; frame++) {
          const piece = Math.round(pcm[frame * FRAME + FRAME / 2]! * 256);
          subwords[frame * width + (piece === 0 ? PIECES.length : piece - 1)] = -0.4;
          // a list may decide for another
          if (piece > 0) subwords[frame * width + (piece % PIECES.length)] = -1.2;
        }
        return { state, logProbs: { frames, subwords, phones: new Float32Array(frames), taps: [] } };
      });
    },
    close: async () => undefined,
  };
  const batcher = new Batcher(runtime);
  return {
    description,
    open: async (config) => {
      const events = new Subject<RecogniserEvent>();
      const { transcriber, vocabulary } = await Transcriber.open(config, { batcher }, (event) =>
        events.next(event),
      );
      return {
        vocabulary,
        events: events.asObservable(),
        send: (command) => transcriber.command(command),
        close: () => transcriber.close(),
      };
    },
  };
}
