import type { BiasGain, Explanation } from '../decoder/explanation.js';
import type { DecodedToken } from '../decoder/hypothesis.js';
import { type SpelledWord, spelledWords } from '../decoder/words.js';
import type { CaptionWord } from './caption.js';

/** What biasing did to a word of a caption; an entry's words have it in common. */
export interface WordExplanation {
  /** The technique that gave most, and what all gave, in natural log units; absent where none gave anything. */
  readonly technique?: string;
  readonly gain?: number;
  /** What would stand there without a list; empty: nothing. */
  readonly unbiased: string;
  /** Whether that is spelled otherwise. */
  readonly changed: boolean;
}

export interface ExplainedCaption {
  /** A place for each word of the caption: entries' words, and those that biasing changed. */
  readonly words: readonly (WordExplanation | undefined)[];
  /** Whether the text would be another one without a list. */
  readonly changed: boolean;
}

/** The same word may come a little earlier or later in another decoding, in frames. */
const TOLERANCE = 2;

/** Compares a final's caption with what was heard without a list. @param tokens of the caption's hypothesis */
export function explain(
  caption: readonly CaptionWord[],
  tokens: readonly DecodedToken[],
  { gains, unbiased }: Explanation,
  pieces: readonly string[],
): ExplainedCaption {
  const own = spelledWords(tokens, pieces);
  const other = spelledWords(unbiased, pieces);
  const alternatives = align(own, other);
  const words: (WordExplanation | undefined)[] = [];
  let at = 0;
  for (let i = 0; i < caption.length; ) {
    const { span } = caption[i]!;
    let next = i + 1;
    while (span !== undefined && caption[next]?.span === span) next++;
    const spelled = caption.slice(i, next).reduce((sum, word) => sum + word.spelled, 0);
    const there = alternatives.slice(at, at + spelled);
    const changed = span?.heard === true || there.some(({ same }) => !same);
    const begin = own[at]?.token ?? tokens.length;
    at += spelled;
    const explained =
      span === undefined && !changed
        ? undefined
        : {
            ...strongest(gains, begin, own[at]?.token ?? tokens.length),
            unbiased: there.flatMap(({ words: heard }) => heard).join(' '),
            changed,
          };
    for (; i < next; i++) words.push(explained);
  }
  const heard = caption.some(({ span }) => span?.heard === true);
  return { words, changed: heard || textOf(own) !== textOf(other) };
}

interface Alternative {
  readonly same: boolean;
  readonly words: string[];
}

/**
 * What the other words are in the place of each word. Words that are spelled alike at the same time are anchors; what
 * lies between two of them goes to the word nearest in time.
 */
function align(own: readonly SpelledWord[], other: readonly SpelledWord[]): readonly Alternative[] {
  const alternatives: Alternative[] = [];
  let told = 0;
  /** Words up to `end`, which are no anchors, and the others up to `otherEnd`. */
  const between = (end: number, otherEnd: number): void => {
    const begin = alternatives.length;
    for (let i = begin; i < end; i++) alternatives.push({ same: false, words: [] });
    for (const word of begin < end ? other.slice(told, otherEnd) : []) {
      alternatives[nearest(own, begin, end, word)]!.words.push(word.spelling);
    }
    told = otherEnd;
  };
  for (let i = 0, j = 0; i < own.length && j < other.length; ) {
    const mine = own[i]!;
    const theirs = other[j]!;
    const together = mine.from < theirs.to + TOLERANCE && theirs.from < mine.to + TOLERANCE;
    if (together && mine.spelling === theirs.spelling) {
      between(i, j);
      alternatives.push({ same: true, words: [mine.spelling] });
      i += 1;
      j += 1;
      told = j;
    } else if (mine.to <= theirs.to) i += 1;
    else j += 1;
  }
  between(own.length, other.length);
  return alternatives;
}

/** Index of the word within [begin, end) whose middle is nearest to that of `word`. */
function nearest(words: readonly SpelledWord[], begin: number, end: number, word: SpelledWord): number {
  const distance = (i: number): number => Math.abs(words[i]!.from + words[i]!.to - word.from - word.to);
  let best = begin;
  for (let i = begin + 1; i < end; i++) if (distance(i) < distance(best)) best = i;
  return best;
}

/** Gains of the tokens [begin, end). */
function strongest(
  gains: readonly BiasGain[],
  begin: number,
  end: number,
): Pick<WordExplanation, 'technique' | 'gain'> {
  const sums = new Map<string, number>();
  for (const { technique, from, to, gain } of gains) {
    if (from >= begin && to <= end) sums.set(technique, (sums.get(technique) ?? 0) + gain);
  }
  const best = [...sums].reduce<[string, number] | undefined>(
    (most, each) => (most === undefined || each[1] > most[1] ? each : most),
    undefined,
  );
  if (best === undefined || best[1] <= 0) return {};
  return { technique: best[0], gain: [...sums.values()].reduce((sum, gain) => sum + gain, 0) };
}

function textOf(words: readonly SpelledWord[]): string {
  return words.map(({ spelling }) => spelling).join(' ');
}
