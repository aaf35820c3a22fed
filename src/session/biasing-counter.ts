import type { CaptionWord } from '../captions/caption.js';
import type { FinalBiasing } from '../observability/recognition-metrics.js';
import type { BiasingTotals } from '../protocol/messages.js';

/** Entries that are counted one by one: a list that changes for hours may have had any number of them. */
const MAX_COUNTED = 1000;
/** Entries that are told in the end. */
const MAX_TOLD = 100;

/** What biasing did in a session. Hits of entries beyond the bounds are counted together. */
export class BiasingCounter {
  readonly #hits = new Map<string, number>();
  #others = 0;
  readonly #observe: ((final: FinalBiasing) => void) | undefined;
  #changedFinals = 0;

  /** @param observe told of each final too */
  constructor(observe?: (final: FinalBiasing) => void) {
    this.#observe = observe;
  }

  /** @param changed without a list the final would have another text; undefined: that is not known */
  count(words: readonly CaptionWord[], changed: boolean | undefined): void {
    if (changed === true) this.#changedFinals += 1;
    const spans = new Set(words.flatMap(({ span }) => span ?? []));
    this.#observe?.({ hits: spans.size, changed });
    for (const { text } of spans) {
      const hits = this.#hits.get(text) ?? 0;
      if (hits > 0 || this.#hits.size < MAX_COUNTED) this.#hits.set(text, hits + 1);
      else this.#others += 1;
    }
  }

  /** Most hits first. */
  get totals(): BiasingTotals {
    const sorted = [...this.#hits].sort(([, a], [, b]) => b - a);
    const others = sorted.slice(MAX_TOLD).reduce((sum, [, hits]) => sum + hits, this.#others);
    return {
      changedFinals: this.#changedFinals,
      hits: sorted.slice(0, MAX_TOLD).map(([entity, hits]) => ({ entity, hits })),
      otherHits: others,
    };
  }
}
