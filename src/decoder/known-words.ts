import type { LanguageModel } from './language-model.js';

/** Natural log-probability from which on a word is common: some 5,000 are. */
const COMMON = -10;

/** Words by what the language model thinks of them after a word that it does not list. */
export function knownWords(model: LanguageModel): {
  readonly isListed: (word: string) => boolean;
  readonly isCommon: (word: string) => boolean;
} {
  const state = model.advance(model.start, undefined);
  return {
    isListed: (word) => model.wordId(word) !== undefined,
    isCommon: (word) => {
      const id = model.wordId(word);
      return id !== undefined && model.score(state, id) > COMMON;
    },
  };
}
