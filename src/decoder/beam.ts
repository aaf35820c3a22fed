import type { PrefixGraph } from '../biasing/prefix-graph.js';
import type { BiasGain } from './explanation.js';
import type { PhoneRows } from './phone-rows.js';
import { ROOT } from './prefix-tree.js';
import { BeamSearch, type BeamSearchOptions } from './search.js';

export interface DecodedToken {
  /** Piece id. */
  readonly token: number;
  /** Absolute frame of emission. */
  readonly frame: number;
  /** Natural log-probability of the piece in that frame. */
  readonly logProb: number;
}

/** A decoded token sequence. Scores are natural logarithms, kept apart by source; `score` is their sum. */
export interface Hypothesis {
  readonly tokens: readonly DecodedToken[];
  readonly score: number;
  readonly acoustic: number;
  readonly lm: number;
  readonly bias: number;
  /** Of the words' phones; 0 where no phones are heard. */
  readonly phonetic: number;
}

export type BeamDecoderOptions = BeamSearchOptions;

/** Rows of log-probabilities in, hypotheses out: the beam search of one stream as the rest of the house sees it. */
export class BeamDecoder {
  readonly #search: BeamSearch;
  /** Width of a row. */
  readonly #width: number;

  constructor(options: BeamDecoderOptions) {
    this.#search = new BeamSearch(options);
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
    this.#search.phoneRows?.push(phones);
  }

  /** Decodes rows of log-probabilities, row-major (frames, pieces + 1). */
  push(rows: Float32Array, frames: number): void {
    for (let frame = 0; frame < frames; frame++) this.#search.step(rows, frame * this.#width);
  }

  /** The best hypothesis as it stands; an entry that its tokens complete, or may yet complete, counts. */
  best(): Hypothesis {
    return this.#hypothesis(0);
  }

  /** Symbols at the end of the best hypothesis that begin an entry. */
  matched(): number {
    return this.#search.bias.matched(this.#search.live.node[0]!);
  }

  /** The `n` best hypotheses as they stand, best first. */
  nBest(n: number): readonly Hypothesis[] {
    const count = Math.min(n, this.#search.live.count);
    return Array.from({ length: count }, (_, slot) => this.#hypothesis(slot));
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
    const slot = this.#search.slotBeginning(first);
    if (slot < 0) return false;
    const { tree, live } = this.#search;
    this.#search.keepBelow(tree.ancestor(live.node[slot]!, first.length));
    return true;
  }

  /**
   * Goes back to where tokens had been emitted: they stay, and the rows behind the last one are to come again. Where no
   * hypothesis begins with them, to what the best one had by then.
   * @param first at least one token
   */
  rewind(first: readonly DecodedToken[]): void {
    const { tree, live } = this.#search;
    const { frame } = first.at(-1)!;
    const slot = this.#search.slotBeginning(first);
    if (slot >= 0) {
      const { logProb } = this.#tokens(slot)[first.length - 1]!;
      this.#search.rewind(tree.ancestor(live.node[slot]!, first.length), frame, logProb);
      return;
    }
    const own = this.#tokens(0).filter((token) => token.frame <= frame);
    if (own.length === 0) this.restart(frame + 1);
    else this.#search.rewind(tree.ancestor(live.node[0]!, own.length), frame, own.at(-1)!.logProb);
  }

  /** Becomes equal to another decoder with the same options, which heard the same. Neither may have a vocabulary. */
  copyFrom(other: BeamDecoder): void {
    this.#search.copyFrom(other.#search);
  }

  /** Phones that were heard in the segment, where they are. */
  get phones(): PhoneRows | undefined {
    return this.#search.phoneRows;
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
    const { words, bias: scorer, phones, live } = this.#search;
    const ended = Array.from({ length: live.count }, (_, slot) => {
      const node = live.node[slot]!;
      return this.#hypothesis(slot, {
        lm: words?.finished(node) ?? 0,
        bias: scorer.finished(node),
        phonetic: phones?.finished(node) ?? 0,
      });
    });
    return ended.sort((a, b) => b.score - a.score).slice(0, n);
  }

  /** What biasing gave to a hypothesis that `finish` returned; to be asked before `reset()`. */
  gains({ tokens, bias }: Hypothesis): readonly BiasGain[] {
    const { tree, words, pieces } = this.#search;
    const gains: BiasGain[] = [];
    const add = (technique: string, from: number, to: number, gain: number): void => {
      if (gain !== 0) gains.push({ technique, from, to, gain });
    };
    let node = ROOT;
    let word = 0;
    for (const [i, { token }] of tokens.entries()) {
      const parent = node;
      node = tree.child(parent, token);
      const last = i + 1 === tokens.length;
      // an entry that the end leaves unfinished has nothing
      add('adaptive', i, i + 1, (last ? bias : tree.bias[node]!) - tree.bias[parent]!);
      if (!last && pieces.startsWord[tokens[i + 1]!.token] === 0) continue;
      add('unigram', word, i + 1, words?.raised(node) ?? 0);
      word = i + 1;
    }
    return gains;
  }

  #hypothesis(slot: number, ended?: Pick<Hypothesis, 'lm' | 'bias' | 'phonetic'>): Hypothesis {
    const { tree, live, phones } = this.#search;
    const node = live.node[slot]!;
    const scores = {
      acoustic: this.#search.acoustic(slot),
      lm: tree.lm[node]!,
      bias: tree.bias[node]!,
      phonetic: phones?.score(node) ?? 0,
      ...ended,
    };
    const score = scores.acoustic + scores.lm + scores.bias + scores.phonetic;
    return { tokens: this.#tokens(slot), score, ...scores };
  }

  #tokens(slot: number): DecodedToken[] {
    const { parent, token, parentFrame, parentLogProb, depth } = this.#search.tree;
    const { live } = this.#search;
    let node = live.node[slot]!;
    let frame = live.frame(slot);
    let logProb = live.logProb(slot);
    const tokens = new Array<DecodedToken>(depth[node]!);
    for (let i = tokens.length - 1; i >= 0; i--) {
      tokens[i] = { token: token[node]!, frame, logProb };
      // the parent's alignment may have moved on since it was extended
      frame = Math.min(frame - 1, parentFrame[node]!);
      logProb = parentLogProb[node]!;
      node = parent[node]!;
    }
    return tokens;
  }
}
