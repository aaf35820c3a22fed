/** What a decoder is set to. */
export interface Weights {
  /** Of the language model. */
  readonly alpha: number;
  /** Per word. */
  readonly beta: number;
  /** Of a word that the language model does not list (ours: of each of its letters). */
  readonly unlisted: number;
  /** Of listed entries: a peer's `hotword_weight`; ours: what a subword of an entry gains (`BiasOptions.base`). */
  readonly entry: number;
  /** Log-probability below which a subword is not tried (ours: below the frame's best); twice that bounds the beam. */
  readonly tokens: number;
}

/** One decoder with one setting over some of the samples, with lists of one size. */
export interface Job {
  readonly decoder: string;
  readonly weights: Weights;
  /** Distractors besides the utterance's own entities; null: no list at all. */
  readonly n: number | null;
  readonly samples: readonly number[];
  /** Stops after the sample in which it has taken so much processor time. */
  readonly seconds: number;
}

/** What came of a job; `texts` are those of the first samples, all of them unless time was up. */
export interface JobResult {
  readonly texts: readonly string[];
  /** Seconds of processor time to take in the lists, and to decode without that. */
  readonly listSeconds: number;
  readonly decodeSeconds: number;
}
