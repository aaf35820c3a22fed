import type { DecodedToken } from './hypothesis.js';

/**
 * What a technique of biasing added to the score of a hypothesis, in natural log units, by the tokens [from, to). The
 * gains of a hypothesis over all techniques are all that biasing did to its score.
 */
export interface BiasGain {
  /** `adaptive`: subword boosting; `unigram`: words of entries in the language model; others may follow. */
  readonly technique: string;
  readonly from: number;
  readonly to: number;
  readonly gain: number;
}

/** What biasing did to a final. */
export interface Explanation {
  readonly gains: readonly BiasGain[];
  /** What a decoder without a list makes of the same rows. */
  readonly unbiased: readonly DecodedToken[];
}
