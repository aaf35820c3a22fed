/** Samples become windows for the encoder: a chunk that is consumed and a look-ahead that comes again. */
import { SampleQueue } from './sample-queue.js';

export interface FramerOptions {
  /** Samples by which a window is ahead of the one before. */
  readonly chunkSamples: number;
  /** Samples after the chunk that the window shows. */
  readonly lookaheadSamples: number;
}

const NOTHING = new Float32Array(0);

export class Framer {
  readonly #chunk: number;
  readonly #window: number;
  readonly #queue = new SampleQueue();
  #consumed = 0;

  constructor({ chunkSamples, lookaheadSamples }: FramerOptions) {
    this.#chunk = chunkSamples;
    this.#window = chunkSamples + lookaheadSamples;
  }

  /** Samples pushed that no chunk has consumed yet. */
  get pending(): number {
    return this.#queue.length;
  }

  /** Samples that chunks have consumed: where the next window begins. */
  get consumed(): number {
    return this.#consumed;
  }

  push(samples: Float32Array): void {
    this.#queue.append(samples);
  }

  /** The next window, in an array of its own, or `undefined` while samples for it are missing. */
  next(): Float32Array | undefined {
    if (this.#queue.length < this.#window) return undefined;
    const window = this.#queue.borrow(0, this.#window).slice();
    this.#queue.drop(this.#chunk);
    this.#consumed += this.#chunk;
    return window;
  }

  /**
   * The window `ahead` chunks after the next one as it would be if silence followed; consumes nothing. `undefined`
   * where its chunk would hold silence only, so counting `ahead` up from 0 gives all that is pending. `tail` goes
   * between the pending samples and the silence: what a resampler still holds.
   */
  peekPadded(ahead = 0, tail: Float32Array = NOTHING): Float32Array | undefined {
    const begin = ahead * this.#chunk;
    const held = this.#queue.length;
    if (begin >= held + tail.length) return undefined;
    const window = new Float32Array(this.#window);
    const own = this.#queue.borrow(Math.min(begin, held), begin + this.#window);
    window.set(own);
    const tailFrom = Math.max(0, begin - held);
    window.set(tail.subarray(tailFrom, tailFrom + this.#window - own.length), own.length);
    return window;
  }
}
