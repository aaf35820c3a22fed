import { setImmediate } from 'node:timers/promises';
import { CommonSounds, type Confusability } from './common-sounds.js';
import type { G2p } from './g2p.js';
import type { GraphemeTable } from './graphemes.js';
import type { Lexicon } from './lexicon.js';
import { PHONES, type Phone } from './phones.js';

/** A pronunciation as labels of a CTC output: the blank is 0, phone k of `PHONES` is k + 1. */
export type Labels = Uint8Array;

/** What a language model knows of words. */
export interface KnownWords {
  readonly isListed: (word: string) => boolean;
  readonly isCommon: (word: string) => boolean;
}

export interface PronouncerOptions {
  readonly lexicon: Lexicon;
  readonly graphemes: GraphemeTable;
  /** Without it, words that are not listed keep what the table guesses. */
  readonly g2p?: G2p;
  /** Words that entries must not be taken for; without it there are none. */
  readonly words?: KnownWords;
  /** Words that are remembered; the longest unused are forgotten. */
  readonly maxWords?: number;
}

interface Known {
  readonly phones: readonly (readonly Phone[])[];
  readonly labels: readonly Labels[];
  /** Guessed by the table; G2P may know better. */
  readonly provisional: boolean;
  spellings?: readonly string[];
}

/** Words of one turn of G2P: some 50 ms on a busy core, after which another session's words have theirs. */
const TURN = 48;
/** Dictionary words between which other work has its turn. */
const SLICE_WORDS = 1000;
/** A guess this many nats behind the first is hardly ever what is said. */
const RUNNER_UP = 2;
/** A spelling this many nats behind the first is hardly ever what is written. */
const SPELLING_RUNNER_UP = 3;
/** Of an unlisted word. A third from G2P, or a third spelling more, finds no more names and raises false finds. */
const GUESSES = 2;
const SPELLINGS = 3;
/** Letters below which a spelling is any word's. */
const SHORTEST = 3;

const LABEL = new Map<string, number>(PHONES.map((phone, index) => [phone, index + 1]));

/**
 * Pronunciations of words, at once: from the dictionary, else from what G2P has found, else as the grapheme table
 * guesses. `learn` asks G2P in the background. And spellings by sound.
 */
export class Pronouncer {
  readonly #options: PronouncerOptions;
  readonly #maxWords: number;
  /** Least recently used first. */
  readonly #known = new Map<string, Known>();
  #turn: Promise<unknown> = Promise.resolve();
  #common = new CommonSounds();
  #commonLearnt: Promise<void> | undefined;

  // 50,000 words are five lists of the greatest size, some 30 MB
  constructor(options: PronouncerOptions) {
    this.#options = options;
    this.#maxWords = options.maxWords ?? 50_000;
  }

  /** One that knows the same and remembers for itself: what others ask of this one changes nothing in its answers. */
  alone(): Pronouncer {
    const alone = new Pronouncer(this.#options);
    this.#commonLearnt ??= this.#learnCommon();
    alone.#common = this.#common;
    alone.#commonLearnt = this.#commonLearnt;
    return alone;
  }

  /** Pronunciations of a word in a-z and apostrophes, the likeliest first; none for what has no letters. */
  labels(word: string): readonly Labels[] {
    return this.#find(word).labels;
  }

  /** How the word might be written by its sound, other than it is; the likeliest first. */
  spellings(word: string): readonly string[] {
    const known = this.#find(word);
    known.spellings ??= this.#spell(word, known.phones);
    return known.spellings;
  }

  /** Whether the language model lists a word, so that it may be meant where it is heard. */
  isListed(word: string): boolean {
    return this.#options.words?.isListed(word) ?? false;
  }

  /** How near a sound is to that of a common word, as far as `learn` has been awaited once. */
  confusability(labels: Labels): Confusability {
    return this.#common.nearest(labels);
  }

  /** Resolves when G2P has pronounced those of the words that the dictionary lacks. Callers take turns. */
  async learn(words: readonly string[]): Promise<void> {
    this.#commonLearnt ??= this.#learnCommon();
    await this.#commonLearnt;
    const { g2p } = this.#options;
    if (g2p === undefined) return;
    const unknown = [...new Set(words)].filter((word) => this.#find(word).provisional);
    for (let from = 0; from < unknown.length; from += TURN) {
      const part = unknown.slice(from, from + TURN);
      const turn = this.#turn.then(() => this.#ask(g2p, part));
      // a failure is the caller's; the next one has its turn all the same
      this.#turn = turn.catch(() => undefined);
      await turn;
    }
  }

  /** The dictionary is gone through in slices of a few milliseconds. */
  async #learnCommon(): Promise<void> {
    const { lexicon, words } = this.#options;
    if (words === undefined) return;
    let seen = 0;
    for (const word of lexicon.words()) {
      if (words.isCommon(word))
        for (const phones of lexicon.pronunciations(word)) this.#common.add(toLabels(phones));
      seen += 1;
      if (seen % SLICE_WORDS === 0) await setImmediate();
    }
  }

  async #ask(g2p: G2p, words: readonly string[]): Promise<void> {
    // another caller may have learnt them in the meantime
    const unknown = words.filter((word) => this.#find(word).provisional);
    const guesses = await g2p.pronounce(unknown, GUESSES);
    for (const [i, word] of unknown.entries()) {
      const best = guesses[i]![0];
      const phones = guesses[i]!.filter(({ logProb }) => logProb > best!.logProb - RUNNER_UP).map(
        (each) => each.phones,
      );
      const known = phones.length > 0 ? phones : this.#find(word).phones;
      this.#remember(word, { phones: known, labels: known.map(toLabels), provisional: false });
    }
  }

  #find(word: string): Known {
    let known = this.#known.get(word);
    if (known === undefined) {
      const listed = this.#options.lexicon.pronunciations(word);
      const phones = listed.length > 0 ? listed : this.#guess(word);
      known = { phones, labels: phones.map(toLabels), provisional: listed.length === 0 };
    } else this.#known.delete(word);
    this.#remember(word, known);
    return known;
  }

  #remember(word: string, known: Known): void {
    this.#known.set(word, known);
    if (this.#known.size <= this.#maxWords) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }

  #guess(word: string): (readonly Phone[])[] {
    const guesses = this.#options.graphemes.pronunciations(word, GUESSES);
    return guesses
      .filter(({ logProb }) => logProb > guesses[0]!.logProb - RUNNER_UP)
      .map(({ value }) => value);
  }

  /**
   * Spellings of what the word sounds like, and of what the table thinks that it sounds like: the latter alone adds some
   * two points of F1 for rare words, since the network too reads letters more regularly than a dictionary.
   */
  #spell(word: string, phones: readonly (readonly Phone[])[]): string[] {
    const { graphemes } = this.#options;
    const sounds = [...phones, ...graphemes.pronunciations(word, GUESSES).map(({ value }) => value)];
    const found = new Map<string, number>();
    for (const sound of sounds) {
      const spellings = graphemes.spellings(sound, SPELLINGS);
      for (const { value, logProb } of spellings) {
        const distance = logProb - spellings[0]!.logProb;
        if (distance > -SPELLING_RUNNER_UP && value.length >= SHORTEST && value !== word) {
          found.set(value, Math.max(distance, found.get(value) ?? -Infinity));
        }
      }
    }
    return [...found]
      .sort(([, a], [, b]) => b - a)
      .slice(0, SPELLINGS)
      .map(([spelling]) => spelling);
  }
}

function toLabels(phones: readonly Phone[]): Labels {
  return Uint8Array.from(phones, (phone) => LABEL.get(phone)!);
}

/** Label of each output of the phone head (its symbols in order, the blank an empty string). */
export function headLabels(headPhones: Int8Array): Uint8Array {
  return Uint8Array.from(headPhones, (phone) => phone + 1);
}
