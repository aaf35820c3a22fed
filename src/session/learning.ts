import type { EmbeddedLists } from '../adapter/embedded-lists.js';
import type { EmbeddedList } from '../adapter/runtime.js';
import type { Vocabulary } from '../biasing/vocabulary.js';
import type { SoundIndex } from '../decoder/sound-index.js';
import type { Pronouncer } from '../phonetics/pronouncer.js';
import type { Background } from './background.js';
import { Embeddings } from './embeddings.js';
import type { BiasingTechniques, VocabularyChange } from './recogniser.js';
import { Sounding } from './sounding.js';

export interface LearningOptions {
  readonly biasing: BiasingTechniques;
  /** Without it nothing is learnt. */
  readonly pronouncer: Pronouncer | undefined;
  readonly background: Background;
  /** Without them nothing is embedded. */
  readonly lists: EmbeddedLists | undefined;
  /** Told how entries are said. */
  readonly index: SoundIndex;
  /** A list of version 0 with the session's bounds. */
  readonly empty: Vocabulary;
  /** More is known about the sounds of the newest list. */
  readonly changed: () => void;
  /** All is known about it. */
  readonly settled: (vocabulary: Vocabulary) => void;
}

/** What is learnt about a session's lists while it goes on, as far as its techniques want it. */
export class Learning {
  readonly #sounding: Sounding | undefined;
  readonly #embeddings: Embeddings | undefined;
  readonly #settled: (vocabulary: Vocabulary) => void;
  /** Whether a technique asks for something that is learnt, be it there or not. */
  readonly #wanted: boolean;
  readonly #pending = new Set<'sounds' | 'embeddings'>();
  #newest: Vocabulary;
  #closed = false;

  constructor({ biasing, pronouncer, background, lists, index, empty, changed, settled }: LearningOptions) {
    this.#settled = settled;
    this.#newest = empty;
    this.#wanted = biasing.g2g || biasing.lexicon || biasing.encoder;
    if (pronouncer === undefined) return;
    if (biasing.g2g || biasing.lexicon) {
      this.#sounding = new Sounding({
        pronouncer,
        background,
        spellings: biasing.g2g,
        ...(biasing.lexicon && { index }),
        empty,
        changed,
        settled: () => this.#done('sounds'),
      });
    }
    if (biasing.encoder && lists !== undefined) {
      this.#embeddings = new Embeddings({
        lists,
        pronouncer,
        background,
        settled: () => this.#done('embeddings'),
      });
    }
  }

  /** The list that is matched where a version of the session's list is in force. */
  matched(vocabulary: Vocabulary): Vocabulary {
    return this.#sounding?.matched(vocabulary) ?? vocabulary;
  }

  /** What the adapter attends to where a version of the session's list is in force. */
  attended(vocabulary: Vocabulary): EmbeddedList | undefined {
    return this.#embeddings?.list(vocabulary);
  }

  /**
   * The session's newest list has become another by a change.
   * @returns whether something is to be learnt about it, at whose end it is told to be settled
   */
  follow(change: VocabularyChange, vocabulary: Vocabulary): boolean {
    this.#newest = vocabulary;
    if (this.#sounding !== undefined) this.#pending.add('sounds');
    if (this.#embeddings !== undefined) this.#pending.add('embeddings');
    this.#sounding?.follow(change, vocabulary);
    this.#embeddings?.follow(vocabulary);
    if (this.#pending.size > 0) return true;
    if (this.#wanted) setImmediate(() => this.#tell());
    return false;
  }

  close(): void {
    this.#closed = true;
    this.#sounding?.close();
    this.#embeddings?.close();
  }

  #done(part: 'sounds' | 'embeddings'): void {
    this.#pending.delete(part);
    if (this.#pending.size === 0) this.#tell();
  }

  #tell(): void {
    if (!this.#closed) this.#settled(this.#newest);
  }
}
