/** Samples in arrival order: appended at one end, dropped at the other, read in the middle. Its owner bounds it. */
export class SampleQueue {
  #store = new Float32Array(4096);
  #begin = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#begin;
  }

  append(samples: Float32Array): void {
    this.#reserve(samples.length);
    this.#store.set(samples, this.#end);
    this.#end += samples.length;
  }

  /** Samples `from` to `to`, counted from the oldest one held; valid until the next `append`. */
  borrow(from: number, to: number): Float32Array {
    return this.#store.subarray(this.#begin + from, this.#begin + Math.min(to, this.length));
  }

  drop(count: number): void {
    this.#begin += Math.min(count, this.length);
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#store.length) return;
    const held = this.borrow(0, this.length);
    // moving within the store is cheap as long as it is at most half full
    const roomy = 2 * (held.length + count) <= this.#store.length;
    const store = roomy ? this.#store : new Float32Array(2 * (held.length + count));
    store.set(held);
    this.#store = store;
    this.#end = held.length;
    this.#begin = 0;
  }
}
