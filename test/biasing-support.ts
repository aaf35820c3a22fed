/** Lists and pieces for the biasing tests, and the definition of the bias written over plain strings. */
import fc from 'fast-check';
import type { VocabularyEntry } from '../src/biasing/entry.js';

export function entry(text: string, weight = 1, ...soundsLike: string[]): VocabularyEntry {
  return { text, weight, soundsLike };
}

/** Few letters and short words, so that random entries nest and overlap all the time. */
export const SMALL_PIECES = ['▁a', '▁b', 'a', 'b', 'ab', '▁ab', '▁', "'", '▁ba', 'ba'];

const word = fc.stringMatching(/^[ab]{1,3}$/);
export const smallEntries = fc.array(
  fc
    .tuple(fc.array(word, { minLength: 1, maxLength: 4 }), fc.constantFrom(0.25, 0.5, 1, 2, 3))
    .map(([words, weight]) => entry(words.join(' '), weight))
    .filter(({ text }) => text.replaceAll(' ', '').length >= 2),
  { maxLength: 8 },
);

/** The same lists with sounds-like spellings, which may be other entries' own. */
export const soundingEntries = fc.array(
  fc
    .tuple(
      smallEntries.filter((entries) => entries.length > 0),
      fc.array(fc.stringMatching(/^[ab]{2,3}$/), { maxLength: 2 }),
    )
    .map(([[first], sounds]) => ({ ...first!, soundsLike: sounds })),
  { maxLength: 8 },
);

/** Token sequences that mostly follow entries: random ones would hardly ever match. */
export const smallTokens = fc.array(fc.nat({ max: SMALL_PIECES.length - 1 }), { maxLength: 14 });

/**
 * The bias of a token sequence by its definition, with strings and searches: the match is the longest run of tokens up
 * to here that some entry begins with; see MatchState for fallback and locked.
 */
export class NaiveBias {
  value = 0;
  finalValue = 0;
  #start = 0;
  #fallback = 0;
  #fallbackEnd = 0;
  #locked = 0;
  #lockedEnd = 0;
  readonly #toll: number;
  readonly #weights = new Map<string, number>();
  readonly #pieces: readonly string[];
  readonly #tokens: readonly number[];
  readonly #gains: readonly number[];

  constructor(
    entries: readonly VocabularyEntry[],
    pieces: readonly string[],
    tokens: readonly number[],
    gains: readonly number[],
    toll = 0,
  ) {
    this.#toll = toll;
    for (const { text, weight } of entries) {
      const spelling = `▁${text.replaceAll(' ', '▁')}`;
      this.#weights.set(spelling, Math.max(weight, this.#weights.get(spelling) ?? 0));
    }
    this.#pieces = pieces;
    this.#tokens = tokens;
    this.#gains = gains;
    for (let i = 0; i < tokens.length; i++) this.#read(i);
    this.value = this.#locked + Math.max(this.#fallback, this.#potential(tokens.length));
    this.#confirm(tokens.length);
    this.finalValue = this.#locked + this.#fallback;
  }

  #read(i: number): void {
    if (/^[▁']/.test(this.#pieces[this.#tokens[i]!]!)) this.#confirm(i);
    let start = this.#start;
    while (start <= i && this.#bestWeight(this.#text(start, i + 1)) === undefined) start++;
    if (start === this.#start) return;
    this.#start = start;
    if (this.#fallback > 0) {
      this.#locked += this.#fallback;
      this.#lockedEnd = this.#fallbackEnd;
      this.#fallback = 0;
    }
  }

  /** Entries that end before token `end` and lie within the match. */
  #confirm(end: number): void {
    const paid = Math.max(this.#fallbackEnd, this.#lockedEnd);
    let best = this.#fallback;
    for (let start = this.#start; start < end; start++) {
      const weight = this.#weights.get(this.#text(start, end));
      if (weight === undefined) continue;
      best = Math.max(best, this.#fallback + this.#worth(weight, Math.max(start, paid), end));
      if (start === this.#start)
        best = Math.max(best, this.#worth(weight, Math.max(start, this.#lockedEnd), end));
    }
    if (best > this.#fallback) this.#fallbackEnd = end;
    this.#fallback = best;
  }

  #potential(end: number): number {
    const weight = this.#start < end ? this.#bestWeight(this.#text(this.#start, end)) : undefined;
    return this.#worth(weight ?? 0, Math.max(this.#start, this.#lockedEnd), end);
  }

  #bestWeight(prefix: string): number | undefined {
    const weights = [...this.#weights]
      .filter(([text]) => text.startsWith(prefix))
      .map(([, weight]) => weight);
    return weights.length === 0 || prefix === '' ? undefined : Math.max(...weights);
  }

  #text(from: number, to: number): string {
    return this.#tokens
      .slice(from, to)
      .map((token) => this.#pieces[token])
      .join('');
  }

  #worth(weight: number, from: number, to: number): number {
    return weight * Math.max(0, this.#sum(from, to) - this.#toll);
  }

  #sum(from: number, to: number): number {
    return this.#gains.slice(from, to).reduce((a, b) => a + b, 0);
  }
}
