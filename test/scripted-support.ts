/** A transcriber whose network says what the audio spells: every frame of it holds the number of a row of a script. */
import { DEFAULT_ENDPOINT } from '../src/decoder/endpoint.js';
import { Batcher } from '../src/encoder/batcher.js';
import type { EncoderRuntime } from '../src/encoder/runtime.js';
import { PHONES } from '../src/phonetics/phones.js';
import type { FinalMessage, PartialMessage, VocabularyAppliedMessage } from '../src/protocol/messages.js';
import type { RecogniserConfig, RecogniserEvent, UpdateMoment } from '../src/session/recogniser.js';
import { Transcriber, type TranscriberResources } from '../src/session/transcriber.js';
import { DESCRIPTION } from './session-support.js';

export const FRAME = 640;
const LEVEL = 1 / 256;

/** Log-probabilities of pieces in a frame, and of phones with a slash in front; `''` and `/` are the blanks. */
export type ScriptRow = Readonly<Record<string, number>>;

export class ScriptedRun {
  readonly events: RecogniserEvent[] = [];
  readonly #pieces: readonly string[];
  readonly #rows: ScriptRow[] = [];
  #transcriber: Transcriber | undefined;
  #waiting: (() => void)[] = [];
  #marks = 0;

  private constructor(pieces: readonly string[]) {
    this.#pieces = pieces;
  }

  static async start(
    pieces: readonly string[],
    changes: Partial<RecogniserConfig> = {},
    resources: Omit<TranscriberResources, 'batcher'> = {},
  ): Promise<ScriptedRun> {
    const run = new ScriptedRun(pieces);
    const latency = { chunkFrames: 1, lookaheadFrames: 0 };
    const config: RecogniserConfig = {
      audio: { encoding: 'f32le', sampleRate: 16_000, channels: 1 },
      latency,
      beam: 8,
      partials: true,
      partialIntervalMs: 0,
      nBest: 1,
      languageModel: false,
      explain: false,
      biasing: {
        adaptive: true,
        unigram: true,
        phonetic: false,
        lexicon: false,
        g2g: false,
        encoder: false,
        acceptance: true,
      },
      endpoint: { ...DEFAULT_ENDPOINT, enabled: false },
      vocabulary: [],
      maxEntries: 100,
      maxEntryLength: 100,
      ...changes,
    };
    const batcher = new Batcher(run.#network());
    const { transcriber } = await Transcriber.open(config, { ...resources, batcher }, (event) =>
      run.#heard(event),
    );
    run.#transcriber = transcriber;
    return run;
  }

  /** Frames of a channel each, all of the same length; resolves once they are decoded. */
  async say(...channels: (readonly ScriptRow[])[]): Promise<void> {
    const frames = channels[0]!.length;
    const samples = new Float32Array(frames * FRAME * channels.length);
    for (const [channel, rows] of channels.entries()) {
      for (const [frame, row] of rows.entries()) {
        const value = this.#rows.push(row) * LEVEL;
        for (let i = 0; i < FRAME; i++) samples[(frame * FRAME + i) * channels.length + channel] = value;
      }
    }
    this.#transcriber!.command({ type: 'audio', bytes: new Uint8Array(samples.buffer) });
    await this.#answer(() => {
      const boundary = { type: 'mark' as const, id: `${++this.#marks}` };
      this.#transcriber!.command({ type: 'boundary', boundary });
    });
  }

  async boundary(type: 'flush' | 'stop'): Promise<void> {
    await this.#answer(() => this.#transcriber!.command({ type: 'boundary', boundary: { type } }));
  }

  update(id: string, set: string[], { at = 'now' as UpdateMoment, retroactive = false } = {}): void {
    const change = { patch: { set: set.map((text) => ({ text, weight: 1, soundsLike: [] })), remove: [] } };
    this.#transcriber!.command({ type: 'vocabulary', id, change, at, retroactive });
  }

  get finals(): FinalMessage[] {
    return this.events.filter((event) => event.type === 'final');
  }

  get partials(): PartialMessage[] {
    return this.events.filter((event) => event.type === 'partial');
  }

  get applied(): VocabularyAppliedMessage[] {
    return this.events.filter((event) => event.type === 'vocabulary.applied');
  }

  /** Resolves when the list's sounds are known. */
  async settled(): Promise<void> {
    if (this.events.some(({ type }) => type === 'vocabulary.settled')) return;
    await this.#answer(() => undefined);
  }

  #heard(event: RecogniserEvent): void {
    this.events.push(event);
    if (
      event.type !== 'vocabulary.settled' &&
      event.type !== 'mark' &&
      event.type !== 'flushed' &&
      event.type !== 'stopped'
    )
      return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #answer(ask: () => void): Promise<void> {
    const answered = new Promise<void>((resolve) => this.#waiting.push(resolve));
    ask();
    return answered;
  }

  #network(): EncoderRuntime {
    const pieces = this.#pieces;
    const phoneSymbols = ['', ...PHONES];
    const description = { ...DESCRIPTION, pieces, blank: pieces.length, phones: phoneSymbols };
    const width = pieces.length + 1;
    return {
      description,
      start: () => ({ tensors: [] }),
      fork: (state) => state,
      run: async (requests) =>
        requests.map(({ pcm, state }) => {
          const frames = pcm.length / FRAME;
          const subwords = new Float32Array(frames * width).fill(-20);
          const phones = new Float32Array(frames * phoneSymbols.length).fill(-20);
          for (let frame = 0; frame < frames; frame++) {
            const row = this.#rows[Math.round(pcm[frame * FRAME]! / LEVEL) - 1] ?? { '': -0.01 };
            for (const [piece, logProb] of Object.entries(row)) {
              if (piece.startsWith('/')) {
                const phone = phoneSymbols.indexOf(piece.slice(1));
                phones[frame * phoneSymbols.length + phone] = logProb;
              } else
                subwords[frame * width + (piece === '' ? pieces.length : pieces.indexOf(piece))] = logProb;
            }
          }
          return { state, logProbs: { frames, subwords, phones, taps: [] } };
        }),
      close: async () => undefined,
    };
  }
}
