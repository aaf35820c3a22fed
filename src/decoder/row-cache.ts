/**
 * The latest rows of log-probabilities, so that they can be decoded once more. Bounded: a row too many pushes out the
 * oldest.
 */
export class RowCache {
  readonly #width: number;
  readonly #maxRows: number;
  #rows = new Float32Array(0);
  /** Rows in front of the oldest one, to be overwritten. */
  #gone = 0;
  #count = 0;
  #begin = 0;

  /** @param width numbers of a row */
  constructor(width: number, maxRows: number) {
    this.#width = width;
    this.#maxRows = maxRows;
  }

  /** Absolute frame of the oldest row. */
  get begin(): number {
    return this.#begin;
  }

  /** Absolute frame behind the newest row. */
  get end(): number {
    return this.#begin + this.#count;
  }

  /** Forgets everything; the next row is that of the absolute frame `frame`. */
  clear(frame: number): void {
    this.#gone = 0;
    this.#count = 0;
    this.#begin = frame;
  }

  push(row: Float32Array): void {
    if (this.#count === this.#maxRows) this.dropBefore(this.#begin + 1);
    if ((this.#gone + this.#count + 1) * this.#width > this.#rows.length) this.#makeRoom();
    this.#rows.set(row, (this.#gone + this.#count) * this.#width);
    this.#count += 1;
  }

  dropBefore(frame: number): void {
    const dropped = Math.max(0, Math.min(frame, this.end) - this.#begin);
    this.#gone += dropped;
    this.#count -= dropped;
    this.#begin += dropped;
  }

  /** Rows from a frame on, row-major; valid until the next call that changes the cache. */
  from(frame: number): Float32Array {
    const first = this.#gone + Math.max(0, frame - this.#begin);
    return this.#rows.subarray(first * this.#width, (this.#gone + this.#count) * this.#width);
  }

  /** Twice the rows at most are held, so that moving them is rare. */
  #makeRoom(): void {
    const kept = this.from(this.#begin);
    const room = Math.min(2 * this.#maxRows, Math.max(64, 2 * this.#count)) * this.#width;
    const target = room > this.#rows.length ? new Float32Array(room) : this.#rows;
    if (target === this.#rows)
      target.copyWithin(0, this.#gone * this.#width, (this.#gone + this.#count) * this.#width);
    else target.set(kept);
    this.#rows = target;
    this.#gone = 0;
  }
}
