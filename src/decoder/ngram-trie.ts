import type { WordLookahead } from './language-model.js';
import type { NgramSections } from './ngram-layout.js';

/** No such node: the letters so far begin no listed word. */
export const NO_NODE = -1;

const NO_WORD = 0xffff;
const LETTER_A = 'a'.charCodeAt(0);
const APOSTROPHE = "'".charCodeAt(0);

/**
 * Letter trie over a language model's word list, for look-ahead inside words.
 *
 * A hypothesis that spells a word keeps the node of its letters (an integer; `ROOT` at a word's begin) and moves it with
 * `step`. `best(node)` bounds what the word can still earn: the greatest unigram log-probability of any listed word
 * that begins with these letters. So a beam may add `best(next) - best(node)` at every letter and, when the word ends,
 * `score(state, word) - best(node)`: the sum telescopes to the model's own score, only it comes earlier (the factored
 * look-ahead of Ortmanns et al. 1997, with unigrams). At `NO_NODE` use the model's score of an unlisted word.
 */
export class LetterTrie implements WordLookahead {
  static readonly ROOT = 0;
  readonly root = LetterTrie.ROOT;

  readonly #children: Uint32Array;
  readonly #best: Float32Array;
  readonly #words: Uint16Array;
  readonly #letters: Uint8Array;

  constructor(sections: NgramSections) {
    this.#children = sections.trieChildren;
    this.#best = sections.trieBest;
    this.#words = sections.trieWords;
    this.#letters = sections.trieLetters;
  }

  /** Node after one more letter (a UTF-16 code unit of a lower-case letter or apostrophe), or `NO_NODE`. */
  step(node: number, code: number): number {
    if (node < 0) return NO_NODE;
    const letter = code === APOSTROPHE ? 1 : code - LETTER_A + 2;
    const end = this.#children[node + 1]!;
    for (let child = this.#children[node]!; child < end; child++) {
      if (this.#letters[child] === letter) return child;
    }
    return NO_NODE;
  }

  /** Node after several more letters, or `NO_NODE`. */
  walk(node: number, letters: string): number {
    let at = node;
    for (let i = 0; i < letters.length && at >= 0; i++) at = this.step(at, letters.charCodeAt(i));
    return at;
  }

  /** Greatest unigram natural log-probability of any listed word at or below the node; -Infinity at `NO_NODE`. */
  best(node: number): number {
    return node < 0 ? Number.NEGATIVE_INFINITY : this.#best[node]!;
  }

  /** Id of the word that the letters up to the node spell, if it is listed. */
  word(node: number): number | undefined {
    if (node < 0) return undefined;
    const word = this.#words[node]!;
    return word === NO_WORD ? undefined : word;
  }
}
