import type { PrefixGraph } from '../biasing/prefix-graph.js';
import type { Explanation } from './explanation.js';
import type { DecodedToken, Hypothesis } from './hypothesis.js';
import type { PhoneRows } from './phone-rows.js';

/** What decodes one stream, segment by segment. */
export interface Decoder {
  /** Absolute frame number of the next row. */
  readonly frame: number;
  /** Whether the best hypothesis has a token. */
  readonly heard: boolean;
  /** Begins a new segment whose first row is the absolute frame `frame`. The graph stays. */
  reset(frame: number): void;
  /** Goes back to the begin of the segment, the absolute frame `frame`: its rows are to come again, its phones are there. */
  restart(frame: number): void;
  /** From the next frame on `graph` holds, and over what is not stable before it. */
  setGraph(graph: PrefixGraph): void;
  /** Log-probabilities of the phones of the frame that is decoded next, where phones take part. */
  hear(phones: Float32Array): void;
  /** Phones that were heard in the segment, where they are. */
  readonly phones: PhoneRows | undefined;
  /** Decodes rows of log-probabilities, row-major (frames, pieces + 1). */
  push(rows: Float32Array, frames: number): void;
  /** The best hypothesis as it stands. */
  best(): Hypothesis;
  /** Leading tokens of `best()` that can never change again. */
  stableTokens(): number;
  /** Makes the leading tokens of `best()` stable; false where that cannot be. */
  commit(first: readonly DecodedToken[]): boolean;
  /** Goes back to where leading tokens of `best()` had been emitted; the rows behind the last are to come again. */
  rewind(first: readonly DecodedToken[]): void;
  /** Frames since the best hypothesis last emitted a token, blank having been the best symbol of each. */
  trailingBlankFrames(): number;
  /** The `n` best hypotheses at the segment's end, best first. The decoder then wants `reset()`. */
  finish(n?: number): readonly Hypothesis[];
  /** What the list did to the best hypothesis of `finish()`; to be asked before `reset()`. */
  explain(): Explanation;
}
