import type { LanguageModel } from './language-model.js';
import { LEVELS, type NgramSections, ngramSections } from './ngram-layout.js';
import { lowerBound, WordReach } from './ngram-reach.js';
import { LetterTrie } from './ngram-trie.js';

/** Word ids that every model has. */
const UNKNOWN = 0;
const BEGIN = 1;
const END = 2;

/**
 * Back-off 3-gram over words, read in place from a buffer that threads may share.
 *
 * A state is one integer: a word id below V (only the last word matters) or V + the index of the bigram of the last two
 * words, and that only if trigrams begin with it. Hypotheses whose histories the model cannot tell apart therefore have
 * equal states. Scores are those of the ARPA file (Katz 1987, back-off form) up to the 8-bit codebooks.
 */
export class NgramModel implements LanguageModel {
  readonly start = BEGIN;
  /** Number of listed words, the three markers included. */
  readonly words: number;
  /** Letter trie over the words, for look-ahead inside a word. */
  readonly lookahead: LetterTrie;

  readonly #sections: NgramSections;
  readonly #reach: WordReach;

  private constructor(sections: NgramSections) {
    this.#sections = sections;
    this.words = sections.words;
    this.lookahead = new LetterTrie(sections);
    this.#reach = new WordReach(sections);
  }

  /** Borrows the buffer of a whole `lm.bin`; nothing is copied. */
  static fromBuffer(buffer: ArrayBufferLike): NgramModel {
    return new NgramModel(ngramSections(buffer));
  }

  wordId(word: string): number | undefined {
    return this.lookahead.word(this.lookahead.walk(LetterTrie.ROOT, word));
  }

  score(state: number, word: number | undefined): number {
    return this.#score(state, word ?? UNKNOWN);
  }

  advance(state: number, word: number | undefined): number {
    const { unigramBigrams, words } = this.#sections;
    const id = word ?? UNKNOWN;
    const last = this.#lastWord(state);
    const bigram = this.#findBigram(id, unigramBigrams[last]!, unigramBigrams[last + 1]!);
    return bigram >= 0 && this.#firstTrigram(bigram) < this.#firstTrigram(bigram + 1) ? words + bigram : id;
  }

  end(state: number): number {
    return this.#score(state, END);
  }

  /**
   * Bound of `score(state, word)` over the listed words below a node of `lookahead`: tighter than `lookahead.best`,
   * which knows no history. -Infinity without a node.
   */
  bestAfter(state: number, node: number): number {
    return this.#reach.best(state, node);
  }

  #score(state: number, word: number): number {
    const { words, codebooks, trigramScores, bigramBackoffs } = this.#sections;
    if (state < words) return this.#bigramScore(state, word);
    const bigram = state - words;
    const trigram = this.#findTrigram(word, this.#firstTrigram(bigram), this.#firstTrigram(bigram + 1));
    if (trigram >= 0) return codebooks[2 * LEVELS + trigramScores[trigram]!]!;
    return codebooks[LEVELS + bigramBackoffs[bigram]!]! + this.#bigramScore(this.#lastWord(state), word);
  }

  #bigramScore(last: number, word: number): number {
    const { codebooks, bigramScores, unigramBackoff, unigramBigrams, unigramScore } = this.#sections;
    const bigram = this.#findBigram(word, unigramBigrams[last]!, unigramBigrams[last + 1]!);
    return bigram >= 0 ? codebooks[bigramScores[bigram]!]! : unigramBackoff[last]! + unigramScore[word]!;
  }

  #lastWord(state: number): number {
    const { words, bigramWords } = this.#sections;
    return state < words ? state : bigramWords[state - words]!;
  }

  #firstTrigram(bigram: number): number {
    const { bigramBlocks, bigramOffsets } = this.#sections;
    return bigramBlocks[bigram >> 8]! + bigramOffsets[bigram]!;
  }

  #findBigram(word: number, from: number, to: number): number {
    return search(this.#sections.bigramWords, word, from, to);
  }

  #findTrigram(word: number, from: number, to: number): number {
    return search(this.#sections.trigramWords, word, from, to);
  }
}

/** Index of a value in the ascending stretch [from, to), or -1. */
function search(values: Uint16Array, value: number, from: number, to: number): number {
  const at = lowerBound(values, value, from, to);
  return at < to && values[at] === value ? at : -1;
}
