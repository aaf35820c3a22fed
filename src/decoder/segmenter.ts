import type { PrefixGraph } from '../biasing/prefix-graph.js';
import type { BeamDecoder, Hypothesis } from './beam.js';
import { type EndpointOptions, endpoint, SilenceTracker } from './endpoint.js';

/** Why a segment ended. */
export type SegmentEnd = 'endpoint' | 'limit' | 'flush' | 'stop';

export interface PartialHypothesis {
  readonly type: 'partial';
  readonly best: Hypothesis;
  /** Leading tokens of `best` that every live hypothesis shares: they never change. */
  readonly stableTokens: number;
  /** Absolute frame up to which audio is decoded. */
  readonly frame: number;
}

export interface FinalHypothesis {
  readonly type: 'final';
  /** Best first, at least one. */
  readonly nBest: readonly Hypothesis[];
  readonly reason: SegmentEnd;
  readonly frame: number;
}

export interface SegmenterOptions {
  readonly decoder: BeamDecoder;
  readonly pieces: readonly string[];
  /** Width of a row of log-probabilities. */
  readonly rowWidth: number;
  readonly frameMs: number;
  readonly endpoint: EndpointOptions;
  readonly nBest: number;
  /**
   * Words older than this are committed even while hypotheses disagree about them: a caption must come to rest. Three
   * seconds is more context than the network itself looks at for a word.
   */
  readonly maxTentativeMs?: number;
}

/**
 * Rows of log-probabilities become hypotheses of segments. Runs frame by frame, so that where a segment ends does not
 * depend on the chunk size by which the rows arrive.
 */
export class Segmenter {
  readonly #options: SegmenterOptions;
  readonly #decoder: BeamDecoder;
  readonly #maxTentativeFrames: number;
  readonly #silence = new SilenceTracker();
  #frame = 0;
  /** First frame of the open segment; undefined: the next row opens one. */
  #begin: number | undefined;

  constructor(options: SegmenterOptions) {
    this.#options = options;
    this.#decoder = options.decoder;
    this.#maxTentativeFrames = Math.ceil((options.maxTentativeMs ?? 3000) / options.frameMs);
  }

  /** Absolute number of the next frame to be decoded. */
  get frame(): number {
    return this.#frame;
  }

  /** A changed list; from the next frame on, and over the uncommitted words of the open segment. */
  setGraph(graph: PrefixGraph): void {
    this.#decoder.setGraph(graph);
  }

  /**
   * Decodes rows `[from, to)` of a block whose row 0 is the absolute frame `frame`.
   * @param rows row-major (frames, rowWidth)
   * @param levels of the same rows, in dBFS
   * @returns finals of segments that ended within, and a partial of the one that is open behind them
   */
  push(
    rows: Float32Array,
    levels: ArrayLike<number>,
    frame: number,
    from: number,
    to: number,
  ): (FinalHypothesis | PartialHypothesis)[] {
    const out: (FinalHypothesis | PartialHypothesis)[] = [];
    const width = this.#options.rowWidth;
    for (let i = from; i < to; i++) {
      if (this.#begin === undefined) {
        this.#decoder.reset(frame + i);
        this.#begin = frame + i;
      }
      this.#decoder.push(rows.subarray(i * width, (i + 1) * width), 1);
      this.#silence.push(levels[i] ?? -Infinity);
      this.#frame = frame + i + 1;
      const end = this.#ended();
      if (end !== undefined) out.push(...this.finish(end));
    }
    const partial = this.#partial();
    if (partial !== undefined) out.push(partial);
    return out;
  }

  /** Ends the open segment; nothing where no word was heard. */
  finish(reason: SegmentEnd): FinalHypothesis[] {
    if (this.#begin === undefined) return [];
    const nBest = this.#decoder.finish(this.#options.nBest);
    this.#begin = undefined;
    return nBest[0] !== undefined && nBest[0].tokens.length > 0
      ? [{ type: 'final', nBest, reason, frame: this.#frame }]
      : [];
  }

  /** A segment that has heard nothing ends too, without a final: the next one's age is then that of its speech. */
  #ended(): SegmentEnd | undefined {
    return endpoint(this.#options.endpoint, this.#options.frameMs, {
      segmentFrames: this.#frame - this.#begin!,
      trailingBlankFrames: this.#decoder.trailingBlankFrames(),
      silentFrames: this.#silence.silentFrames,
    });
  }

  #partial(): PartialHypothesis | undefined {
    if (this.#begin === undefined) return undefined;
    const best = this.#decoder.best();
    if (best.tokens.length === 0) return undefined;
    const old = this.#tokensOlderThan(best, this.#frame - this.#maxTentativeFrames);
    if (old > this.#decoder.stableTokens()) this.#decoder.commit(old);
    return { type: 'partial', best, stableTokens: this.#decoder.stableTokens(), frame: this.#frame };
  }

  /** Leading tokens that make up whole words and were all emitted before a frame. */
  #tokensOlderThan({ tokens }: Hypothesis, frame: number): number {
    let count = 0;
    for (let i = 0; i < tokens.length && tokens[i]!.frame < frame; i++) {
      if (this.#options.pieces[tokens[i]!.token]!.startsWith('▁')) count = i;
    }
    return count;
  }
}
