import type { PrefixGraph } from '../biasing/prefix-graph.js';
import type { BiasGain } from './explanation.js';
import { type DecodedToken, gainsOf, type Hypothesis, hypothesisOf, tokensAt } from './hypothesis.js';
import type { PhoneRows } from './phone-rows.js';
import { BeamSearch, type BeamSearchOptions } from './search.js';

export type BeamDecoderOptions = BeamSearchOptions;

/** Rows of log-probabilities in, hypotheses out: the beam search of one stream as the rest of the house sees it. */
export class BeamDecoder {
  readonly #search: BeamSearch;
  /** Width of a row. */
  readonly #width: number;
  readonly #listed: boolean;

  /** @param search where the decoder is to read one in which the list does not count */
  constructor(options: BeamDecoderOptions, search?: BeamSearch) {
    this.#search = search ?? new BeamSearch(options);
    this.#listed = search === undefined;
    this.#width = options.pieces.length + 1;
  }

  /** Absolute frame number of the next row. */
  get frame(): number {
    return this.#search.frame;
  }

  /** Token sequences held in memory. */
  get nodes(): number {
    return this.#search.tree.size;
  }

  /** Extensions scored since construction: the unit of the decoder's cost. */
  get proposals(): number {
    return this.#search.proposals;
  }

  /** Begins a new segment whose first row is the absolute frame `frame`. The graph stays. */
  reset(frame: number): void {
    this.#search.reset(frame);
  }

  /** Goes back to the begin of the segment, the absolute frame `frame`: its rows are to come again, its phones are there. */
  restart(frame: number): void {
    this.#search.restart(frame);
  }

  /** From the next frame on `graph` holds; the live hypotheses are scored as if it had always been there. */
  setGraph(graph: PrefixGraph): void {
    this.#search.setGraph(graph);
  }

  /**
   * Log-probabilities of the phones of the frame that is decoded next, where phones take part. They are kept to the end
   * of the segment: what is decoded again needs them no more.
   */
  hear(phones: Float32Array): void {
    this.#search.scores.phoneRows?.push(phones);
  }

  /** Decodes rows of log-probabilities, row-major (frames, pieces + 1). */
  push(rows: Float32Array, frames: number): void {
    for (let frame = 0; frame < frames; frame++) this.#search.step(rows, frame * this.#width);
  }

  /** The best hypothesis as it stands; an entry that its tokens complete, or may yet complete, counts. */
  best(): Hypothesis {
    return this.#hypothesis(0, false);
  }

  /** The `n` best hypotheses as they stand, best first. */
  nBest(n: number): readonly Hypothesis[] {
    const count = Math.min(n, this.#search.live.count);
    return Array.from({ length: count }, (_, slot) => this.#hypothesis(slot, false));
  }

  /** Leading tokens of `best()` that every live hypothesis shares: they can never change again. */
  stableTokens(): number {
    const { tree, live } = this.#search;
    let shared = tree.depth[live.node[0]!]!;
    for (let slot = 1; slot < live.count; slot++) {
      shared = Math.min(shared, tree.commonDepth(live.node[0]!, live.node[slot]!));
    }
    return shared;
  }

  /**
   * Makes tokens stable: drops the hypotheses that do not begin with them.
   * @returns whether there was one that does; nothing happens otherwise
   */
  commit(first: readonly DecodedToken[]): boolean {
    const slot = this.#search.hypotheses.slotBeginning(first);
    if (slot < 0) return false;
    const { tree, live } = this.#search;
    this.#search.hypotheses.keepBelow(tree.ancestor(live.node[slot]!, first.length));
    return true;
  }

  /**
   * Goes back to where tokens had been emitted: they stay, and the rows behind the last one are to come again. Where no
   * hypothesis begins with them, to what the best one had by then.
   * @param first at least one token
   * @returns whether there was one that does
   */
  rewind(first: readonly DecodedToken[]): boolean {
    const { tree, live } = this.#search;
    const { frame } = first.at(-1)!;
    const slot = this.#search.hypotheses.slotBeginning(first);
    if (slot >= 0) {
      const { logProb } = tokensAt(this.#search, slot)[first.length - 1]!;
      this.#search.rewind(tree.ancestor(live.node[slot]!, first.length), frame, logProb);
      return true;
    }
    const own = tokensAt(this.#search, 0).filter((token) => token.frame <= frame);
    if (own.length === 0) this.restart(frame + 1);
    else this.#search.rewind(tree.ancestor(live.node[0]!, own.length), frame, own.at(-1)!.logProb);
    return false;
  }

  /** Phones that were heard in the segment, where they are. */
  get phones(): PhoneRows | undefined {
    return this.#search.scores.phoneRows;
  }

  /** Whether the best hypothesis has a token. */
  get heard(): boolean {
    return this.#search.tree.depth[this.#search.live.node[0]!]! > 0;
  }

  /** Frames since the best hypothesis last emitted a token, blank having been the best symbol of each. */
  trailingBlankFrames(): number {
    return Math.min(this.#search.blankRun, this.#search.frame - 1 - this.#search.live.frame(0));
  }

  /** The `n` best hypotheses with the scores of the segment's end, best first. The decoder then wants `reset()`. */
  finish(n = 1): readonly Hypothesis[] {
    const { live } = this.#search;
    const ended = Array.from({ length: live.count }, (_, slot) => this.#hypothesis(slot, true));
    return ended.sort((a, b) => b.score - a.score).slice(0, n);
  }

  /** What biasing gave to a hypothesis that `finish` returned; to be asked before `reset()`. */
  gains(hypothesis: Hypothesis): readonly BiasGain[] {
    return gainsOf(this.#search, hypothesis) ?? [];
  }

  #hypothesis(slot: number, ended: boolean): Hypothesis {
    return hypothesisOf(this.#search, slot, { listed: this.#listed, ended });
  }
}
