import type { PieceTable } from '../biasing/alphabet.js';
import { type GainHistory, MatchState } from '../biasing/match.js';
import { PrefixGraph } from '../biasing/prefix-graph.js';
import { Walker } from '../biasing/walker.js';
import type { BiasOptions } from './options.js';
import { type PrefixTree, ROOT } from './prefix-tree.js';

/** Scores the nodes of a prefix tree against a vocabulary's graph. */
export class BiasScorer {
  /** How far below the frame's best a subword may lie and still be tried; -1 without a vocabulary. */
  reach = -1;
  /** Log-probability of one word of the vocabulary among all of its words, taken as equally likely; none without one. */
  wordShare = -Infinity;
  readonly #pieces: PieceTable;
  readonly #tree: PrefixTree;
  readonly #options: BiasOptions;
  #state = new MatchState();
  readonly #history: TreeHistory;
  #graph = PrefixGraph.empty;
  readonly #walker: Walker;
  /** Node that each piece reaches from the root. */
  readonly #startNode: Int32Array;
  /** The weight there; 0 where no entry begins so. */
  readonly #startWeight: Float64Array;
  /** Unit gain of each piece, were it as far from the frame's best as counts. */
  readonly #mostGain: Float64Array;
  #toll = 0;
  #heaviest = 0;

  constructor(
    pieces: PieceTable,
    tree: PrefixTree,
    // Tuned on the dev sets with the language model and a beam of 32. 150 synthetic sentences with names, the list being
    // the sentence's own and 100, 1,000, 10,000 others: F1 of names 9 -> 91, 77, 61 %, WER 34.0 -> 9.5, 16.3, 22.6 %.
    // 100 native ones, LibriSpeech's rare words being the names: 28 -> 74, 56, 37 %, 36.3 -> 31.9, 33.8, 36.2 %.
    // Native speech with entries that nobody says, 1,000 and 10,000: WER + .6 and + 1.1 (with a beam of 16 + 0 and + .5).
    // The variants below were measured one at a time with the language model, the first four at toll 4, freeEntries 30.
    {
      // per symbol; .8 finds 14 % fewer names among 1,000, 1.6 finds 5 % more and triples what unspoken entries cost
      base = 1.2,
      // half of the distance; .3 finds 3 % fewer names among 1,000, .7 triples what unspoken entries cost
      lambda = 0.5,
      // what lies further below has little claim to having been said; 8 costs .2 % WER on unspoken entries
      gapCap = 5,
      // 8 tries more, finds no more names and costs .2 % WER on unspoken entries
      biasGap = 4,
      // without it 1,000 unspoken entries cost 7 to 9 % WER; 2 costs 1 % more there than 2.3
      toll = 2.3,
      // With 30 and a toll of 4, which is as much at 1,000 entries, 100 names cost 1 % WER of the other words in native
      // speech, now .1 to .5, and 10,000 find 5 % fewer names.
      freeEntries = 3,
    }: Partial<BiasOptions> = {},
  ) {
    this.#pieces = pieces;
    this.#tree = tree;
    this.#options = { base, lambda, gapCap, biasGap, toll, freeEntries };
    this.#history = new TreeHistory(pieces, tree);
    this.#startNode = new Int32Array(pieces.size);
    this.#startWeight = new Float64Array(pieces.size);
    this.#mostGain = Float64Array.from(pieces.pieces, (_, piece) => this.#gain(piece, Infinity));
    this.#walker = new Walker(PrefixGraph.empty, pieces);
  }

  get graph(): PrefixGraph {
    return this.#graph;
  }

  /** Symbols of the partial match at a node. */
  matched(node: number): number {
    return this.#graph.depth(this.#tree.matchNode[node]!);
  }

  /** Symbols of the partial match after a node and one more token. */
  matchedAfter(node: number, token: number): number {
    const at = this.#tree.matchNode[node]!;
    if (at === 0) return this.#graph.depth(this.#startNode[token]!);
    return this.#walker.depth[this.#walker.step(at, token)]!;
  }

  /** Graph node after a node and one more token. */
  nodeAfter(node: number, token: number): number {
    const at = this.#tree.matchNode[node]!;
    return at === 0 ? this.#startNode[token]! : this.#walker.node[this.#walker.step(at, token)]!;
  }

  /** Enters a new graph: every node's state is computed again from the begin of the segment. */
  setGraph(graph: PrefixGraph): void {
    this.#graph = graph;
    this.#walker.setGraph(graph);
    const { toll, freeEntries } = this.#options;
    this.#heaviest = graph.weight(ROOT);
    this.#toll = toll * Math.max(0, Math.log10(graph.entries / freeEntries));
    this.#state = new MatchState(this.#toll);
    this.wordShare = graph.isEmpty ? -Infinity : -Math.log(graph.words);
    this.reach = graph.isEmpty ? -1 : this.#options.biasGap;
    for (let piece = 0; piece < this.#pieces.size; piece++) {
      const node = graph.walk(0, this.#pieces, piece);
      this.#startNode[piece] = node;
      this.#startWeight[piece] = node === 0 ? 0 : graph.weight(node);
    }
    const tree = this.#tree;
    for (let node = tree.next(ROOT); node >= 0; node = tree.next(node)) this.update(node);
  }

  /** Whether a token begins or continues an entry after a node. */
  continues(node: number, token: number): boolean {
    if (this.#startNode[token] !== 0) return true;
    const at = this.#tree.matchNode[node]!;
    return at !== 0 && this.#walker.node[this.#walker.step(at, token)] !== 0;
  }

  /**
   * Bias after a node and one more token, which lay `gap` below the frame's best. What most extensions do to a match,
   * beginning one, going on with it within a word or breaking it there, needs no MatchState: see there for why.
   */
  extended(node: number, token: number, gap: number): number {
    if (this.reach < 0) return 0;
    const tree = this.#tree;
    const locked = tree.locked[node]!;
    const at = tree.matchNode[node]!;
    if (at === 0) {
      const weight = this.#startWeight[token]!;
      return weight === 0 ? locked : locked + weight * Math.max(0, this.#gain(token, gap) - this.#toll);
    }
    const walker = this.#walker;
    const step = walker.step(at, token);
    // else an entry may have come to its end
    if (this.#pieces.endsMatch[token] === 0 || walker.endless[step] === 1) {
      const fallback = tree.fallback[node]!;
      if (walker.node[step] === 0) return locked + fallback;
      const gain = this.#gain(token, gap);
      const length = this.#pieces.length(token);
      const depth = walker.depth[step]!;
      const weight = walker.weight[step]!;
      if (depth === this.#graph.depth(at) + length) {
        return locked + Math.max(fallback, weight * Math.max(0, tree.matchSum[node]! + gain - this.#toll));
      }
      if (depth === length) return locked + fallback + weight * Math.max(0, gain - this.#toll);
    }
    this.#load(node);
    this.#advance(token, this.#gain(token, gap));
    return this.#state.value(this.#graph);
  }

  /** A bound of `extended` that costs little. */
  most(node: number, token: number): number {
    const { locked, fallback, matchSum } = this.#tree;
    const sum = matchSum[node]! + this.#mostGain[token]! - this.#toll;
    return locked[node]! + fallback[node]! + (sum > 0 ? this.#heaviest * sum : 0);
  }

  /** Computes the state of a node from that of its parent and the node's gap. */
  update(node: number): void {
    const tree = this.#tree;
    const token = tree.token[node]!;
    const parent = tree.parent[node]!;
    tree.gain[node] = this.#gain(token, tree.gap[node]!);
    // where nothing is matched before and behind it, which is so of most, nothing changes
    if (tree.matchNode[parent] === 0 && tree.fallback[parent] === 0 && this.#startNode[token] === 0) {
      tree.matchNode[node] = 0;
      tree.matchSum[node] = 0;
      tree.fallback[node] = 0;
      tree.fallbackEnd[node] = tree.fallbackEnd[parent]!;
      tree.locked[node] = tree.locked[parent]!;
      tree.lockedEnd[node] = tree.lockedEnd[parent]!;
      tree.bias[node] = tree.locked[parent]!;
      return;
    }
    const state = this.#state;
    this.#load(parent);
    if (this.reach >= 0) this.#advance(token, tree.gain[node]!);
    else state.clear();
    tree.matchNode[node] = state.node;
    tree.matchSum[node] = state.sum;
    tree.fallback[node] = state.fallback;
    tree.fallbackEnd[node] = state.fallbackEnd;
    tree.locked[node] = state.locked;
    tree.lockedEnd[node] = state.lockedEnd;
    tree.bias[node] = state.value(this.#graph);
  }

  /** Bias of a node if the segment ends here. */
  finished(node: number): number {
    this.#load(node);
    return this.#state.finalValue(this.#graph, this.#history);
  }

  #advance(token: number, gain: number): void {
    this.#state.advance(this.#walker, token, gain, this.#history);
  }

  #gain(token: number, gap: number): number {
    const { base, lambda, gapCap } = this.#options;
    return base * this.#pieces.length(token) + lambda * Math.min(gap, gapCap);
  }

  #load(node: number): void {
    const tree = this.#tree;
    const state = this.#state;
    state.node = tree.matchNode[node]!;
    state.sum = tree.matchSum[node]!;
    state.fallback = tree.fallback[node]!;
    state.fallbackEnd = tree.fallbackEnd[node]!;
    state.locked = tree.locked[node]!;
    state.lockedEnd = tree.lockedEnd[node]!;
    state.tokens = tree.depth[node]!;
    this.#history.node = node;
  }
}

/** The gains along the path to a node. */
class TreeHistory implements GainHistory {
  node = ROOT;
  readonly #pieces: PieceTable;
  readonly #tree: PrefixTree;

  constructor(pieces: PieceTable, tree: PrefixTree) {
    this.#pieces = pieces;
    this.#tree = tree;
  }

  sumBack(symbols: number, notBefore: number): number {
    const { token, parent, depth, gain } = this.#tree;
    let sum = 0;
    let at = this.node;
    for (let left = symbols; left > 0 && depth[at]! > notBefore; at = parent[at]!) {
      sum += gain[at]!;
      left -= this.#pieces.length(token[at]!);
    }
    return sum;
  }
}
