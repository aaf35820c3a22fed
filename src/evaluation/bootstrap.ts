import { randomNumbers } from './random.js';
import { add, type Counts, type Rates, rates } from './score.js';

/** Bounds of an interval, both fractions. */
export type Interval = readonly [low: number, high: number];

export type Intervals = Readonly<Record<keyof Rates, Interval>>;

const RESAMPLES = 1000;
const TAIL = 0.025;

/**
 * 95 % intervals of the rates by the percentile bootstrap (Efron 1979; for word error rates Bisani and Ney, ICASSP 2004):
 * utterances are drawn with replacement, as many as there are, and scored together. The draws depend on the number of
 * utterances and the seed alone, so that configurations measured on the same utterances are drawn alike.
 *
 * Utterances of one speaker count as independent, so intervals are narrower than other speakers would make them.
 */
export function bootstrap(utterances: readonly Counts[], seed: number): Intervals {
  const random = randomNumbers(`bootstrap\n${seed}`);
  const drawn = Array.from({ length: RESAMPLES }, () =>
    rates(add(utterances.map(() => utterances[Math.floor(random() * utterances.length)]!))),
  );
  const of = (key: keyof Rates): Interval => {
    const sorted = drawn.map((each) => each[key]).sort((a, b) => a - b);
    const tail = Math.floor(RESAMPLES * TAIL);
    return [sorted[tail]!, sorted[RESAMPLES - 1 - tail]!];
  };
  return {
    wer: of('wer'),
    uWer: of('uWer'),
    bWer: of('bWer'),
    precision: of('precision'),
    recall: of('recall'),
    f1: of('f1'),
  };
}
