import type { LanguageModel } from './language-model.js';

/** Natural log-probability from which on a word is common: some 5,000 are. */
const COMMON = -10;

/** Whether a word is common, by what the language model thinks of it after a word that it does not list. */
export function commonWords(model: LanguageModel): (word: string) => boolean {
  const state = model.advance(model.start, undefined);
  return (word) => {
    const id = model.wordId(word);
    return id !== undefined && model.score(state, id) > COMMON;
  };
}
