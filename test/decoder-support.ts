/** What the decoder's tests share: small alphabets, seeded log-probabilities, and oracles written without the decoder. */

/** Marsaglia's xorshift32, so that a failing case can be repeated from its seed. */
export function random(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Log-softmax of random scores, row-major (frames, width); the larger `sharpness`, the surer the rows. */
export function randomRows(seed: number, frames: number, width: number, sharpness: number): Float32Array {
  const next = random(seed);
  const rows = new Float32Array(frames * width);
  for (let frame = 0; frame < frames; frame++) {
    const scores = Array.from({ length: width }, () => next() * sharpness);
    rows.set(logSoftmax(scores), frame * width);
  }
  return rows;
}

/** Rows in which the given columns are likeliest, one a frame, each alternative with its own log-probability. */
export function rowsOf(
  frames: readonly Readonly<Record<number, number>>[],
  width: number,
  floor = -20,
): Float32Array {
  const rows = new Float32Array(frames.length * width).fill(floor);
  for (const [frame, columns] of frames.entries()) {
    for (const [column, logProb] of Object.entries(columns)) rows[frame * width + Number(column)] = logProb;
  }
  return rows;
}

export function logSoftmax(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const sum = top + Math.log(scores.reduce((total, score) => total + Math.exp(score - top), 0));
  return scores.map((score) => score - sum);
}

/** Best path, collapsed: the greedy decoder. */
export function greedy(rows: Float32Array, width: number, blank: number): number[] {
  const tokens: number[] = [];
  let last = blank;
  for (let offset = 0; offset < rows.length; offset += width) {
    const row = rows.subarray(offset, offset + width);
    const best = row.indexOf(Math.max(...row));
    if (best !== last && best !== blank) tokens.push(best);
    last = best;
  }
  return tokens;
}

/** Log-probability of every collapsed sequence, by enumerating all alignments. Keys are tokens joined by spaces. */
export function enumerate(rows: Float32Array, width: number, blank: number): Map<string, number> {
  const totals = new Map<string, number>();
  const visit = (frame: number, tokens: readonly number[], last: number, score: number): void => {
    if (frame * width === rows.length) {
      const key = tokens.join(' ');
      totals.set(key, Math.log(Math.exp(totals.get(key) ?? -Infinity) + Math.exp(score)));
      return;
    }
    for (let column = 0; column < width; column++) {
      const next = column === blank || column === last ? tokens : [...tokens, column];
      visit(frame + 1, next, column, score + rows[frame * width + column]!);
    }
  };
  visit(0, [], blank, 0);
  return totals;
}
