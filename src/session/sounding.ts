import { setImmediate } from 'node:timers/promises';
import type { VocabularyEntry } from '../biasing/entry.js';
import type { Vocabulary } from '../biasing/vocabulary.js';
import type { SoundIndex } from '../decoder/sound-index.js';
import {
  entryConfusability,
  entryPronunciations,
  soundingEntry,
  wordsOfEntry,
} from '../phonetics/entity-sounds.js';
import type { Pronouncer } from '../phonetics/pronouncer.js';
import type { Background } from './background.js';
import type { VocabularyChange } from './recogniser.js';

export interface SoundingOptions {
  readonly pronouncer: Pronouncer;
  readonly background: Background;
  /** Whether entries are also matched as they are spelled by their sound. */
  readonly spellings: boolean;
  /** Told how entries are said. */
  readonly index?: SoundIndex;
  /** A list of version 0 with the session's bounds. */
  readonly empty: Vocabulary;
  /** More is known about the sounds of the newest list. */
  readonly changed: () => void;
  /** All is known about them. */
  readonly settled: () => void;
}

/** Entries that are made to sound together: some 20 ms of spelling, and one change of the graph. */
const BATCH = 64;
/** Milliseconds at most that decoding waits for spelling. */
const SLICE_MS = 4;

/**
 * Lists as they are matched: with the spellings by sound of their entries, which become known in the background. What
 * the user gave is matched from the begin. Invariants:
 * 1. For each version of the session's list there is one to match, with the same entries in force.
 * 2. Only the newest one learns; an older one, still in force on another channel, stays as it is.
 */
export class Sounding {
  readonly #options: SoundingOptions;
  readonly #matched = new WeakMap<Vocabulary, Vocabulary>();
  #newest: Vocabulary;
  /** Entries of the newest list whose sounds are not known yet, by their text. */
  readonly #pending = new Map<string, VocabularyEntry>();
  #working = false;
  #closed = false;

  constructor(options: SoundingOptions) {
    this.#options = options;
    this.#newest = options.empty;
    this.#matched.set(options.empty, options.empty);
  }

  /** The list to match in the place of a version of the session's list. */
  matched(vocabulary: Vocabulary): Vocabulary {
    return this.#matched.get(vocabulary) ?? vocabulary;
  }

  /** The session's newest list has become another by a change. */
  follow(change: VocabularyChange, vocabulary: Vocabulary): void {
    const before = this.matched(this.#newest);
    if ('replace' in change) {
      this.#pending.clear();
      this.#options.index?.clear();
      this.#matched.set(vocabulary, before.replace(change.replace).vocabulary);
      for (const entry of vocabulary.entries) this.#pending.set(entry.text, entry);
    } else {
      const { set, remove } = change.patch;
      this.#matched.set(vocabulary, before.patch(change.patch).vocabulary);
      for (const text of remove) {
        this.#pending.delete(text.trim());
        this.#options.index?.delete(text.trim());
      }
      for (const entry of set) this.#pending.set(entry.text.trim(), entry);
    }
    this.#newest = vocabulary;
    void this.#work();
  }

  close(): void {
    this.#closed = true;
    this.#pending.clear();
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    // who asked for the change is answered first
    await setImmediate();
    while (this.#pending.size > 0) await this.#batch();
    this.#working = false;
    if (!this.#closed) this.#options.settled();
  }

  async #batch(): Promise<void> {
    const { pronouncer, background, spellings, changed } = this.#options;
    const batch = [...this.#pending.values()].slice(0, BATCH);
    await background.run(() => pronouncer.learn(batch.flatMap(wordsOfEntry)));
    const sounding: VocabularyEntry[] = [];
    let begun = performance.now();
    for (const entry of batch) {
      sounding.push(spellings ? soundingEntry(entry, pronouncer) : entry);
      if (performance.now() - begun > SLICE_MS) {
        await setImmediate();
        begun = performance.now();
      }
    }
    // what was taken out or given anew in the meantime is not what these are
    const current = batch.map((entry) => this.#pending.get(entry.text.trim()) === entry);
    for (const [i, { text }] of batch.entries()) if (current[i]) this.#pending.delete(text.trim());
    this.#index(batch.filter((_, i) => current[i]));
    const set = sounding.filter((entry, i) => current[i] && entry !== batch[i]);
    if (set.length === 0) return;
    this.#matched.set(this.#newest, this.matched(this.#newest).patch({ set }).vocabulary);
    changed();
  }

  #index(entries: readonly VocabularyEntry[]): void {
    const { pronouncer, index } = this.#options;
    if (index === undefined) return;
    for (const entry of entries) {
      const pronunciations = entryPronunciations(entry, pronouncer);
      const confusability = entryConfusability(pronunciations, pronouncer);
      index.set({ text: entry.text.trim(), pronunciations, confusability });
    }
  }
}
