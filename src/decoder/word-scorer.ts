import { type PieceTable, WORD_MARK } from '../biasing/alphabet.js';
import type { LanguageModel } from './language-model.js';
import { type PrefixTree, ROOT } from './prefix-tree.js';

/** Scores the words of a prefix tree's nodes with a word language model, each word once it is complete. */
export class WordScorer {
  readonly #model: LanguageModel;
  readonly #pieces: PieceTable;
  readonly #tree: PrefixTree;
  readonly #weight: number;
  readonly #bonus: number;

  constructor(model: LanguageModel, pieces: PieceTable, tree: PrefixTree, weight: number, bonus: number) {
    this.#model = model;
    this.#pieces = pieces;
    this.#tree = tree;
    this.#weight = weight;
    this.#bonus = bonus;
  }

  /** State of the root. */
  begin(): void {
    this.#tree.lm[ROOT] = 0;
    this.#tree.lmState[ROOT] = this.#model.start;
    this.#tree.wordLm[ROOT] = Number.NaN;
  }

  /** Score after a node and one more token. */
  extended(node: number, token: number): number {
    if (this.#pieces.startsWord[token] === 0) return this.#tree.lm[node]!;
    this.#completeWord(node);
    return this.#tree.wordLm[node]!;
  }

  /** Sets score and state of a new node. */
  update(node: number): void {
    const tree = this.#tree;
    const parent = tree.parent[node]!;
    tree.lm[node] = this.extended(parent, tree.token[node]!);
    tree.lmState[node] =
      this.#pieces.startsWord[tree.token[node]!] === 1 ? tree.wordState[parent]! : tree.lmState[parent]!;
  }

  /** Score of a node if the segment ends here. */
  finished(node: number): number {
    this.#completeWord(node);
    return this.#tree.wordLm[node]! + this.#weight * this.#model.end(this.#tree.wordState[node]!);
  }

  #completeWord(node: number): void {
    const tree = this.#tree;
    if (!Number.isNaN(tree.wordLm[node]!)) return;
    tree.wordLm[node] = tree.lm[node]!;
    tree.wordState[node] = tree.lmState[node]!;
    const text = this.#lastWord(node);
    if (text === '') return;
    const word = this.#model.wordId(text);
    const state = tree.lmState[node]!;
    tree.wordLm[node] = tree.lm[node]! + this.#weight * this.#model.score(state, word) + this.#bonus;
    tree.wordState[node] = this.#model.advance(state, word);
  }

  #lastWord(node: number): string {
    const { token, parent } = this.#tree;
    let text = '';
    for (let at = node; at !== ROOT; at = parent[at]!) {
      const piece = token[at]!;
      text = this.#pieces.pieces[piece]! + text;
      if (this.#pieces.startsWord[piece] === 1) break;
    }
    return text.startsWith(WORD_MARK) ? text.slice(1) : text;
  }
}
