import type { PieceTable } from './alphabet.js';
import type { PrefixGraph } from './prefix-graph.js';
import { Walker } from './walker.js';

/** The unit gains of the tokens before the one being read; natural log units. */
export interface GainHistory {
  /**
   * Sum of the gains of the latest tokens that together have `symbols` symbols, tokens with an index below
   * `notBefore` left out.
   */
  sumBack(symbols: number, notBefore: number): number;
}

/**
 * What a hypothesis has matched, and what that is worth.
 *
 * Each token has a unit gain u > 0. With S = the sum of u over the tokens of the partial match, w = the weight of a
 * node (the largest of the entries that can still come), the hypothesis owns
 *
 *     bias = locked + max(fallback, w(node) * max(0, S - toll))
 *
 * - `toll`: what a match must earn before it counts, the same for all: one entry among many is improbable beforehand;
 * - `fallback`: gain of the entries whose end was confirmed within the partial match, kept if nothing longer comes;
 * - `locked`: gain of completed entries, never given back.
 *
 * This is a function of the tokens, their gains and the graph. So what a broken match had received is given back
 * exactly, whatever the weights, and a new graph is entered by reading the tokens again. A token counts once, also
 * where entries overlap: those before `lockedEnd` are paid for. An entry's end is confirmed by the next word's begin
 * (or an apostrophe, or the end): "art" earns nothing in "artist".
 */
export class MatchState {
  node = 0;
  /** S. */
  sum = 0;
  fallback = 0;
  /** Tokens before this index are paid for by `fallback`. */
  fallbackEnd = 0;
  locked = 0;
  lockedEnd = 0;
  /** Tokens read. */
  tokens = 0;
  readonly #toll: number;

  constructor(toll = 0) {
    this.#toll = toll;
  }

  clear(): void {
    this.node = 0;
    this.sum = 0;
    this.fallback = 0;
    this.fallbackEnd = 0;
    this.locked = 0;
    this.lockedEnd = 0;
    this.tokens = 0;
  }

  /** Worth as it stands, a partial match counting in full. */
  value(graph: PrefixGraph): number {
    return this.locked + Math.max(this.fallback, this.#worth(graph.weight(this.node), this.sum));
  }

  /** Worth if the tokens end here: a partial match counts for nothing. */
  finalValue(graph: PrefixGraph, history: GainHistory): number {
    const { fallback, fallbackEnd } = this;
    if (this.node !== 0) this.#confirm(graph, history);
    const value = this.locked + this.fallback;
    this.fallback = fallback;
    this.fallbackEnd = fallbackEnd;
    return value;
  }

  /** Reads a token whose unit gain is `gain`; `history` holds the tokens before it. */
  advance(walker: Walker, token: number, gain: number, history: GainHistory): void {
    const { graph, pieces } = walker;
    const before = this.node;
    if (before !== 0 && pieces.endsMatch[token] === 1) this.#confirm(graph, history);
    const step = walker.step(before, token);
    const node = walker.node[step]!;
    const length = pieces.length(token);
    const depth = walker.depth[step]!;
    if (node !== 0 && depth === graph.depth(before) + length) {
      this.sum += gain;
    } else {
      this.#lock();
      this.sum = node === 0 ? 0 : gain;
      if (depth > length) this.sum += history.sumBack(depth - length, this.lockedEnd);
    }
    this.node = node;
    this.tokens += 1;
  }

  /** A word ends after the tokens read: the entries that end here may become the fallback. */
  #confirm(graph: PrefixGraph, history: GainHistory): void {
    const { node } = this;
    const ends = graph.ends(node);
    // an entry that covers the match from its begin replaces what was confirmed within it, any other adds to that
    let best = ends ? this.#worth(graph.terminalWeight(node), this.sum) : -1;
    const paid = Math.max(this.fallbackEnd, this.lockedEnd);
    const first = ends && this.fallback > 0 ? node : graph.output(node);
    for (let end = first; end !== 0; end = graph.output(end)) {
      const gain = this.#worth(graph.terminalWeight(end), history.sumBack(graph.depth(end), paid));
      if (this.fallback + gain > best) best = this.fallback + gain;
    }
    if (best > this.fallback) {
      this.fallback = best;
      this.fallbackEnd = this.tokens;
    }
  }

  #worth(weight: number, sum: number): number {
    return weight * Math.max(0, sum - this.#toll);
  }

  /** The match that held the fallback is over. */
  #lock(): void {
    if (this.fallback === 0) return;
    this.locked += this.fallback;
    this.lockedEnd = this.fallbackEnd;
    this.fallback = 0;
  }
}

/** Reads a whole token sequence: the reference for what the decoder computes step by step. */
export function replayBias(
  graph: PrefixGraph,
  pieces: PieceTable,
  tokens: ArrayLike<number>,
  gains: ArrayLike<number>,
  toll = 0,
): { readonly value: number; readonly finalValue: number } {
  const state = new MatchState(toll);
  const history = new ArrayHistory(pieces, tokens, gains);
  const walker = new Walker(graph, pieces);
  for (let i = 0; i < tokens.length; i++) {
    history.end = i;
    state.advance(walker, tokens[i]!, gains[i]!, history);
  }
  history.end = tokens.length;
  return { value: state.value(graph), finalValue: state.finalValue(graph, history) };
}

/** History over plain arrays, of the tokens [0, end). */
export class ArrayHistory implements GainHistory {
  end = 0;
  readonly #pieces: PieceTable;
  readonly #tokens: ArrayLike<number>;
  readonly #gains: ArrayLike<number>;

  constructor(pieces: PieceTable, tokens: ArrayLike<number>, gains: ArrayLike<number>) {
    this.#pieces = pieces;
    this.#tokens = tokens;
    this.#gains = gains;
  }

  sumBack(symbols: number, notBefore: number): number {
    let sum = 0;
    let left = symbols;
    for (let i = this.end - 1; i >= notBefore && left > 0; i--) {
      sum += this.#gains[i]!;
      left -= this.#pieces.length(this.#tokens[i]!);
    }
    return sum;
  }
}
