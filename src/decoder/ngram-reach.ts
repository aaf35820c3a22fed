import { LEVELS, type NgramSections } from './ngram-layout.js';

const NO_WORD = 0xffff;
/** Slots of the memory of answers; a beam asks for the same few hundred in every frame. */
const REMEMBERED = 1 << 13;
/** More than a model has trie nodes, so that state and node make one key. */
const NODES = 2 ** 20;

/**
 * What the words that begin with given letters can earn after a given history.
 *
 * Word ids follow the alphabet of the letter trie, so the words below a node are a range of ids, and what bigrams and
 * trigrams know of them after a history are stretches of the sorted successors: the best is the greatest byte in each
 * (codebooks ascend). A word that has an n-gram of its own is not taken out of the back-off, so the answer is a bound,
 * never less than the best word's score.
 */
export class WordReach {
  readonly #sections: NgramSections;
  /** (N) first and last word id below each trie node. */
  readonly #first: Uint16Array;
  readonly #last: Uint16Array;
  readonly #keys = new Float64Array(REMEMBERED).fill(-1);
  readonly #values = new Float64Array(REMEMBERED);

  constructor(sections: NgramSections) {
    this.#sections = sections;
    const { trieNodes, trieChildren, trieWords } = sections;
    this.#first = new Uint16Array(trieNodes);
    this.#last = new Uint16Array(trieNodes);
    for (let node = trieNodes - 1; node >= 0; node--) {
      const child = trieChildren[node]!;
      const end = trieChildren[node + 1]!;
      const own = trieWords[node]!;
      this.#first[node] = own !== NO_WORD || child === end ? own : this.#first[child]!;
      this.#last[node] = child === end ? own : this.#last[end - 1]!;
    }
  }

  /** Bound of the natural log-probability of the words below a trie node after a state; -Infinity without a node. */
  best(state: number, node: number): number {
    if (node < 0) return Number.NEGATIVE_INFINITY;
    const key = state * NODES + node;
    const slot = (Math.imul(state, 0x9e3779b1) + Math.imul(node, 0x85ebca6b)) >>> 19;
    if (this.#keys[slot] !== key) {
      this.#values[slot] = this.#search(state, node);
      this.#keys[slot] = key;
    }
    return this.#values[slot]!;
  }

  #search(state: number, node: number): number {
    const { words, bigramWords } = this.#sections;
    if (state < words) return this.#bestBigram(state, node);
    const bigram = state - words;
    const { bigramBackoffs, codebooks, trigramScores, trigramWords } = this.#sections;
    const backoff = codebooks[LEVELS + bigramBackoffs[bigram]!]!;
    const backed = backoff + this.#bestBigram(bigramWords[bigram]!, node);
    const code = this.#greatest(
      trigramWords,
      trigramScores,
      this.#firstTrigram(bigram),
      this.#firstTrigram(bigram + 1),
      node,
    );
    return code < 0 ? backed : Math.max(backed, codebooks[2 * LEVELS + code]!);
  }

  #bestBigram(last: number, node: number): number {
    const { bigramScores, bigramWords, codebooks, trieBest, unigramBackoff, unigramBigrams } = this.#sections;
    const backed = unigramBackoff[last]! + trieBest[node]!;
    const code = this.#greatest(
      bigramWords,
      bigramScores,
      unigramBigrams[last]!,
      unigramBigrams[last + 1]!,
      node,
    );
    return code < 0 ? backed : Math.max(backed, codebooks[code]!);
  }

  #firstTrigram(bigram: number): number {
    const { bigramBlocks, bigramOffsets } = this.#sections;
    return bigramBlocks[bigram >> 8]! + bigramOffsets[bigram]!;
  }

  /** Greatest code among the successors in [from, to) that lie below the node, -1 for none. */
  #greatest(successors: Uint16Array, codes: Uint8Array, from: number, to: number, node: number): number {
    const start = lowerBound(successors, this.#first[node]!, from, to);
    const last = this.#last[node]!;
    let greatest = -1;
    for (let at = start; at < to && successors[at]! <= last; at++) {
      if (codes[at]! > greatest) greatest = codes[at]!;
    }
    return greatest;
  }
}

/** First index in the ascending stretch [from, to) whose value is not less; `to` when all are. */
export function lowerBound(values: Uint16Array, value: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
