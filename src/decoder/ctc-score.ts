import { logAdd } from '../util/log-add.js';

/** Rows of log-probabilities in which a label sequence is looked for. */
export interface CtcRows {
  /** Row-major (frames, width). */
  readonly rows: Float32Array;
  readonly width: number;
  /** Column of the blank. */
  readonly blank: number;
}

/**
 * Natural log-probability that the frames `[from, to)` say exactly `labels` (columns), over all alignments: the forward
 * variable of Graves et al. (2006), section 4.1. -Infinity where the frames are too few.
 */
export function ctcLogProb(
  { rows, width, blank }: CtcRows,
  labels: ArrayLike<number>,
  from: number,
  to: number,
): number {
  // states: blank, label, blank, label, ..., blank
  const states = 2 * labels.length + 1;
  let before = new Float64Array(states).fill(-Infinity);
  let after = new Float64Array(states);
  // before any frame: as behind a blank, so that the first frame is a blank or the first label
  before[0] = 0;
  for (let frame = from; frame < to; frame++) {
    const offset = frame * width;
    for (let state = 0; state < states; state++) {
      const label = state & 1 ? labels[state >>> 1]! : blank;
      let sum = before[state]!;
      if (state > 0) sum = logAdd(sum, before[state - 1]!);
      const skips = (state & 1) === 1 && state > 1 && label !== labels[(state >>> 1) - 1];
      if (skips) sum = logAdd(sum, before[state - 2]!);
      after[state] = sum + rows[offset + label]!;
    }
    [before, after] = [after, before];
  }
  return states === 1 ? before[0]! : logAdd(before[states - 1]!, before[states - 2]!);
}
