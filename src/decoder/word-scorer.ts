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
    tree.raise[ROOT] = 0;
    tree.lmBase[ROOT] = 0;
    tree.raiseBase[ROOT] = 0;
    tree.lmState[ROOT] = this.#model.start;
    tree.lmClass[ROOT] = Number.NaN;
    tree.lmPrefix[ROOT] = this.#model.lookahead?.root ?? 0;
    tree.wordLength[ROOT] = 0;
    tree.wordLm[ROOT] = Number.NaN;
  }

  /** Score after a node and one more token, no word being one of an entry. */
  extended(node: number, token: number): number {
    const tree = this.#tree;
    const begins = this.#pieces.startsWord[token] === 1;
    if (begins) this.#completeWord(node);
    const base = begins ? tree.wordLm[node]! : tree.lmBase[node]!;
    const { lookahead } = this.#model;
    if (lookahead === undefined) return base;
    const state = begins ? tree.wordState[node]! : tree.lmState[node]!;
    const prefix = this.#spell(begins ? lookahead.root : tree.lmPrefix[node]!, token);
    const ahead =
      prefix >= 0
        ? this.#best(state, prefix)
        : this.#unlisted(node, begins, this.#pieces.length(token) + (begins ? 0 : tree.wordLength[node]!));
    return base + this.#weight * ahead + this.#bonus;
  }

  /**
   * What the score after a node and one more token gains by the words of entries.
   * @param lm that score
   */
  raisedBy(node: number, token: number, lm: number): number {
    const tree = this.#tree;
    const begins = this.#pieces.startsWord[token] === 1;
    if (begins) this.#completeWord(node);
    const before = begins ? tree.wordRaise[node]! : tree.raiseBase[node]!;
    if (this.#model.lookahead === undefined || !this.#hasEntryWords) return before;
    const length = this.#pieces.length(token) + (begins ? 0 : tree.wordLength[node]!);
    if (this.#bias.matchedAfter(node, token) < length) return before;
    return before + Math.max(0, this.#asEntryWord(node, begins) - lm);
  }

  /** A bound of `extended` and `raisedBy` together, where the word at hand (`begins`: a new one) is one of an entry. */
  mostRaised(node: number, begins: boolean): number {
    const tree = this.#tree;
    if (begins) this.#completeWord(node);
    else if (tree.matchNode[node] === 0) return -Infinity;
    if (this.#model.lookahead === undefined || !this.#hasEntryWords) return -Infinity;
    return (begins ? tree.wordRaise[node]! : tree.raiseBase[node]!) + this.#asEntryWord(node, begins);
  }

  /** Score after a node whose last word, or a new one, is a word of an entry. */
  #asEntryWord(node: number, begins: boolean): number {
    const tree = this.#tree;
    const base = begins ? tree.wordLm[node]! : tree.lmBase[node]!;
    return base + this.#weight * this.#entryWord(node, begins) + this.#bonus;
  }

  /** Sets score and state of a node from its parent's. */
  update(node: number): void {
    const tree = this.#tree;
    const parent = tree.parent[node]!;
    const token = tree.token[node]!;
    tree.lm[node] = this.extended(parent, token);
    tree.raise[node] = this.raisedBy(parent, token, tree.lm[node]!);
    const begins = this.#pieces.startsWord[token] === 1;
    tree.lmBase[node] = begins ? tree.wordLm[parent]! : tree.lmBase[parent]!;
    tree.raiseBase[node] = begins ? tree.wordRaise[parent]! : tree.raiseBase[parent]!;
    tree.lmState[node] = begins ? tree.wordState[parent]! : tree.lmState[parent]!;
    tree.lmClass[node] = begins ? tree.wordClass[parent]! : tree.lmClass[parent]!;
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

  /** Score of a node if the segment ends here, no word being one of an entry. */
  finished(node: number): number {
    this.#completeWord(node);
    return this.#tree.wordLm[node]! + this.#weight * this.#model.end(this.#tree.wordState[node]!);
  }

  /** What that gains by the words of entries. */
  finishedRaise(node: number): number {
    this.#completeWord(node);
    return this.#tree.wordRaise[node]!;
  }

  get #hasEntryWords(): boolean {
    return this.#entryWords && this.#bias.wordShare > -Infinity;
  }

  #best(state: number, prefix: number): number {
    const model = this.#model;
    return model.bestAfter === undefined ? model.lookahead!.best(prefix) : model.bestAfter(state, prefix);
  }

  /** @param symbols of the word so far, `▁` included */
  #unlisted(node: number, begins: boolean, symbols: number): number {
    return this.#classScore(node, begins) + this.#unlistedLetter * (symbols - 1);
  }

  /** A word of the vocabulary as one of the class of the unlisted. */
  #entryWord(node: number, begins: boolean): number {
    return this.#classScore(node, begins) + this.#bias.wordShare;
  }

  /** Of all unlisted words in the place of a node's last word, or of a new one behind that. */
  #classScore(node: number, begins: boolean): number {
    const { lmClass, lmState, wordClass, wordState } = this.#tree;
    const known = begins ? wordClass : lmClass;
    if (Number.isNaN(known[node]!)) {
      known[node] = this.#model.score(begins ? wordState[node]! : lmState[node]!, undefined);
    }
    return known[node]!;
  }

  #completeWord(node: number): void {
    const tree = this.#tree;
    if (!Number.isNaN(tree.wordLm[node]!)) return;
    tree.wordLm[node] = tree.lmBase[node]!;
    tree.wordRaise[node] = tree.raiseBase[node]!;
    tree.wordState[node] = tree.lmState[node]!;
    tree.wordClass[node] = tree.lmClass[node]!;
    const text = lastWord(tree, this.#pieces, node);
    if (text === '') return;
    const word = this.#model.wordId(text);
    const { own, score } = this.#wordScores(node, word);
    tree.wordLm[node] = tree.lmBase[node]! + this.#weight * own + this.#bonus;
    tree.wordRaise[node] = tree.raiseBase[node]! + this.#weight * (score - own);
    tree.wordState[node] = this.#model.advance(tree.lmState[node]!, word);
    tree.wordClass[node] = Number.NaN;
  }

  /** Of a node's last word: its own log-probability, and the one that counts. */
  #wordScores(node: number, word: number | undefined): { readonly own: number; readonly score: number } {
    const state = this.#tree.lmState[node]!;
    const symbols = this.#tree.wordLength[node]!;
    const own = word === undefined ? this.#unlisted(node, false, symbols) : this.#model.score(state, word);
    const inEntry = this.#hasEntryWords && this.#bias.matched(node) >= symbols;
    return { own, score: inEntry ? Math.max(own, this.#entryWord(node, false)) : own };
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
