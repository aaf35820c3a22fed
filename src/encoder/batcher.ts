import type { EncoderRequest, EncoderResult, EncoderRuntime, Latency } from './runtime.js';

interface Waiting {
  readonly request: EncoderRequest;
  readonly latency: Latency;
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
  readonly #queue: Waiting[] = [];
  #busy = false;

  /** @param maxBatch streams per run; beyond 16 the prototype's throughput no longer rose and only latency did. */
  constructor(runtime: EncoderRuntime, { maxBatch = 16 }: { maxBatch?: number } = {}) {
    this.#runtime = runtime;
    this.#maxBatch = maxBatch;
  }

  get runtime(): EncoderRuntime {
    return this.#runtime;
  }

  encode(request: EncoderRequest, latency: Latency): Promise<EncoderResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, latency, resolve, reject });
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
    try {
      const results = await this.#runtime.run(
        batch.map((waiting) => waiting.request),
        batch[0]!.latency,
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
