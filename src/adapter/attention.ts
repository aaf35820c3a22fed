import type { EncoderRuntime, Latency } from '../encoder/runtime.js';
import type { AdapterRuntime, EmbeddedList } from './runtime.js';

/** What the adapter attended to over a recording. */
export interface Attention {
  readonly frames: number;
  readonly frameMs: number;
  /** Weight of `<no-bias>` in each frame. */
  readonly none: Float32Array;
  /** Entries by the order of the list, each with its weight in each frame. */
  readonly entries: readonly { readonly text: string; readonly weights: Float32Array }[];
  /** What the frames say with the list, by the best symbol of each: words and the frames in which they begin. */
  readonly words: readonly { readonly text: string; readonly frame: number }[];
}

/** Listens to a recording at the model's rate chunk by chunk, as a session does, and keeps what was attended to. */
export async function attend(
  samples: Float32Array,
  list: EmbeddedList,
  { encoder, adapter, latency }: { encoder: EncoderRuntime; adapter: AdapterRuntime; latency: Latency },
): Promise<Attention> {
  const { frameSamples, sampleRate, pieces, blank } = encoder.description;
  const { chunkFrames, lookaheadFrames } = latency;
  const frames = Math.ceil(samples.length / frameSamples);
  const none = new Float32Array(frames);
  const weights = new Map<number, Float32Array>();
  const symbols: number[] = [];
  let state = encoder.start();
  for (let frame = 0; frame < frames; frame += chunkFrames) {
    const pcm = new Float32Array((chunkFrames + lookaheadFrames) * frameSamples);
    pcm.set(samples.subarray(frame * frameSamples, frame * frameSamples + pcm.length));
    const [step] = await encoder.run([{ pcm, state }], latency);
    state = step!.state;
    const { hidden, taps } = step!.logProbs;
    if (hidden === undefined)
      throw new Error('the encoder does not tell its last layer; export the bundle again');
    const [biased] = await adapter.bias([{ frames: chunkFrames, hidden, taps }], list);
    const columns = 1 + biased!.entries.length;
    for (let i = 0; i < chunkFrames && frame + i < frames; i++) {
      none[frame + i] = biased!.weights[i * columns]!;
      for (const [c, entry] of biased!.entries.entries()) {
        const row = weights.get(entry) ?? new Float32Array(frames);
        row[frame + i] = biased!.weights[i * columns + 1 + c]!;
        weights.set(entry, row);
      }
      symbols.push(best(biased!.subwords.subarray(i * (blank + 1), (i + 1) * (blank + 1))));
    }
  }
  const texts = [...list.embeddings.keys()];
  return {
    frames,
    frameMs: (frameSamples * 1000) / sampleRate,
    none,
    entries: [...weights]
      .sort(([a], [b]) => a - b)
      .map(([entry, row]) => ({ text: texts[entry]!, weights: row })),
    words: wordsOf(symbols, pieces, blank),
  };
}

function best(row: Float32Array): number {
  let at = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[at]!) at = i;
  return at;
}

/** Repetitions merged, blanks left out. */
function wordsOf(symbols: readonly number[], pieces: readonly string[], blank: number): Attention['words'] {
  const words: { text: string; frame: number }[] = [];
  for (const [frame, symbol] of symbols.entries()) {
    if (symbol === blank || symbol === symbols[frame - 1]) continue;
    const piece = pieces[symbol]!;
    const last = words.at(-1);
    if (piece.startsWith('▁') || last === undefined) words.push({ text: piece.replace('▁', ''), frame });
    else last.text += piece;
  }
  return words.filter(({ text }) => text !== '');
}
