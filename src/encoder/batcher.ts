import type { EncoderRequest, EncoderResult, EncoderRuntime, Latency } from './runtime.js';

/** A run, in seconds: how long each of its streams had waited for it, and how long it took. */
export type ObserveBatch = (waits: readonly number[], seconds: number) => void;

export interface BatcherOptions {
  /** Streams per run; beyond 16 the prototype's throughput no longer rose and only latency did. */
  readonly maxBatch?: number;
  readonly observe?: ObserveBatch;
}

interface Waiting {
  readonly request: EncoderRequest;
  readonly latency: Latency;
  readonly since: number;
  readonly resolve: (result: EncoderResult) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Runs what is ready as one batch. Nobody waits for company: a step starts as soon as the runtime is free, with
 * whatever gathered while it was busy. A stream has one step under way at a time, so the queue holds at most one
 * request per stream and needs no bound of its own.
 */
export class Batcher {
  readonly #runtime: EncoderRuntime;
  readonly #maxBatch: number;
  readonly #observe: ObserveBatch | undefined;
  readonly #queue: Waiting[] = [];
  #busy = false;

  constructor(runtime: EncoderRuntime, { maxBatch = 16, observe }: BatcherOptions = {}) {
    this.#runtime = runtime;
    this.#maxBatch = maxBatch;
    this.#observe = observe;
  }

  get runtime(): EncoderRuntime {
    return this.#runtime;
  }

  /** Requests that no run has taken yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  encode(request: EncoderRequest, latency: Latency): Promise<EncoderResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, latency, since: performance.now(), resolve, reject });
      if (!this.#busy) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#queue.length > 0) await this.#step(this.#take());
    this.#busy = false;
  }

  /** The oldest request and those at the same latency behind it: first come, first served. */
  #take(): Waiting[] {
    const { latency } = this.#queue[0]!;
    const batch: Waiting[] = [];
    for (let i = 0; i < this.#queue.length && batch.length < this.#maxBatch; ) {
      if (sameLatency(this.#queue[i]!.latency, latency)) batch.push(...this.#queue.splice(i, 1));
      else i++;
    }
    return batch;
  }

  async #step(batch: readonly Waiting[]): Promise<void> {
    const begun = performance.now();
    try {
      const results = await this.#runtime.run(
        batch.map((waiting) => waiting.request),
        batch[0]!.latency,
      );
      this.#observe?.(
        batch.map(({ since }) => (begun - since) / 1000),
        (performance.now() - begun) / 1000,
      );
      batch.forEach((waiting, i) => {
        waiting.resolve(results[i]!);
      });
    } catch (reason) {
      for (const waiting of batch) waiting.reject(reason);
    }
  }
}

function sameLatency(a: Latency, b: Latency): boolean {
  return a.chunkFrames === b.chunkFrames && a.lookaheadFrames === b.lookaheadFrames;
}
