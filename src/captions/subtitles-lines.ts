/** How a cue's words are broken into lines. */

/** Characters as people count them, near enough: code points. */
export function lengthOf(text: string): number {
  return [...text].length;
}

/** Words of up to three letters (a, the, of, und, la) mostly belong to what follows: a poor place for a break. */
export function clings(word: string): boolean {
  return /^\p{L}{1,3}$/u.test(word);
}

/** Characters of difference between two lines that a break behind such a word is worth avoiding. */
const CLING = 8;

export interface LineRoom {
  /** Characters. */
  readonly maxLineLength: number;
  /** Characters of the first line that are taken. */
  readonly prefixWidth: number;
}

/**
 * One line where the words fit, else the two that differ least, not behind a small word, the second being the longer one where that is open: a
 * short line above a long one covers less of the picture. A word that is longer than a line stands on one of its own.
 * @returns undefined where two lines do not hold the words
 */
export function breakLines(words: readonly string[], room: LineRoom): readonly string[] | undefined {
  const lengths = words.map(lengthOf);
  const total = lengths.reduce((sum, length) => sum + length + 1, -1);
  const first = room.maxLineLength - room.prefixWidth;
  if (total <= first || words.length === 1) return [words.join(' ')];
  let best: number | undefined;
  let bestDifference = Number.POSITIVE_INFINITY;
  let upper = -1;
  for (let at = 1; at < words.length; at++) {
    upper += lengths[at - 1]! + 1;
    const lower = total - upper - 1;
    const upperFits = upper <= first || at === 1;
    const lowerFits = lower <= room.maxLineLength || at === words.length - 1;
    // half a character in favour of the lower line decides ties
    const difference =
      Math.abs(upper + room.prefixWidth - lower + 0.5) + (clings(words[at - 1]!) ? CLING : 0);
    if (upperFits && lowerFits && difference < bestDifference) {
      best = at;
      bestDifference = difference;
    }
  }
  if (best === undefined) return undefined;
  return [words.slice(0, best).join(' '), words.slice(best).join(' ')];
}
