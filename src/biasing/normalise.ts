/** Text of a vocabulary entry as the model would spell it: a-z, apostrophe, single spaces. */

/** Letters that Unicode does not decompose into a base letter and marks. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ı: 'i',
  ŋ: 'ng',
  ŧ: 't',
  ĸ: 'k',
  ſ: 's',
};
const FINISHED = /^[a-z']+(?: [a-z']+)*$/;
const LETTER = /[ßæœøłđðþħıŋŧĸſ]/g;
const UNSPOKEN = /[™®©℠]/g;
const APOSTROPHE = /[’‘‛ʼʻ′`´＇]/g;
/** Signs that are spoken as words, so dropping them would change what the entry sounds like. */
const SPOKEN = /[@#%*\p{S}]/u;
const SEPARATOR = /[\p{P}\p{Z}\p{Cc}]+/gu;

/**
 * The spelling of `text` in the model's alphabet, or `undefined` when it has none (see `explainRejection`).
 * Diacritics are dropped, `&` becomes "and", hyphens and other punctuation separate words.
 */
export function normaliseEntry(text: string): string | undefined {
  if (FINISHED.test(text) && !text.includes("'")) return text;
  const spelling = respell(text);
  return FINISHED.test(spelling) ? spelling : undefined;
}

/** Says to the user what in `text` has no spelling in the model's alphabet, and what would help. */
export function explainRejection(text: string): string {
  const spelling = respell(text);
  const odd = /[^a-z' ]/u.exec(spelling)?.[0];
  if (odd === undefined) return `${JSON.stringify(text)} has no letters; write it as it is spoken`;
  if (/\p{N}/u.test(odd)) {
    return `${JSON.stringify(text)} holds the digit ${JSON.stringify(odd)}; write numbers as words, or give a sounds-like spelling in letters`;
  }
  if (SPOKEN.test(odd)) {
    return `${JSON.stringify(text)} holds the sign ${JSON.stringify(odd)}; write it as the word that is spoken, or give a sounds-like spelling`;
  }
  return `${JSON.stringify(text)} holds ${JSON.stringify(odd)}, which the model's alphabet (a to z, apostrophe, space) lacks; give a sounds-like spelling in those letters`;
}

function respell(text: string): string {
  return text
    .replace(UNSPOKEN, '')
    .replace(APOSTROPHE, "'")
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}]+/gu, '')
    .replace(LETTER, (letter) => LETTERS[letter] ?? letter)
    .replace(/&/g, ' and ')
    .replace(SEPARATOR, (run) => (run === "'" ? run : separate(run)))
    .replace(/(?<![a-z])'+|'+(?![a-z])/g, (marks, at: number, whole: string) =>
      marks === "'" && whole[at - 1] === 's' ? marks : ' ',
    )
    .replace(/ +/g, ' ')
    .trim();
}

/** Punctuation that is not spoken becomes a space; what is spoken stays and makes the entry fail. */
function separate(run: string): string {
  return SPOKEN.test(run) ? run : run.replace(/[^']/gu, ' ');
}
