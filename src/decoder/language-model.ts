/** A word language model as the beam sees it. States are small integers or packed numbers, compared with `===`. */
export interface LanguageModel {
  /** State at the begin of a sentence. */
  readonly start: number;
  /** Id of a word in lower case, or `undefined` when the model does not list it. */
  wordId(word: string): number | undefined;
  /** Natural log-probability of a word after a state; `undefined` stands for all words outside the list together. */
  score(state: number, word: number | undefined): number;
  /** State after a word. */
  advance(state: number, word: number | undefined): number;
  /** Natural log-probability of the end of the sentence. */
  end(state: number): number;
  /** Lets the beam score a word while it is being spelled; without it a word is scored when the next one begins. */
  readonly lookahead?: WordLookahead;
  /**
   * Bound of `score(state, word)` over the words below a node of `lookahead`; what knows the history bounds it more
   * tightly than `lookahead.best`. Asked for existing nodes only.
   */
  bestAfter?(state: number, node: number): number;
}

/** The listed words as a trie over letters. A node is a number; negative where no listed word begins so. */
export interface WordLookahead {
  readonly root: number;
  /** Node after one more letter, given as a UTF-16 code unit. */
  step(node: number, code: number): number;
  /** Greatest unigram natural log-probability of the words below the node. */
  best(node: number): number;
}
