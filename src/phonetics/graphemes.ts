import { logAdd } from '../util/log-add.js';
import { type Phone, parsePhones } from './phones.js';

/** What was made of an input, and the natural log-probability of the two together. */
export interface Guessed<T> {
  readonly value: T;
  readonly logProb: number;
}

/** Letters and the phones that they stand for; the word's edge has neither. */
interface Unit {
  readonly letters: string;
  readonly phones: string;
}

/** Number of the unit for a word's begin and end. */
const EDGE = 0;
/** Absolute discount of pair counts (Ney et al. 1994); between .5 and .9 makes no difference here. */
const DISCOUNT = 0.7;
/** Letters or phones of the longest unit. */
const LONGEST = 6;

/**
 * How letters are said and how sounds are spelled: a joint-sequence model of order two (Bisani and Ney 2008) whose pairs
 * are counted over a pronouncing dictionary (`training/language/graphemes.py`). As a pronouncer it is weaker than G2P,
 * but at once there. As a speller it tells how a recogniser writes a name that it has only heard (the
 * grapheme-to-grapheme table of Dingliwal et al., SLT 2022).
 */
export class GraphemeTable {
  readonly #units: readonly Unit[];
  /** Log-probability of unit b behind unit a at `a * units + b`. */
  readonly #follows: Float32Array;
  readonly #byLetters: ReadonlyMap<string, readonly number[]>;
  readonly #byPhones: ReadonlyMap<string, readonly number[]>;

  private constructor(units: readonly Unit[], follows: Float32Array) {
    this.#units = units;
    this.#follows = follows;
    this.#byLetters = numbersBy(units, 'letters');
    this.#byPhones = numbersBy(units, 'phones');
  }

  /**
   * From the text of `graphemes.tsv`: a line per unit, `letters TAB phones TAB count TAB followers`, the first being the
   * word's edge; followers are `line:count`, separated by spaces.
   */
  static parse(text: string): GraphemeTable {
    const rows = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
    const counts = rows.map((row) => Number(row[2]));
    const total = counts.reduce((sum, count) => sum + count, 0);
    const follows = new Float32Array(rows.length ** 2);
    for (const [left, row] of rows.entries()) {
      const own = follows.subarray(left * rows.length, (left + 1) * rows.length);
      let rest = 1;
      for (const [, right, times] of (row[3] ?? '').matchAll(/(\d+):(\d+)/g)) {
        own[Number(right)] = (Number(times) - DISCOUNT) / counts[left]!;
        rest -= own[Number(right)]!;
      }
      for (const [right, count] of counts.entries())
        own[right] = Math.log(own[right]! + (rest * count) / total);
    }
    return new GraphemeTable(
      rows.map(([letters = '', phones = '']) => ({ letters, phones })),
      follows,
    );
  }

  /** The `n` likeliest pronunciations of a word in a-z and apostrophes, best first; none for what has no letters. */
  pronunciations(word: string, n: number): Guessed<readonly Phone[]>[] {
    return this.#best(word, n, this.#byLetters, 'phones').map(({ value, logProb }) => ({
      value: parsePhones(value),
      logProb,
    }));
  }

  /** The `n` likeliest spellings of a word's phones, best first; none for no phones. */
  spellings(phones: readonly Phone[], n: number): Guessed<string>[] {
    return this.#best(phones.join(''), n, this.#byPhones, 'letters');
  }

  /** The input is cut into units from left to right; the ways to one output add up. */
  #best(
    input: string,
    n: number,
    numbers: ReadonlyMap<string, readonly number[]>,
    side: 'letters' | 'phones',
  ): Guessed<string>[] {
    if (input === '') return [];
    const width = WIDTH_PER_OUTPUT * n;
    const places: Place[] = Array.from({ length: input.length + 1 }, () => ({ steps: [], best: -Infinity }));
    let kept: Partial[] = [{ output: '', last: EDGE, logProb: 0 }];
    for (let from = 0; ; from++) {
      if (from > 0) kept = this.#merge(places[from]!.steps, side, width);
      if (from === input.length) break;
      for (let to = from + 1; to <= Math.min(input.length, from + LONGEST); to++) {
        const units = numbers.get(input.slice(from, to)) ?? [];
        for (const unit of units) this.#step(kept, unit, places[to]!);
      }
    }
    const ended = kept.map(({ output, last, logProb }) => ({
      value: output,
      logProb: logProb + this.#follows[last * this.#units.length + EDGE]!,
    }));
    return mergeOutputs(ended)
      .sort((a, b) => b.logProb - a.logProb)
      .slice(0, n);
  }

  #step(kept: readonly Partial[], unit: number, to: Place): void {
    const size = this.#units.length;
    for (const before of kept) {
      const logProb = before.logProb + this.#follows[before.last * size + unit]!;
      if (logProb < to.best - BEAM) continue;
      to.best = Math.max(to.best, logProb);
      to.steps.push({ before, unit, logProb });
    }
  }

  /** The likeliest ends of one place, each last unit with each output once. Outputs are written for these alone. */
  #merge(steps: Step[], side: 'letters' | 'phones', width: number): Partial[] {
    const merged = new Map<string, Partial>();
    steps.sort((a, b) => b.logProb - a.logProb);
    for (const { before, unit, logProb } of steps) {
      const output = before.output + this.#units[unit]![side];
      const key = `${unit} ${output}`;
      const other = merged.get(key);
      if (other !== undefined) other.logProb = logAdd(other.logProb, logProb);
      else if (merged.size < width) merged.set(key, { output, last: unit, logProb });
      else break;
    }
    return [...merged.values()];
  }
}

/** What falls further behind than these seldom returns. */
const WIDTH_PER_OUTPUT = 5;
const BEAM = 9;

/** The begin of an input made into the begin of an output. */
interface Partial {
  readonly output: string;
  readonly last: number;
  logProb: number;
}

/** What reaches one place of the input. */
interface Place {
  readonly steps: Step[];
  best: number;
}

/** One unit more than a partial has. */
interface Step {
  readonly before: Partial;
  readonly unit: number;
  readonly logProb: number;
}

function mergeOutputs(outputs: readonly Guessed<string>[]): Guessed<string>[] {
  const merged = new Map<string, number>();
  for (const { value, logProb } of outputs) {
    const other = merged.get(value);
    merged.set(value, other === undefined ? logProb : logAdd(other, logProb));
  }
  return [...merged].map(([value, logProb]) => ({ value, logProb }));
}

function numbersBy(units: readonly Unit[], side: 'letters' | 'phones'): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const [number, unit] of units.entries()) {
    if (number === EDGE) continue;
    const others = numbers.get(unit[side]);
    if (others === undefined) numbers.set(unit[side], [number]);
    else others.push(number);
  }
  return numbers;
}
