/** A word language model as the beam sees it. States are small integers or packed numbers, compared with `===`. */
export interface LanguageModel {
  /** State at the begin of a sentence. */
  readonly start: number;
  /** Id of a word in lower case, or `undefined` when the model does not list it. */
  wordId(word: string): number | undefined;
  /** Natural log-probability of a word after a state; `undefined` stands for a word outside the list. */
  score(state: number, word: number | undefined): number;
  /** State after a word. */
  advance(state: number, word: number | undefined): number;
  /** Natural log-probability of the end of the sentence. */
  end(state: number): number;
}
