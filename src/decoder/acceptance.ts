import { annotate, type EntitySpan } from '../biasing/annotate.js';
import type { PrefixGraph } from '../biasing/prefix-graph.js';
import { ctcLogProb } from './ctc-score.js';
import { AROUND_FRAMES, type Evidence } from './evidence.js';
import type { DecodedToken } from './hypothesis.js';
import type { AcceptanceOptions } from './options.js';
import type { RowCache } from './row-cache.js';
import { type SpelledWord, spelledWords } from './words.js';

/** Two token sequences that a beam holds of the same frames. */
export interface Rivals {
  /** The best with the list. */
  readonly biased: readonly DecodedToken[];
  /** The best without it. */
  readonly plain: readonly DecodedToken[];
  /** What stands before both and is not in dispute: an entry may have begun there. */
  readonly settled: readonly DecodedToken[];
  /** Symbols at the end of `biased` that begin an entry which is still being said. */
  readonly open: number;
}

export interface Verdict {
  /** `biased`, with the words of `plain` where the list had no claim. */
  readonly tokens: readonly DecodedToken[];
  /** Log-probability that the network gives `tokens` beyond `biased`. */
  readonly acoustic: number;
  /** Places where the two differ, and how many of them the list lost. */
  readonly contested: number;
  readonly rejected: number;
}

export interface AcceptanceTestOptions {
  readonly pieces: readonly string[];
  /** Column of the blank in a row. */
  readonly blank: number;
  readonly acceptance?: Partial<AcceptanceOptions> | undefined;
  readonly evidence?: Evidence | undefined;
}

/** The network places a word a frame or two earlier or later, as the words around it are. */
const SAME_TIME_FRAMES = 3;

/**
 * The bound falls no further. With .4 for 10,000 entries one find in ten is lost (43 native utterances, subwords alone: F1
 * 39.1 instead of 42.3), and entries that nobody says cost as much.
 */
const LEAST = 1.2;

/** Where two word sequences differ: words `[from, to)` of one against `[plainFrom, plainTo)` of the other. */
interface Difference {
  readonly from: number;
  readonly to: number;
  readonly plainFrom: number;
  readonly plainTo: number;
}

/**
 * The acceptance test: wherever the list changes what is heard, an entry must be there whole, and the frames must say
 * it nearly as well as what stands there without the list (a likelihood ratio test). Beam search with bias alone lets
 * a list also change words that are not on it: halves of entries that came to nothing, and what made room for them.
 */
export class AcceptanceTest {
  readonly #pieces: readonly string[];
  readonly #blank: number;
  readonly #perLetter: number;
  readonly #perTenfold: number;
  readonly #perEvidence: number;
  readonly #evidence: Evidence | undefined;

  constructor({ pieces, blank, acceptance = {}, evidence }: AcceptanceTestOptions) {
    // Fitted on the development sets with the language model at beam 64 (every second native utterance, every third
    // synthetic one with names). Against no test: 1,000 entries that nobody says cost .1 % WER instead of .8, 10,000 cost
    // .2 instead of .8; own rare words among 100 and 1,000 others gain another .4 and .5 % WER. 1.8 at N = 100 loses one
    // name in fifty. With all techniques (128 native utterances) 1,000 unspoken entries cost .39 % with .6 per tenfold and
    // .32 with 1 and with 1.4, while own rare words among 1,000 others (43 utterances) lose none.
    const { perLetter = 2.4, perTenfold = 1, perEvidence = 0.3 } = acceptance;
    this.#pieces = pieces;
    this.#blank = blank;
    this.#perLetter = perLetter;
    this.#perTenfold = perTenfold;
    this.#perEvidence = perEvidence;
    this.#evidence = evidence;
  }

  decide({ settled, biased, plain, open }: Rivals, graph: PrefixGraph, cache: RowCache): Verdict {
    const words = spelledWords(biased, this.#pieces);
    const plainWords = spelledWords(plain, this.#pieces);
    const found = differencesOf(words, plainWords);
    if (found.length === 0 || this.#perLetter === Infinity) {
      return { tokens: biased, acoustic: 0, contested: found.length, rejected: 0 };
    }
    const before = spelledWords(settled, this.#pieces);
    const spans = annotate(
      [...before, ...words].map(({ spelling }) => spelling),
      graph,
    ).spans.map((span) => ({ ...span, from: span.from - before.length, to: span.to - before.length }));
    const differences = joinedBySpans(found, spans);
    const bound = this.#bound(graph.entries);
    const tokens: DecodedToken[] = [];
    let acoustic = 0;
    let rejected = 0;
    let done = 0;
    for (const each of differences) {
      const begin = endOf(words, each.from);
      const end = each.to === words.length ? biased.length : endOf(words, each.to);
      const own = biased.slice(begin, end);
      const other = plain.slice(
        endOf(plainWords, each.plainFrom),
        each.plainTo === plainWords.length ? plain.length : endOf(plainWords, each.plainTo),
      );
      const frames = framesOf(each, words, plainWords, cache);
      const loss = this.#logProb(other, frames, cache) - this.#logProb(own, frames, cache);
      const claim = this.#claim(words, spans, each, open);
      tokens.push(...biased.slice(done, begin));
      done = end;
      // frames too few for both (their rows are gone) decide nothing
      if (claim > 0 && !(loss > bound * claim)) tokens.push(...own);
      else {
        tokens.push(...other);
        rejected += 1;
        if (Number.isFinite(loss)) acoustic += loss;
      }
    }
    tokens.push(...biased.slice(done));
    return { tokens, acoustic, contested: differences.length, rejected };
  }

  /** Loss per letter that a list of so many entries may cause: the more of them, the more resemble anything. */
  #bound(entries: number): number {
    const tenfold = Math.max(0, Math.log10(entries / 100));
    return Math.max(Math.min(LEAST, this.#perLetter), this.#perLetter - this.#perTenfold * tenfold);
  }

  /**
   * Letters of the entries among the words in dispute, each times its entry's weight and trust; 0 where there is none.
   */
  #claim(
    words: readonly SpelledWord[],
    spans: readonly EntitySpan[],
    { from, to }: Difference,
    open: number,
  ): number {
    let letters = 0;
    for (const span of spans) {
      const first = Math.max(from, span.from);
      const last = Math.min(to, span.to) - 1;
      if (first > last) continue;
      const weight = span.weight * this.#trust(span.text, words[first]!.from, words[last]!.to);
      for (let i = first; i <= last; i++) letters += words[i]!.spelling.length * weight;
    }
    return letters === 0 && to === words.length ? open : letters;
  }

  /** 1 where there is no other evidence. */
  #trust(entry: string, from: number, to: number): number {
    const ratio = this.#evidence?.logRatio(entry, from - AROUND_FRAMES, to + AROUND_FRAMES) ?? 0;
    // an entry that nothing speaks for may still say what the frames say anyway
    return Math.max(1e-3, 1 + this.#perEvidence * ratio);
  }

  #logProb(
    tokens: readonly DecodedToken[],
    { from, to }: { readonly from: number; readonly to: number },
    cache: RowCache,
  ): number {
    const blank = this.#blank;
    const columns = tokens.map(({ token }) => (token < blank ? token : token + 1));
    const rows = { rows: cache.from(cache.begin), width: this.#pieces.length + 1, blank };
    return ctcLogProb(rows, columns, from - cache.begin, to - cache.begin);
  }
}

/** Index behind the tokens of the first `count` words. */
function endOf(words: readonly SpelledWord[], count: number): number {
  return count === 0 ? 0 : words[count - 1]!.end;
}

/** Absolute frames between the words before and behind that both have. */
function framesOf(
  { from, to, plainFrom, plainTo }: Difference,
  words: readonly SpelledWord[],
  plainWords: readonly SpelledWord[],
  cache: RowCache,
): { readonly from: number; readonly to: number } {
  const begin = Math.max(words[from - 1]?.to ?? 0, plainWords[plainFrom - 1]?.to ?? 0, cache.begin);
  const end = Math.min(words[to]?.from ?? cache.end, plainWords[plainTo]?.from ?? cache.end);
  return { from: begin, to: Math.max(begin, end) };
}

/**
 * By Levenshtein alignment of the words, what lies between two words that both have being one difference. Both have a
 * word if it is spelled alike and was said at the same time; and where the first difference begins, it begins for both:
 * the tokens up to there are common to them, and may be stable.
 */
function differencesOf(words: readonly SpelledWord[], plain: readonly SpelledWord[]): Difference[] {
  let head = 0;
  while (words[head]?.spelling === plain[head]?.spelling) {
    if (head === words.length) return [];
    head += 1;
  }
  const same = (i: number, j: number): boolean =>
    words[i]!.spelling === plain[j]!.spelling &&
    Math.abs(words[i]!.from - plain[j]!.from) <= SAME_TIME_FRAMES &&
    (i === head) === (j === head);
  const cost = distances(words.length - head, plain.length - head, (i, j) => same(head + i, head + j));
  const found: Difference[] = [];
  let [i, j] = [words.length, plain.length];
  let [to, plainTo] = [i, j];
  while (i > head || j > head) {
    const here = cost(i - head, j - head);
    const both = i > head && j > head;
    if (both && same(i - 1, j - 1) && here === cost(i - 1 - head, j - 1 - head)) {
      if (to > i || plainTo > j) found.unshift({ from: i, to, plainFrom: j, plainTo });
      i -= 1;
      j -= 1;
      [to, plainTo] = [i, j];
    } else if (both && here === cost(i - 1 - head, j - 1 - head) + 1) {
      i -= 1;
      j -= 1;
    } else if (i > head && here === cost(i - 1 - head, j - head) + 1) i -= 1;
    else j -= 1;
  }
  if (to > head || plainTo > head) found.unshift({ from: head, to, plainFrom: head, plainTo });
  return found;
}

/** An entry that takes part in several differences is accepted whole or not at all: they become one. */
function joinedBySpans(differences: readonly Difference[], spans: readonly EntitySpan[]): Difference[] {
  const joined: Difference[] = [];
  for (const each of differences) {
    const last = joined.at(-1);
    if (last !== undefined && spans.some(({ from, to }) => from < last.to && to > each.from)) {
      joined[joined.length - 1] = { ...last, to: each.to, plainTo: each.plainTo };
    } else joined.push(each);
  }
  return joined;
}

/** Levenshtein distances of all pairs of prefixes. */
function distances(
  rows: number,
  columns: number,
  same: (row: number, column: number) => boolean,
): (row: number, column: number) => number {
  const width = columns + 1;
  const cost = new Int32Array((rows + 1) * width);
  for (let column = 1; column <= columns; column++) cost[column] = column;
  for (let row = 1; row <= rows; row++) {
    cost[row * width] = row;
    for (let column = 1; column <= columns; column++) {
      const diagonal = cost[(row - 1) * width + column - 1]! + (same(row - 1, column - 1) ? 0 : 1);
      const edge = Math.min(cost[(row - 1) * width + column]!, cost[row * width + column - 1]!) + 1;
      cost[row * width + column] = Math.min(diagonal, edge);
    }
  }
  return (row, column) => cost[row * width + column]!;
}
