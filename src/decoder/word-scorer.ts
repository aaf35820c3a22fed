import { type PieceTable, WORD_MARK } from '../biasing/alphabet.js';
import type { BiasScorer } from './bias-scorer.js';
import type { LanguageModel } from './language-model.js';
import { type PrefixTree, ROOT } from './prefix-tree.js';
import { lastWord } from './spelling.js';

export interface WordScorerOptions {
  readonly model: LanguageModel;
  readonly pieces: PieceTable;
  readonly tree: PrefixTree;
  readonly bias: BiasScorer;
  /** Multiplies the model's log-probabilities. */
  readonly weight: number;
  /** Added per word. */
  readonly bonus: number;
  /** Whether a word of an entry is one of a class of the model. */
  readonly entryWords: boolean;
  /** Natural log-probability of each letter of an unlisted word. */
  readonly unlistedLetter: number;
}

/**
 * Scores the words of a prefix tree's nodes with a word language model.
 *
 * A complete word has the model's score. A word that is being spelled is given, ahead of its end, what the best listed
 * word with these letters can have after what was said (or as a unigram, where the model bounds no more: the factored
 * look-ahead of Ortmanns et al. 1997), and at its end its own score instead; so a hypothesis cannot put its words off by leaving out their borders. Letters that begin no listed
 * word are an unlisted word at once, which has the probability of the class and of its letters: were the class alone to
 * pay, one endless word would be cheaper than many.
 *
 * A word that the hypothesis spells as part of a vocabulary entry is not any unlisted word but one of a small class
 * (unigram boosting: Dingliwal et al., SLT 2022, 3.2): it has the probability of an unlisted word, shared among the
 * vocabulary's words. A listed word keeps its own where that is higher.
 */
export class WordScorer {
  readonly #model: LanguageModel;
  readonly #pieces: PieceTable;
  readonly #tree: PrefixTree;
  readonly #bias: BiasScorer;
  readonly #weight: number;
  readonly #bonus: number;
  readonly #entryWords: boolean;
  readonly #unlistedLetter: number;
  /** The two states that were asked for last, and what the model said of the class. */
  #classState = Number.NaN;
  #classLogProb = 0;
  #otherState = Number.NaN;
  #otherLogProb = 0;

  constructor({ model, pieces, tree, bias, weight, bonus, entryWords, unlistedLetter }: WordScorerOptions) {
    this.#model = model;
    this.#pieces = pieces;
    this.#tree = tree;
    this.#bias = bias;
    this.#weight = weight;
    this.#bonus = bonus;
    this.#entryWords = entryWords;
    this.#unlistedLetter = unlistedLetter;
  }

  /** State of the root. */
  begin(): void {
    const tree = this.#tree;
    tree.lm[ROOT] = 0;
    tree.lmBase[ROOT] = 0;
    tree.lmState[ROOT] = this.#model.start;
    tree.lmPrefix[ROOT] = this.#model.lookahead?.root ?? 0;
    tree.wordLength[ROOT] = 0;
    tree.wordLm[ROOT] = Number.NaN;
  }

  /** Score after a node and one more token. */
  extended(node: number, token: number): number {
    const tree = this.#tree;
    const begins = this.#pieces.startsWord[token] === 1;
    if (begins) this.#completeWord(node);
    const base = begins ? tree.wordLm[node]! : tree.lmBase[node]!;
    const { lookahead } = this.#model;
    if (lookahead === undefined) return base;
    const state = begins ? tree.wordState[node]! : tree.lmState[node]!;
    const prefix = this.#spell(begins ? lookahead.root : tree.lmPrefix[node]!, token);
    const length = this.#pieces.length(token) + (begins ? 0 : tree.wordLength[node]!);
    const listed = prefix >= 0 ? this.#best(state, prefix) : this.#unlisted(state, length);
    const entry = this.#entryWords ? this.#entryWord(state) : -Infinity;
    // that it is the better one is asked first, being rare
    const ahead = entry > listed && this.#bias.matchedAfter(node, token) >= length ? entry : listed;
    return base + this.#weight * ahead + this.#bonus;
  }

  /** Sets score and state of a node from its parent's. */
  update(node: number): void {
    const tree = this.#tree;
    const parent = tree.parent[node]!;
    const token = tree.token[node]!;
    tree.lm[node] = this.extended(parent, token);
    const begins = this.#pieces.startsWord[token] === 1;
    tree.lmBase[node] = begins ? tree.wordLm[parent]! : tree.lmBase[parent]!;
    tree.lmState[node] = begins ? tree.wordState[parent]! : tree.lmState[parent]!;
    tree.lmPrefix[node] = this.#spell(
      begins ? (this.#model.lookahead?.root ?? 0) : tree.lmPrefix[parent]!,
      token,
    );
    tree.wordLength[node] = this.#pieces.length(token) + (begins ? 0 : tree.wordLength[parent]!);
    tree.wordLm[node] = Number.NaN;
  }

  /** What the last word of a node owes to being spelled as part of an entry, were it complete. */
  raised(node: number): number {
    const text = lastWord(this.#tree, this.#pieces, node);
    if (text === '') return 0;
    const { own, score } = this.#wordScores(node, this.#model.wordId(text));
    return this.#weight * (score - own);
  }

  /** Score of a node if the segment ends here. */
  finished(node: number): number {
    this.#completeWord(node);
    return this.#tree.wordLm[node]! + this.#weight * this.#model.end(this.#tree.wordState[node]!);
  }

  #best(state: number, prefix: number): number {
    const model = this.#model;
    return model.bestAfter === undefined ? model.lookahead!.best(prefix) : model.bestAfter(state, prefix);
  }

  /** @param symbols of the word so far, `▁` included */
  #unlisted(state: number, symbols: number): number {
    return this.#classScore(state) + this.#unlistedLetter * (symbols - 1);
  }

  /** A word of the vocabulary as one of the class of the unlisted. */
  #entryWord(state: number): number {
    return this.#classScore(state) + this.#bias.wordShare;
  }

  /** Of all unlisted words. A hypothesis asks for each of its extensions, after two states: its own and a new word's. */
  #classScore(state: number): number {
    if (state === this.#classState) return this.#classLogProb;
    if (state === this.#otherState) return this.#otherLogProb;
    this.#otherState = this.#classState;
    this.#otherLogProb = this.#classLogProb;
    this.#classState = state;
    this.#classLogProb = this.#model.score(state, undefined);
    return this.#classLogProb;
  }

  #completeWord(node: number): void {
    const tree = this.#tree;
    if (!Number.isNaN(tree.wordLm[node]!)) return;
    tree.wordLm[node] = tree.lmBase[node]!;
    tree.wordState[node] = tree.lmState[node]!;
    const text = lastWord(tree, this.#pieces, node);
    if (text === '') return;
    const word = this.#model.wordId(text);
    const { score } = this.#wordScores(node, word);
    tree.wordLm[node] = tree.lmBase[node]! + this.#weight * score + this.#bonus;
    tree.wordState[node] = this.#model.advance(tree.lmState[node]!, word);
  }

  /** Of a node's last word: its own log-probability, and the one that counts. */
  #wordScores(node: number, word: number | undefined): { readonly own: number; readonly score: number } {
    const state = this.#tree.lmState[node]!;
    const symbols = this.#tree.wordLength[node]!;
    const own = word === undefined ? this.#unlisted(state, symbols) : this.#model.score(state, word);
    const inEntry = this.#entryWords && this.#bias.matched(node) >= symbols;
    return { own, score: inEntry ? Math.max(own, this.#entryWord(state)) : own };
  }

  /** Trie node after a piece's letters; any number where there is no look-ahead. */
  #spell(prefix: number, token: number): number {
    const { lookahead } = this.#model;
    if (lookahead === undefined) return 0;
    const piece = this.#pieces.pieces[token]!;
    let node = prefix;
    for (let i = piece.startsWith(WORD_MARK) ? 1 : 0; i < piece.length && node >= 0; i++) {
      node = lookahead.step(node, piece.charCodeAt(i));
    }
    return node;
  }
}
