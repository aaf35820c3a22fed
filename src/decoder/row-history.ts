import type { CtcRows } from './ctc-score.js';

/** Frames that the history can hold at first; it doubles when they do not do. */
const FIRST_FRAMES = 64;

/**
 * The rows of log-probabilities that are still in dispute: those of the open segment behind its last committed token.
 * Bounded by what the segment's end and the commitment of old words leave: some hundred frames.
 */
export class RowHistory {
  readonly #width: number;
  readonly #blank: number;
  #rows: Float32Array;
  #begin = 0;
  #end = 0;

  constructor(width: number, blank: number) {
    this.#width = width;
    this.#blank = blank;
    this.#rows = new Float32Array(FIRST_FRAMES * width);
  }

  /** Absolute frame of the first row kept, and of the one behind the last. */
  get begin(): number {
    return this.#begin;
  }

  get end(): number {
    return this.#end;
  }

  /** The rows kept; row 0 is the frame `begin`. */
  get kept(): CtcRows {
    return { rows: this.#rows, width: this.#width, blank: this.#blank };
  }

  /** Forgets everything; the next row is that of the absolute frame `frame`. */
  reset(frame: number): void {
    this.#begin = frame;
    this.#end = frame;
  }

  /** @param rows row-major (frames, width) */
  push(rows: Float32Array, frames: number): void {
    const at = (this.#end - this.#begin) * this.#width;
    const more = frames * this.#width;
    if (at + more > this.#rows.length) {
      const wider = new Float32Array(2 * (at + more));
      wider.set(this.#rows);
      this.#rows = wider;
    }
    this.#rows.set(rows.subarray(0, more), at);
    this.#end += frames;
  }

  /** Forgets the rows before an absolute frame. */
  dropBefore(frame: number): void {
    const dropped = Math.min(frame, this.#end) - this.#begin;
    if (dropped <= 0) return;
    this.#rows.copyWithin(0, dropped * this.#width, (this.#end - this.#begin) * this.#width);
    this.#begin += dropped;
  }
}
