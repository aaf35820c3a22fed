import type { PieceTable } from '../biasing/alphabet.js';

/**
 * The subwords of one frame that may extend a hypothesis, likeliest first: the first `core` of them any hypothesis,
 * those up to `count` only where they begin or continue an entry.
 */
export class FrameScan {
  /** Log-probability of the frame's best symbol, blank included. */
  best = 0;
  blankIsBest = false;
  core = 0;
  count = 0;
  readonly token: Int32Array;
  readonly logProb: Float64Array;
  readonly #pieces: PieceTable;
  readonly #blank: number;
  readonly #threshold: number;
  readonly #maxTokens: number;

  constructor(pieces: PieceTable, blank: number, threshold: number, maxTokens: number) {
    this.#pieces = pieces;
    this.#blank = blank;
    this.#threshold = threshold;
    this.#maxTokens = maxTokens;
    this.token = new Int32Array(pieces.size);
    this.logProb = new Float64Array(pieces.size);
  }

  /** Column of a piece in a row. */
  column(piece: number): number {
    return piece < this.#blank ? piece : piece + 1;
  }

  /**
   * @param rows (frames, pieces + 1) log-probabilities; the row begins at `offset`
   * @param reach distance from the best within which a subword is worth trying by bias; negative: none
   */
  read(rows: Float32Array, offset: number, reach: number): void {
    const { control, size } = this.#pieces;
    let top = -Infinity;
    for (let piece = 0; piece < size; piece++) {
      const logProb = rows[offset + this.column(piece)]!;
      if (logProb > top && control[piece] === 0) top = logProb;
    }
    const blank = rows[offset + this.#blank]!;
    this.blankIsBest = blank > top;
    this.best = Math.max(blank, top);
    this.core = 0;
    this.count = 0;
    const floor = this.best - Math.max(this.#threshold, reach);
    // most frames end here: blank is nearly certain
    if (top < floor) return;
    for (let piece = 0; piece < size; piece++) {
      const logProb = rows[offset + this.column(piece)]!;
      if (logProb >= floor && control[piece] === 0) this.#insert(piece, logProb);
    }
    this.#divide(reach);
  }

  #insert(piece: number, logProb: number): void {
    const { token, logProb: sorted } = this;
    let at = this.count++;
    while (at > 0 && sorted[at - 1]! < logProb) {
      sorted[at] = sorted[at - 1]!;
      token[at] = token[at - 1]!;
      at -= 1;
    }
    sorted[at] = logProb;
    token[at] = piece;
  }

  #divide(reach: number): void {
    const { logProb, best } = this;
    const limit = Math.min(this.count, this.#maxTokens);
    while (this.core < limit && logProb[this.core]! >= best - this.#threshold) this.core += 1;
    while (this.count > this.core && !(logProb[this.count - 1]! >= best - reach)) this.count -= 1;
  }
}
