import type { RejectedEntry, VocabularyEntry } from './entry.js';
import { PrefixGraph } from './prefix-graph.js';
import type { SpellingOptions } from './spellings.js';

export interface VocabularyLimits extends SpellingOptions {
  readonly maxEntries: number;
}

/** A list longer than the limit; the list that was in force stays so. */
export class VocabularyTooLongError extends Error {
  override readonly name = 'VocabularyTooLongError';
  readonly entries: number;
  readonly limit: number;

  constructor(entries: number, limit: number) {
    super(`the vocabulary would have ${entries} entries; at most ${limit} are allowed`);
    this.entries = entries;
    this.limit = limit;
  }
}

export interface VocabularyPatch {
  /** Entries to add, or to put in the place of those with the same text. */
  readonly set?: readonly VocabularyEntry[];
  /** Texts of entries to take out. */
  readonly remove?: readonly string[];
}

export interface VocabularyChange {
  readonly vocabulary: Vocabulary;
  readonly rejected: readonly RejectedEntry[];
}

/** A session's list of entries and its graph: immutable, each change makes the next version. */
export class Vocabulary {
  readonly version: number;
  readonly graph: PrefixGraph;
  readonly #entries: ReadonlyMap<string, VocabularyEntry>;
  readonly #limits: Partial<VocabularyLimits>;

  private constructor(
    version: number,
    entries: ReadonlyMap<string, VocabularyEntry>,
    graph: PrefixGraph,
    limits: Partial<VocabularyLimits>,
  ) {
    this.version = version;
    this.graph = graph;
    this.#entries = entries;
    this.#limits = limits;
  }

  /** Version 0: no entries. */
  static empty(limits: Partial<VocabularyLimits> = {}): Vocabulary {
    return new Vocabulary(0, new Map(), PrefixGraph.empty, limits);
  }

  /** Entries in force, rejected ones left out. */
  get entries(): readonly VocabularyEntry[] {
    return [...this.#entries.values()];
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Content hash of the graph. */
  get hash(): string {
    return this.graph.hash;
  }

  /** @throws VocabularyTooLongError */
  replace(entries: readonly VocabularyEntry[]): VocabularyChange {
    this.#checkSize(entries.length);
    const next = new Map<string, VocabularyEntry>();
    for (const entry of entries) setEntry(next, entry);
    return this.#next(next, []);
  }

  /** Removals come before settings. @throws VocabularyTooLongError */
  patch({ set = [], remove = [] }: VocabularyPatch): VocabularyChange {
    const next = new Map(this.#entries);
    const rejected: RejectedEntry[] = [];
    for (const text of remove) {
      if (!next.delete(text.trim())) rejected.push({ text, reason: 'is not in the list, so not removed' });
    }
    for (const entry of set) setEntry(next, entry);
    this.#checkSize(next.size);
    return this.#next(next, rejected);
  }

  #checkSize(entries: number): void {
    // 10,000: what the decoder's cost and the graph's building time are measured for
    const { maxEntries = 10_000 } = this.#limits;
    if (entries > maxEntries) throw new VocabularyTooLongError(entries, maxEntries);
  }

  #next(entries: Map<string, VocabularyEntry>, rejected: readonly RejectedEntry[]): VocabularyChange {
    const built = PrefixGraph.build([...entries.values()], this.#limits);
    const kept = new Set(built.graph.entries);
    for (const [key, entry] of entries) if (!kept.has(entry)) entries.delete(key);
    const vocabulary = new Vocabulary(this.version + 1, entries, built.graph, this.#limits);
    return { vocabulary, rejected: [...rejected, ...built.rejected] };
  }
}

/** The key of an entry is its text as given, trimmed. Later ones win. */
function setEntry(entries: Map<string, VocabularyEntry>, entry: VocabularyEntry): void {
  const text = entry.text.trim();
  entries.set(text, text === entry.text ? entry : { ...entry, text });
}
