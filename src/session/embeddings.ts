import { setImmediate } from 'node:timers/promises';
import type { EmbeddedLists } from '../adapter/embedded-lists.js';
import type { EmbeddedList, Embedding } from '../adapter/runtime.js';
import type { VocabularyEntry } from '../biasing/entry.js';
import { normaliseEntry } from '../biasing/normalise.js';
import type { Vocabulary } from '../biasing/vocabulary.js';
import { wordsOfEntry } from '../phonetics/entity-sounds.js';
import type { Pronouncer } from '../phonetics/pronouncer.js';
import type { Background } from './background.js';

export interface EmbeddingsOptions {
  readonly lists: EmbeddedLists;
  readonly pronouncer: Pronouncer;
  readonly background: Background;
  /** All entries of the newest list are embedded. */
  readonly settled: () => void;
}

/** Entries that are embedded together; before the next ones recognition has its turn. */
const BATCH = 64;
/** Of a long list so many take part at first, while the others are still to come; then each time twice as many. */
const PUBLISHED = 512;

/**
 * Lists as the adapter attends to them. Embeddings become known in the background. Invariants:
 * 1. A version has those of the version before it until it has some of its own, and in the end all of its entries.
 * 2. Only the newest version learns; an older one, still in force on another channel, stays as it is.
 */
export class Embeddings {
  readonly #options: EmbeddingsOptions;
  readonly #listed = new WeakMap<Vocabulary, EmbeddedList>();
  /** What took part last. */
  #latest: EmbeddedList | undefined;
  #newest: Vocabulary | undefined;
  #working = false;
  #closed = false;

  constructor(options: EmbeddingsOptions) {
    this.#options = options;
  }

  /** What takes part where a version of the session's list is in force; undefined where that has no entries. */
  list(vocabulary: Vocabulary): EmbeddedList | undefined {
    if (vocabulary.size === 0) return undefined;
    return this.#listed.get(vocabulary) ?? this.#latest;
  }

  /** The session's newest list has become another. */
  follow(vocabulary: Vocabulary): void {
    this.#newest = vocabulary;
    void this.#work();
  }

  close(): void {
    this.#closed = true;
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    // who asked for the change is answered first
    await setImmediate();
    let learnt: Vocabulary | undefined;
    while (!this.#closed && learnt !== this.#newest) {
      learnt = this.#newest!;
      await this.#learn(learnt);
    }
    this.#working = false;
    if (!this.#closed) this.#options.settled();
  }

  async #learn(vocabulary: Vocabulary): Promise<void> {
    const { lists, pronouncer, background } = this.#options;
    const shared = lists.find(vocabulary.hash);
    if (shared !== undefined) {
      this.#publish(vocabulary, shared);
      return;
    }
    const known = new Map<string, Embedding>();
    const missing: VocabularyEntry[] = [];
    for (const entry of vocabulary.entries) {
      const embedding = this.#latest?.embeddings.get(embeddingKey(entry));
      if (embedding === undefined) missing.push(entry);
      else known.set(embeddingKey(entry), embedding);
    }
    let published = 0;
    for (let from = 0; from < missing.length; from += BATCH) {
      if (known.size >= published) {
        this.#publish(vocabulary, lists.list(known));
        published = Math.max(PUBLISHED, 2 * known.size);
      }
      const batch = missing.slice(from, from + BATCH);
      const made = await background.run(async () => {
        await pronouncer.learn(batch.flatMap(wordsOfEntry));
        return lists.catalogue.embed(
          batch.map((entry) => ({ text: entry.text, phones: phonesOf(entry, pronouncer) })),
        );
      });
      await setImmediate();
      if (this.#closed) return;
      for (const [i, embedding] of made.entries()) {
        if (embedding !== undefined) known.set(embeddingKey(batch[i]!), embedding);
      }
      // what is known by now serves the next version too
      if (this.#newest !== vocabulary) break;
    }
    const list = lists.list(known);
    const complete = list !== undefined && this.#newest === vocabulary;
    this.#publish(vocabulary, complete ? lists.keep(vocabulary.hash, list) : list);
  }

  #publish(vocabulary: Vocabulary, list: EmbeddedList | undefined): void {
    if (list === undefined) return;
    this.#listed.set(vocabulary, list);
    this.#latest = list;
  }
}

/** The likeliest pronunciation of what the user says that an entry sounds like, else of its text. */
function phonesOf({ text, soundsLike }: VocabularyEntry, pronouncer: Pronouncer): number[] {
  const words = normaliseEntry(soundsLike[0] ?? text)?.split(' ') ?? [];
  return words.flatMap((word) => Array.from(pronouncer.labels(word)[0] ?? [], (label) => label - 1));
}

/** Entries with one text may be said in several ways, one after the other. */
function embeddingKey({ text, soundsLike }: VocabularyEntry): string {
  return soundsLike[0] === undefined ? text : `${text}\n${soundsLike[0]}`;
}
