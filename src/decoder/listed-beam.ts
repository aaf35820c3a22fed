import type { PrefixGraph } from '../biasing/prefix-graph.js';
import type { BiasGain } from './explanation.js';
import {
  type DecodedToken,
  gainsOf,
  type Hypothesis,
  hypothesisOf,
  sharedLength,
  tokensAt,
} from './hypothesis.js';
import { BeamSearch, type BeamSearchOptions } from './search.js';

/** Hypotheses of a frame that the plain beam drops and the list may raise, at most; the others are lost. */
const MAX_GUESTS = 256;

/**
 * The beam with the list, kept as what it has beyond the beam without it. A hypothesis of the plain beam has the same
 * acoustic scores with the list, so for those the list only adds its gain; a search of its own, a narrow one, goes on
 * with hypotheses that the plain beam drops and that the list raises above what is kept there. While nothing said
 * resembles an entry there are none, and the list costs next to nothing.
 *
 * The plain search is not touched by this: it stays to the last digit that of a session without a list.
 */
export class ListedBeam {
  readonly #plain: BeamSearch;
  readonly #raised: BeamSearch;
  /** How far below the best hypothesis a raised one may lie. */
  readonly #distance: number;
  /** Proposals and stays of the plain search that it keeps, by their ids. */
  readonly #kept: Uint8Array;
  /** Nodes that were made for guests in this frame. */
  readonly #grafted: number[] = [];

  /** @param plain a search for which the list does not count */
  constructor(plain: BeamSearch, options: BeamSearchOptions) {
    // 85 native utterances, subwords alone, own rare words among 1,000 others: F1 75.6 % (before, with a whole second
    // beam: 74.1); 24 within 6 73.7, 16 within 5 72.2, 64 within 8 75.7; 32 and 16 within 12 without merging those with
    // the same future: 73.8 and 72.6. A frame with 10,000 entries then takes 1.7, 1.6, 1.5 and 2.0 times what it takes
    // without a list (before: 2.1).
    const { raised = 32, raisedDistance = 8, beam = 16 } = options;
    this.#plain = plain;
    this.#distance = raisedDistance;
    this.#raised = new BeamSearch(options, {
      counts: true,
      raised: { above: plain, beam: Math.min(raised, beam), guests: MAX_GUESTS },
    });
    this.#kept = new Uint8Array(beam * (options.pieces.length + 1));
    this.#raised.empty(0);
  }

  /** Token sequences held in memory beside those of the plain search. */
  get nodes(): number {
    return this.#raised.tree.size;
  }

  /** Nothing is raised; the next row is that of the absolute frame `frame`. */
  empty(frame: number): void {
    this.#raised.empty(frame);
  }

  /** From the next frame on `graph` holds; the plain search has it already. */
  setGraph(graph: PrefixGraph): void {
    this.#raised.setGraph(graph);
  }

  /** Decodes a row in both searches. */
  step(rows: Float32Array, offset: number): void {
    const plain = this.#plain;
    const raised = this.#raised;
    plain.begin(rows, offset);
    plain.extend();
    plain.rank();
    if (plain.top.count > 0) {
      this.#dropTwins();
      raised.begin(rows, offset);
      const floor = this.#invite();
      raised.rank(floor);
      // makes use of nodes of the plain search that it may now free
      raised.advance();
      for (const node of this.#grafted) raised.tree.release(node);
      this.#grafted.length = 0;
    } else raised.frame += 1;
    plain.advance();
  }

  /** The best hypothesis as it stands; an entry that its tokens complete, or may yet complete, counts. */
  best(): Hypothesis {
    const { search, slot } = this.#leader();
    return hypothesisOf(search, slot, { listed: true, ended: false });
  }

  /** Symbols at the end of the best hypothesis that begin an entry. */
  matched(): number {
    const { search, slot } = this.#leader();
    return search.scores.bias.matched(search.live.node[slot]!);
  }

  /** Whether the best hypothesis has a token. */
  get heard(): boolean {
    const { search, slot } = this.#leader();
    return search.tree.depth[search.live.node[slot]!]! > 0;
  }

  /** Frames since the best hypothesis last emitted a token, blank having been the best symbol of each. */
  trailingBlankFrames(): number {
    const { search, slot } = this.#leader();
    return Math.min(this.#plain.blankRun, this.#plain.frame - 1 - search.live.frame(slot));
  }

  /** The `n` best hypotheses with the scores of the segment's end, best first. */
  finish(n: number): readonly Hypothesis[] {
    const ended: Hypothesis[] = [];
    for (const search of [this.#plain, this.#raised]) {
      for (let slot = 0; slot < search.live.count; slot++) {
        ended.push(hypothesisOf(search, slot, { listed: true, ended: true }));
      }
    }
    const best: Hypothesis[] = [];
    for (const each of ended.sort((a, b) => b.score - a.score)) {
      if (best.length === n) break;
      if (!best.some((other) => sameTokens(other.tokens, each.tokens))) best.push(each);
    }
    return best;
  }

  /** What the list gave to a hypothesis that `finish` returned. */
  gains(hypothesis: Hypothesis): readonly BiasGain[] {
    return gainsOf(this.#raised, hypothesis) ?? gainsOf(this.#plain, hypothesis) ?? [];
  }

  /** Of tokens that all hypotheses of the plain search begin with, those that the raised ones begin with too. */
  stable(tokens: readonly DecodedToken[]): readonly DecodedToken[] {
    let shared = tokens;
    for (let slot = 0; slot < this.#raised.live.count; slot++) {
      shared = shared.slice(0, sharedLength(shared, tokensAt(this.#raised, slot)));
    }
    return shared;
  }

  /**
   * Drops the hypotheses that do not begin with these tokens, if any does.
   * @param known whether hypotheses of the plain search do
   */
  commit(first: readonly DecodedToken[], known: boolean): void {
    const raised = this.#raised;
    const slot = raised.hypotheses.slotBeginning(first);
    if (slot >= 0) raised.hypotheses.keepBelow(raised.tree.ancestor(raised.live.node[slot]!, first.length));
    else if (known) raised.empty(raised.frame);
  }

  /**
   * Goes back to where tokens had been emitted.
   * @param known whether the plain search has them, and went back there
   */
  rewind(first: readonly DecodedToken[], known: boolean): void {
    const raised = this.#raised;
    const { frame } = first.at(-1)!;
    const slot = known ? -1 : raised.hypotheses.slotBeginning(first);
    if (slot < 0) {
      raised.empty(frame + 1);
      return;
    }
    const { logProb } = tokensAt(raised, slot)[first.length - 1]!;
    raised.rewind(raised.tree.ancestor(raised.live.node[slot]!, first.length), frame, logProb);
  }

  /** Where the best hypothesis is. */
  #leader(): { readonly search: BeamSearch; readonly slot: number } {
    const plain = this.#plain;
    const { live } = plain;
    let slot = 0;
    let best = -Infinity;
    for (let i = 0; i < live.count; i++) {
      const score = live.total[i]! + plain.scores.gain(live.node[i]!);
      if (score > best) {
        best = score;
        slot = i;
      }
    }
    const raised = this.#raised.live;
    if (raised.count > 0 && raised.total[0]! > best) return { search: this.#raised, slot: 0 };
    return { search: plain, slot };
  }

  /** A sequence that the plain search has come to as well is raised no more, where it stands no worse there. */
  #dropTwins(): void {
    const plain = this.#plain;
    const raised = this.#raised;
    if (raised.live.count === 0) return;
    const { key, depth } = raised.tree;
    raised.hypotheses.keepWhere((slot) => {
      const node = raised.live.node[slot]!;
      for (let i = 0; i < plain.live.count; i++) {
        const twin = plain.live.node[i]!;
        if (plain.tree.key[twin] !== key[node] || plain.tree.depth[twin] !== depth[node]) continue;
        return raised.live.total[slot]! > plain.live.total[i]! + plain.scores.gain(twin);
      }
      return true;
    });
  }

  /**
   * What the plain search drops in this frame and the list raises joins the raised ones, which go on.
   * @returns the score above which a raised hypothesis counts
   */
  #invite(): number {
    const plain = this.#plain;
    const { stay, proposed, top } = plain;
    let best = -Infinity;
    let least = Infinity;
    for (let slot = 0; slot < stay.count; slot++) {
      const gain = plain.scores.gain(stay.node[slot]!);
      best = Math.max(best, stay.total[slot]! + gain);
      least = Math.min(least, gain);
    }
    const floor = Math.max(best - this.#distance, top.score[top.count - 1]! + least);
    const kept = this.#kept.fill(0, 0, stay.count + proposed.count);
    for (let i = 0; i < top.count; i++) kept[top.id[i]!] = 1;
    for (let slot = 0; slot < stay.count; slot++) {
      const gain = plain.scores.gain(stay.node[slot]!);
      if (kept[slot] === 1 || gain <= least || stay.total[slot]! + gain <= floor) continue;
      this.#raised.invite(this.#graft(stay.node[slot]!), stay, slot);
    }
    this.#raised.extend();
    this.#inviteProposals(floor, least);
    return floor;
  }

  /** Few can come that far: that is asked first, by bounds that cost little. */
  #inviteProposals(floor: number, least: number): void {
    const plain = this.#plain;
    const { proposed } = plain;
    const { words, bias } = plain.scores;
    const { startsWord } = plain.pieces;
    const { node, token, lm, total, count } = proposed;
    const { raise } = plain.tree;
    const kept = this.#kept;
    const first = plain.stay.count;
    // of the node at hand, by whether the token begins a word
    let last = -1;
    const most = [Number.NaN, Number.NaN];
    let guests = 0;
    for (let i = 0; i < count && guests < MAX_GUESTS; i++) {
      if (kept[first + i] === 1) continue;
      const parent = node[i]!;
      if (parent !== last) {
        last = parent;
        most[0] = Number.NaN;
        most[1] = Number.NaN;
      }
      const without = total[i]! + bias.most(parent, token[i]!);
      if (words !== undefined) {
        const begins = startsWord[token[i]!]!;
        if (Number.isNaN(most[begins]!)) most[begins] = words.mostRaised(parent, begins === 1);
        if (without + Math.max(raise[parent]!, most[begins]! - lm[i]!) <= floor) continue;
      } else if (without <= floor) continue;
      const gain = plain.scores.gainOf(proposed, i, plain.scan.best);
      if (gain <= least || total[i]! + gain <= floor) continue;
      this.#inviteProposal(i);
      guests += 1;
    }
  }

  #inviteProposal(i: number): void {
    const raised = this.#raised;
    const { node, token, score, logProb, parentFrame, parentLogProb } = this.#plain.proposed;
    const grafted = this.#graft(node[i]!);
    // what lives on both sides goes on by itself
    if (raised.tree.slot[grafted]! >= 0) return;
    raised.offer(grafted, token[i]!, score[i]!, logProb[i]!, parentFrame[i]!, parentLogProb[i]!);
  }

  /** The raised search's node of a sequence of the plain one. */
  #graft(node: number): number {
    const plain = this.#plain;
    const raised = this.#raised;
    const grafted = raised.tree.graft(plain.tree, node, (made, from) =>
      raised.scores.graft(made, plain.scores, from),
    );
    this.#grafted.push(grafted);
    return grafted;
  }
}

function sameTokens(a: readonly DecodedToken[], b: readonly DecodedToken[]): boolean {
  return a.length === b.length && sharedLength(a, b) === a.length;
}
