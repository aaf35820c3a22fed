import type { RejectedEntry } from './entry.js';
import type { EntrySet } from './entry-set.js';
import type { PrefixGraph } from './prefix-graph.js';

/** What a list came to. */
export interface BuiltList {
  /** Those that can be used. */
  readonly entries: EntrySet;
  readonly graph: PrefixGraph;
  readonly rejected: readonly RejectedEntry[];
}

/** A text, its object and its places in maps, roughly. */
const ENTRY_BYTES = 300;

/**
 * Built lists by the hash of what was asked for, so that sessions with equal lists share one. Bounded by memory: those
 * unused for the longest are forgotten first (sessions that have them keep them), and one above the bound is not kept.
 */
export class VocabularyCache {
  readonly #maxBytes: number;
  /** Least recently used first. */
  readonly #lists = new Map<string, BuiltList>();
  #bytes = 0;

  /** @param maxBytes by default 64 MiB: ten lists of 10,000 entries */
  constructor({ maxBytes = 64 * 1024 * 1024 }: { readonly maxBytes?: number } = {}) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): BuiltList | undefined {
    const list = this.#lists.get(key);
    if (list === undefined) return undefined;
    this.#lists.delete(key);
    this.#lists.set(key, list);
    return list;
  }

  set(key: string, list: BuiltList): void {
    this.#delete(key);
    this.#lists.set(key, list);
    this.#bytes += bytesOf(list);
    for (const oldest of this.#lists.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    const list = this.#lists.get(key);
    if (list === undefined) return;
    this.#lists.delete(key);
    this.#bytes -= bytesOf(list);
  }
}

function bytesOf({ entries, graph, rejected }: BuiltList): number {
  return graph.bytes + ENTRY_BYTES * (entries.size + rejected.length);
}
