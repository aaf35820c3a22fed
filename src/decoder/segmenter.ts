import { PrefixGraph } from '../biasing/prefix-graph.js';
import type { Decoder } from './decoder.js';
import { type EndpointOptions, endpoint, SilenceTracker } from './endpoint.js';
import type { EntityLookup, HeardEntity } from './entity-lookup.js';
import type { Explanation } from './explanation.js';
import type { Hypothesis } from './hypothesis.js';
import { RowCache } from './row-cache.js';

/** Why a segment ended. */
export type SegmentEnd = 'endpoint' | 'limit' | 'flush' | 'stop';

export interface PartialHypothesis {
  readonly type: 'partial';
  readonly best: Hypothesis;
  /** Leading tokens of `best` that every live hypothesis shares: they never change. */
  readonly stableTokens: number;
  /** Entries that were heard where `best` spells something else. */
  readonly heard: readonly HeardEntity[];
  /** Absolute frame up to which audio is decoded. */
  readonly frame: number;
  /** The list that it was decoded with. */
  readonly graph: PrefixGraph;
  /** Audio that an earlier partial was about has been decoded again since. */
  readonly revised: boolean;
}

export interface FinalHypothesis {
  readonly type: 'final';
  /** Best first, at least one. */
  readonly nBest: readonly Hypothesis[];
  /** Entries that were heard where the best one spells something else. */
  readonly heard: readonly HeardEntity[];
  readonly reason: SegmentEnd;
  readonly frame: number;
  /** The list that it was decoded with. */
  readonly graph: PrefixGraph;
  /** Where it is wanted and there was a list. */
  readonly explanation?: Explanation;
}

export interface SegmenterOptions {
  readonly decoder: Decoder;
  /** Whether finals say what the list did to them. */
  readonly explain?: boolean;
  /** Finds entries by their pronunciation, where phones are heard. */
  readonly lookup?: EntityLookup;
  readonly pieces: readonly string[];
  /** Width of a row of log-probabilities. */
  readonly rowWidth: number;
  /** Width of a row of phones' log-probabilities; 0 where there are none. */
  readonly phoneWidth?: number;
  readonly frameMs: number;
  readonly endpoint: EndpointOptions;
  readonly nBest: number;
  /**
   * Words older than this are committed even while hypotheses disagree about them: a caption must come to rest. Three
   * seconds is more context than the network itself looks at for a word.
   */
  readonly maxTentativeMs?: number;
  /** Told the absolute number of each frame before it is decoded: the moment to change the list. */
  readonly before?: (frame: number) => void;
}

/**
 * Rows are kept for four times as long as words may stay tentative: only an entry that is not yet complete stays
 * uncommitted for longer than that, and never for so much.
 */
const CACHED_TENTATIVE = 4;

/**
 * Rows of log-probabilities become hypotheses of segments. Runs frame by frame, so that where a segment ends does not
 * depend on the chunk size by which the rows arrive.
 */
export class Segmenter {
  readonly #options: SegmenterOptions;
  readonly #decoder: Decoder;
  readonly #maxTentativeFrames: number;
  readonly #silence = new SilenceTracker();
  readonly #rows: RowCache;
  #graph = PrefixGraph.empty;
  /** Leading tokens of the open segment that nothing changes any more. */
  #kept = 0;
  #revised = false;
  /** The open segment has had a list. */
  #listed = false;
  #frame = 0;
  /** First frame of the open segment; undefined: the next row opens one. */
  #begin: number | undefined;

  constructor(options: SegmenterOptions) {
    this.#options = options;
    this.#decoder = options.decoder;
    this.#maxTentativeFrames = Math.ceil((options.maxTentativeMs ?? 3000) / options.frameMs);
    this.#rows = new RowCache(options.rowWidth, CACHED_TENTATIVE * this.#maxTentativeFrames);
  }

  /** Absolute number of the next frame to be decoded. */
  get frame(): number {
    return this.#frame;
  }

  /** Whether the open segment has words. */
  get hearing(): boolean {
    return this.#begin !== undefined && this.#decoder.heard;
  }

  /** A changed list; from the next frame on, and over the uncommitted words of the open segment. */
  setGraph(graph: PrefixGraph): void {
    this.#graph = graph;
    this.#listed ||= !graph.isEmpty;
    this.#decoder.setGraph(graph);
  }

  /**
   * A changed list as though it had always been there: what is not kept of the open segment is decoded again, so that
   * hypotheses come back which the old list had let die.
   * @returns the absolute frame from which on it was decoded again
   */
  redecode(graph: PrefixGraph): number {
    if (this.#begin === undefined) {
      this.setGraph(graph);
      return this.#frame;
    }
    const { tokens } = this.#decoder.best();
    let kept = this.#kept;
    // where rows have been pushed out, their tokens stay as well
    while (
      kept < tokens.length &&
      (kept === 0 ? this.#begin : tokens[kept - 1]!.frame + 1) < this.#rows.begin
    )
      kept++;
    if (kept === 0) this.#decoder.restart(this.#begin);
    else this.#decoder.rewind(tokens.slice(0, kept));
    this.setGraph(graph);
    const from = this.#decoder.frame;
    this.#decoder.push(this.#rows.from(from), this.#frame - from);
    this.#revised = true;
    return from;
  }

  /** Of the last partial's tokens the first `tokens` were promised to somebody: nothing changes them any more. */
  keep(tokens: number): void {
    if (this.#begin === undefined || tokens <= this.#kept) return;
    this.#kept = tokens;
    this.#rows.dropBefore(this.#decoder.best().tokens[tokens - 1]!.frame + 1);
  }

  /**
   * Decodes rows `[from, to)` of a block whose row 0 is the absolute frame `frame`.
   * @param rows row-major (frames, rowWidth)
   * @param levels of the same rows, in dBFS
   * @param phones log-probabilities of the same rows' phones, row-major (frames, phoneWidth)
   * @returns finals of segments that ended within, and a partial of the one that is open behind them
   */
  push(
    rows: Float32Array,
    levels: ArrayLike<number>,
    frame: number,
    from: number,
    to: number,
    phones?: Float32Array,
  ): (FinalHypothesis | PartialHypothesis)[] {
    const out: (FinalHypothesis | PartialHypothesis)[] = [];
    const { rowWidth: width, phoneWidth = 0 } = this.#options;
    for (let i = from; i < to; i++) {
      this.#options.before?.(frame + i);
      if (this.#begin === undefined) this.#open(frame + i);
      const row = rows.subarray(i * width, (i + 1) * width);
      if (phones !== undefined) {
        const sounds = phones.subarray(i * phoneWidth, (i + 1) * phoneWidth);
        this.#decoder.hear(sounds);
      }
      this.#decoder.push(row, 1);
      this.#rows.push(row);
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
    const best = nBest[0];
    if (best === undefined || best.tokens.length === 0) return [];
    const heard = this.#lookUp(best, true);
    const explanation = this.#explain(heard);
    const final = { type: 'final', nBest, heard, reason, frame: this.#frame, graph: this.#graph } as const;
    return [explanation === undefined ? final : { ...final, explanation }];
  }

  /** The open segment as it stands, where it was decoded again and no partial has told so. */
  revision(): PartialHypothesis | undefined {
    return this.#revised ? this.#partial() : undefined;
  }

  /** The open segment as it stands, where it has words. */
  #partial(): PartialHypothesis | undefined {
    if (this.#begin === undefined) return undefined;
    let best = this.#decoder.best();
    if (best.tokens.length === 0) return undefined;
    const old = this.#tokensOlderThan(best, this.#frame - this.#maxTentativeFrames);
    if (old > this.#decoder.stableTokens()) {
      this.#decoder.commit(best.tokens.slice(0, old));
      // hypotheses that it drops may have had the lead behind what is committed
      best = this.#decoder.best();
    }
    const revised = this.#revised;
    this.#revised = false;
    return {
      type: 'partial',
      best,
      stableTokens: this.#decoder.stableTokens(),
      heard: this.#lookUp(best, false),
      frame: this.#frame,
      graph: this.#graph,
      revised,
    };
  }

  #open(frame: number): void {
    this.#decoder.reset(frame);
    this.#options.lookup?.reset();
    this.#listed = !this.#graph.isEmpty;
    this.#rows.clear(frame);
    this.#begin = frame;
    this.#kept = 0;
    this.#revised = false;
  }

  #lookUp({ tokens }: Hypothesis, ended: boolean): readonly HeardEntity[] {
    const { lookup } = this.#options;
    const { phones } = this.#decoder;
    if (lookup === undefined || phones === undefined) return [];
    return lookup.find(tokens, phones, this.#graph, { ended, kept: this.#kept });
  }

  #explain(heard: readonly HeardEntity[]): Explanation | undefined {
    if (this.#options.explain !== true || !this.#listed) return undefined;
    const { gains, unbiased } = this.#decoder.explain();
    const found = heard.map(({ from, to, gain }) => ({ technique: 'lexicon', from, to, gain }));
    return { gains: [...gains, ...found], unbiased };
  }

  /** A segment that has heard nothing ends too, without a final: the next one's age is then that of its speech. */
  #ended(): SegmentEnd | undefined {
    return endpoint(this.#options.endpoint, this.#options.frameMs, {
      segmentFrames: this.#frame - this.#begin!,
      trailingBlankFrames: this.#decoder.trailingBlankFrames(),
      silentFrames: this.#silence.silentFrames,
    });
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
