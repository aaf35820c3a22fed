/** Bounds and weights of the beam search; scores are natural logarithms. */
export interface BeamOptions {
  /** Hypotheses kept per frame. 1 without bias and language model is the greedy best path. */
  readonly beam: number;
  /** Hypotheses further than this below the best are dropped. */
  readonly beamThreshold: number;
  /** Subwords further than this below the frame's best symbol extend no hypothesis, save by bias. */
  readonly tokenThreshold: number;
  /** Subwords that may extend a hypothesis in one frame, save by bias. */
  readonly maxTokens: number;
  /** Hypotheses kept per frame that the list raises above what is kept without it. */
  readonly raised: number;
  /** How far below the best one they may lie. */
  readonly raisedDistance: number;
  readonly bias: Partial<BiasOptions>;
  readonly acceptance: Partial<AcceptanceOptions>;
  /** Multiplies the language model's log-probabilities. */
  readonly lmWeight: number;
  /** Added per word that the language model scores. */
  readonly wordBonus: number;
  /** Whether words of entries count as words of the language model, with the probability of one of its unlisted words. */
  readonly entryWords: boolean;
  /** Natural log-probability of each letter of a word that the language model does not list. */
  readonly unlistedLetter: number;
  /** Multiplies the log-likelihood ratios of the words' phones. */
  readonly phoneWeight: number;
}

/**
 * Gain of a subword that continues an entry: `base` per symbol, and `lambda` times its distance from the frame's best
 * symbol, at most `gapCap` (adaptive subword boosting, Dingliwal et al., SLT 2022). The entry's weight multiplies it.
 */
export interface BiasOptions {
  readonly base: number;
  readonly lambda: number;
  readonly gapCap: number;
  /** A subword within this distance of the frame's best is tried where it begins or continues an entry. */
  readonly biasGap: number;
  /**
   * What a match must earn before it counts, per power of ten that the list is longer than `freeEntries`. The more
   * entries there are, the more of them resemble anything that is said.
   */
  readonly toll: number;
  readonly freeEntries: number;
}

/** What an entry must bring along to stand in the text in place of what would stand there without the list. */
export interface AcceptanceOptions {
  /**
   * How much less likely than those words, by the network's log-probabilities, the entry's may be per letter (and unit
   * of weight). Infinity: whatever the beam says.
   */
  readonly perLetter: number;
  /** By how much `perLetter` falls with every power of ten that the list is longer than 100 entries. */
  readonly perTenfold: number;
  /** By what share of itself that loss grows or shrinks with each natural log unit of other evidence for the entry. */
  readonly perEvidence: number;
}
