import type { EncoderRequest, EncoderResult, EncoderRuntime, Latency } from './runtime.js';

/** A run, in seconds: how long each of its streams had waited for it, and how long it took. */
export type ObserveBatch = (waits: readonly number[], seconds: number) => void;

export interface BatcherOptions {
  /**
   * Streams per run. From 4 on a stream's share of a run no longer falls (a batch of 4 costs 0.8 of 4 runs of one),
   * and all of a batch wait for its end.
   */
  readonly maxBatch?: number;
  /** Longest that a step waits for company, and only where company is to be expected; 0 for not at all. */
  readonly gatherMs?: number;
  readonly observe?: ObserveBatch;
  /** For tests: one turn of the event loop. */
  readonly turn?: () => Promise<void>;
}

export interface EncodeOptions {
  /** Somebody waits for what this step ends, so it waits for nobody. */
  readonly urgent?: boolean;
}

interface Waiting {
  readonly request: EncoderRequest;
  readonly latency: Latency;
  readonly urgent: boolean;
  readonly since: number;
  readonly resolve: (result: EncoderResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** Share that the newest interval has in the mean of intervals between requests. */
const SMOOTHING = 0.1;

/**
 * Runs what is ready as one batch. A run begins when the runtime is free, after a turn of the event loop in which
 * arrives what was sent meanwhile. If requests come so fast that another is likely within `gatherMs`, the oldest waits
 * that long for others; a lone stream asks too seldom for that and never waits.
 *
 * A stream has one step under way at a time, so the queue holds at most one request per stream and needs no bound of
 * its own.
 */
export class Batcher {
  readonly #runtime: EncoderRuntime;
  readonly #maxBatch: number;
  readonly #gatherMs: number;
  readonly #observe: ObserveBatch | undefined;
  readonly #turn: () => Promise<void>;
  readonly #queue: Waiting[] = [];
  #busy = false;
  #lastRequest = -Infinity;
  /** Mean milliseconds between requests. */
  #interval = Infinity;
  #begin = (): void => undefined;

  constructor(
    runtime: EncoderRuntime,
    { maxBatch = 8, gatherMs = 10, observe, turn = nextTurn }: BatcherOptions = {},
  ) {
    this.#runtime = runtime;
    this.#maxBatch = maxBatch;
    this.#gatherMs = gatherMs;
    this.#observe = observe;
    this.#turn = turn;
  }

  get runtime(): EncoderRuntime {
    return this.#runtime;
  }

  /** Requests that no run has taken yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Whether a run is under way, or about to be. */
  get busy(): boolean {
    return this.#busy;
  }

  encode(
    request: EncoderRequest,
    latency: Latency,
    { urgent = false }: EncodeOptions = {},
  ): Promise<EncoderResult> {
    const since = performance.now();
    this.#expect(since);
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, latency, urgent, since, resolve, reject });
      if (!this.#busy) void this.#drain();
      else if (this.#ready()) this.#begin();
    });
  }

  #expect(now: number): void {
    const interval = Math.min(now - this.#lastRequest, 1000);
    this.#lastRequest = now;
    this.#interval =
      this.#interval === Infinity ? interval : this.#interval + SMOOTHING * (interval - this.#interval);
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#queue.length > 0) {
      await this.#gather();
      await this.#step(this.#take());
    }
    this.#busy = false;
  }

  async #gather(): Promise<void> {
    await this.#turn();
    const left = this.#queue[0]!.since + this.#gatherMs - performance.now();
    if (left <= 0 || this.#interval > this.#gatherMs || this.#ready()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      this.#begin = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#begin = () => undefined;
  }

  /** Whether nothing is gained by waiting on. */
  #ready(): boolean {
    return this.#queue.length >= this.#maxBatch || this.#queue.some(({ urgent }) => urgent);
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function sameLatency(a: Latency, b: Latency): boolean {
  return a.chunkFrames === b.chunkFrames && a.lookaheadFrames === b.lookaheadFrames;
}
