import type { Biased, EmbeddedList } from './runtime.js';

/** Frames that are remembered: as many as an over-long segment has. */
const MAX_FRAMES = 640;
/** Weights below are as good as none. */
const LEAST = 0.01;
/**
 * Natural log of how much likelier a peak of attention is of an entry that is spoken than of one that is not: ln weight
 * and ln ratio, read off 40 native and 40 synthetic development utterances with their own entities and 1,000 others, at an
 * adapter two fifths through its training (see docs/biasing.md).
 */
const RATIOS: readonly (readonly [number, number])[] = [
  [Math.log(LEAST), -4.4],
  [Math.log(0.05), -1.5],
  [Math.log(0.15), 0.3],
  [Math.log(0.4), 2.4],
  [Math.log(0.8), 5],
];

interface Block {
  readonly frame: number;
  readonly frames: number;
  readonly list: EmbeddedList;
  /** Of the entries with some weight, by their place in the list: a weight per frame. */
  readonly weights: ReadonlyMap<number, Float32Array>;
}

/** What the network attended to lately, block by block: the evidence that entries were spoken. */
export class AttentionTrack {
  #blocks: Block[] = [];

  /** Takes the place of what was recorded from the absolute frame `frame` on. */
  record(frame: number, frames: number, { entries, weights }: Biased, list: EmbeddedList): void {
    const columns = 1 + entries.length;
    const some = new Map<number, Float32Array>();
    for (const [column, entry] of entries.entries()) {
      const row = Float32Array.from({ length: frames }, (_, i) => weights[i * columns + 1 + column]!);
      if (row.some((weight) => weight >= LEAST)) some.set(entry, row);
    }
    this.#blocks = this.#blocks.filter((each) => each.frame < frame && each.frame > frame - MAX_FRAMES);
    this.#blocks.push({ frame, frames, list, weights: some });
  }

  /** Nothing is known from the absolute frame `frame` on. */
  skip(frame: number): void {
    this.#blocks = this.#blocks.filter((each) => each.frame < frame);
  }

  logRatio(entry: string, from: number, to: number): number {
    let peak = 0;
    let known = false;
    for (const { frame, frames, list, weights } of this.#blocks) {
      const begin = Math.max(from, frame) - frame;
      const end = Math.min(to, frame + frames) - frame;
      const place = begin < end ? list.places.get(entry) : undefined;
      if (place === undefined) continue;
      known = true;
      const row = weights.get(place);
      for (let i = begin; row !== undefined && i < end; i++) peak = Math.max(peak, row[i]!);
    }
    return known ? interpolate(Math.log(Math.max(peak, LEAST))) : 0;
  }
}

function interpolate(x: number): number {
  for (let i = 1; i < RATIOS.length; i++) {
    const [x0, y0] = RATIOS[i - 1]!;
    const [x1, y1] = RATIOS[i]!;
    if (x <= x1) return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
  }
  return RATIOS.at(-1)![1];
}
