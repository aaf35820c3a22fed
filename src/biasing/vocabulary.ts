import type { RejectedEntry, VocabularyEntry } from './entry.js';
import { EntrySet } from './entry-set.js';
import { PrefixGraph } from './prefix-graph.js';
import { type SpelledEntry, type SpellingOptions, spellEntry } from './spellings.js';
import type { BuiltList, VocabularyCache } from './vocabulary-cache.js';

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

type State = Pick<BuiltList, 'entries' | 'graph'>;

/**
 * A session's list of entries and its graph: immutable, each change makes the next version. A whole list is looked for
 * in the cache first. A patch costs what the patch costs: versions share whatever it does not touch.
 */
export class Vocabulary {
  readonly version: number;
  readonly graph: PrefixGraph;
  readonly #entries: EntrySet;
  readonly #limits: Partial<VocabularyLimits>;
  readonly #cache: VocabularyCache | undefined;

  private constructor(
    version: number,
    { entries, graph }: State,
    limits: Partial<VocabularyLimits>,
    cache: VocabularyCache | undefined,
  ) {
    this.version = version;
    this.graph = graph;
    this.#entries = entries;
    this.#limits = limits;
    this.#cache = cache;
  }

  /** Version 0: no entries. */
  static empty(limits: Partial<VocabularyLimits> = {}, cache?: VocabularyCache): Vocabulary {
    return new Vocabulary(0, { entries: EntrySet.empty, graph: PrefixGraph.empty }, limits, cache);
  }

  /** Entries in force, rejected ones left out, by code points of their texts. */
  get entries(): readonly VocabularyEntry[] {
    return [...this.#entries].sort((a, b) => (a.text < b.text ? -1 : 1));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** SHA-256 (hex) of the entries in force: equal lists have equal hashes. */
  get hash(): string {
    return this.#entries.hash;
  }

  /** @throws VocabularyTooLongError */
  replace(entries: readonly VocabularyEntry[]): VocabularyChange {
    this.#checkSize(entries.length);
    const asked = byText(entries);
    const set = EntrySet.empty.edit([], asked.values());
    const key = this.#key(set);
    const list = this.#cache?.get(key) ?? this.#build(asked, set);
    this.#cache?.set(key, list);
    return this.#next(list, list.rejected);
  }

  /** Removals come before settings. @throws VocabularyTooLongError */
  patch({ set = [], remove = [] }: VocabularyPatch): VocabularyChange {
    const rejected: RejectedEntry[] = [];
    const gone = new Map<string, VocabularyEntry>();
    for (const given of remove) {
      const text = given.trim();
      const entry = gone.has(text) ? undefined : this.#entries.get(text);
      if (entry !== undefined) gone.set(text, entry);
      else rejected.push({ text: given, reason: 'is not in the list, so not removed' });
    }
    const asked = byText(set);
    for (const text of asked.keys()) {
      const old = this.#entries.get(text);
      if (old !== undefined) gone.set(text, old);
    }
    this.#checkSize(this.size - gone.size + asked.size);
    const spelled = this.#spell(asked.values());
    rejected.push(...spelled.flatMap((each) => each.rejected));
    const usable = spelled.flatMap(({ entry }) => entry ?? []);
    const entries = this.#entries.edit(gone.keys(), usable);
    const shared = this.#cache?.get(this.#key(entries));
    if (shared !== undefined) return this.#next(shared, rejected);
    // more that is new than old: laid out anew, it is read faster
    const graph =
      usable.length > entries.size / 2
        ? PrefixGraph.build([...entries], this.#limits).graph
        : this.graph.edit(this.#spell(gone.values()), spelled);
    return this.#next({ entries, graph }, rejected);
  }

  #checkSize(entries: number): void {
    // 10,000: what the decoder's cost and the graph's building time are measured for
    const { maxEntries = 10_000 } = this.#limits;
    if (entries > maxEntries) throw new VocabularyTooLongError(entries, maxEntries);
  }

  #build(asked: ReadonlyMap<string, VocabularyEntry>, set: EntrySet): BuiltList {
    const { graph, entries, rejected } = PrefixGraph.build([...asked.values()], this.#limits);
    return { entries: rejected.length === 0 ? set : EntrySet.empty.edit([], entries), graph, rejected };
  }

  #spell(entries: Iterable<VocabularyEntry>): readonly SpelledEntry[] {
    return Array.from(entries, (entry) => spellEntry(entry, this.#limits));
  }

  #key({ hash }: EntrySet): string {
    const { maxLength, minLetters, maxWeight } = this.#limits;
    return [hash, maxLength, minLetters, maxWeight].join('/');
  }

  #next(state: State, rejected: readonly RejectedEntry[]): VocabularyChange {
    const vocabulary = new Vocabulary(this.version + 1, state, this.#limits, this.#cache);
    return { vocabulary, rejected };
  }
}

/** The key of an entry is its text as given, trimmed. Later ones win. */
function byText(entries: readonly VocabularyEntry[]): ReadonlyMap<string, VocabularyEntry> {
  const map = new Map<string, VocabularyEntry>();
  for (const entry of entries) {
    const text = entry.text.trim();
    map.set(text, text === entry.text ? entry : { ...entry, text });
  }
  return map;
}
