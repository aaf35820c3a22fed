import { AggregatorRegistry, Registry } from 'prom-client';
import type { MetricSnapshot } from './snapshot.js';

/** Milliseconds for which what was collected is given out again, so that workers are not asked more often. */
const FRESH_MS = 1000;

export interface Exposed {
  readonly contentType: string;
  /** Prometheus' text format. */
  readonly text: string;
}

/** All threads' metrics as one page, however often and by however many it is asked for. */
export class Exposition {
  readonly #collect: () => Promise<readonly MetricSnapshot[]>;
  readonly #now: () => number;
  #last: Promise<Exposed> | undefined;
  #at = -Infinity;

  /** @param now a clock in milliseconds that never goes back */
  constructor(collect: () => Promise<readonly MetricSnapshot[]>, now = () => performance.now()) {
    this.#collect = collect;
    this.#now = now;
  }

  expose(): Promise<Exposed> {
    const now = this.#now();
    if (this.#last === undefined || now - this.#at >= FRESH_MS) {
      this.#at = now;
      this.#last = this.#expose();
    }
    return this.#last;
  }

  async #expose(): Promise<Exposed> {
    const registry = AggregatorRegistry.aggregate([...(await this.#collect())]);
    return { contentType: Registry.PROMETHEUS_CONTENT_TYPE, text: await registry.metrics() };
  }
}
