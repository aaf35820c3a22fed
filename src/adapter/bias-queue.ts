import type { AdapterRuntime, Biased, EmbeddedList, Layers } from './runtime.js';

export interface BiasQueueOptions {
  /** Streams per run. */
  readonly maxBatch?: number;
  /** Told the seconds that a run took. */
  readonly observe?: (seconds: number) => void;
}

interface Waiting {
  readonly layers: Layers;
  readonly list: EmbeddedList;
  readonly resolve: (biased: Biased) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Runs the adapter for whoever is ready. Streams that share a list, and have equally many frames, share a run. Nobody
 * waits for company: what gathers while a run is under way goes with the next one. A stream has one block under way
 * at a time, so the queue holds at most one per stream.
 */
export class BiasQueue {
  readonly #runtime: AdapterRuntime;
  readonly #maxBatch: number;
  readonly #observe: ((seconds: number) => void) | undefined;
  readonly #queue: Waiting[] = [];
  #busy = false;

  constructor(runtime: AdapterRuntime, { maxBatch = 16, observe }: BiasQueueOptions = {}) {
    this.#runtime = runtime;
    this.#maxBatch = maxBatch;
    this.#observe = observe;
  }

  bias(layers: Layers, list: EmbeddedList): Promise<Biased> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ layers, list, resolve, reject });
      if (!this.#busy) {
        this.#busy = true;
        // the streams of one run of the encoder come one after the other, within this turn
        queueMicrotask(() => void this.#drain());
      }
    });
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) await this.#step(this.#take());
    this.#busy = false;
  }

  #take(): Waiting[] {
    const { list, layers } = this.#queue[0]!;
    const batch: Waiting[] = [];
    for (let i = 0; i < this.#queue.length && batch.length < this.#maxBatch; ) {
      const each = this.#queue[i]!;
      if (each.list === list && each.layers.frames === layers.frames) batch.push(...this.#queue.splice(i, 1));
      else i++;
    }
    return batch;
  }

  async #step(batch: readonly Waiting[]): Promise<void> {
    const begun = performance.now();
    try {
      const results = await this.#runtime.bias(
        batch.map(({ layers }) => layers),
        batch[0]!.list,
      );
      this.#observe?.((performance.now() - begun) / 1000);
      batch.forEach(({ resolve }, i) => {
        resolve(results[i]!);
      });
    } catch (reason) {
      for (const { reject } of batch) reject(reason);
    }
  }
}
