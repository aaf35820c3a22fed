import { PieceTable } from '../biasing/alphabet.js';
import type { PrefixGraph } from '../biasing/prefix-graph.js';
import { logAdd } from '../util/log-add.js';
import { FrameScan } from './frame-scan.js';
import { LiveSet } from './live-set.js';
import type { BeamOptions } from './options.js';
import { NONE, type PrefixTree, ROOT } from './prefix-tree.js';
import { type ScoreOptions, Scores } from './scores.js';
import { Proposals, Slots, type TopList } from './slots.js';

export interface BeamSearchOptions extends Partial<BeamOptions>, ScoreOptions {
  /** Subword pieces by id, the blank not among them. */
  readonly pieces: readonly string[];
  /** Column of the blank in a row. */
  readonly blank: number;
}

/** How a search stands to the list. */
export interface ListUse {
  /** Whether the list counts; where it does not, what it would give is only kept beside each node. */
  readonly counts: boolean;
  /** For a search that goes on with what another one drops. */
  readonly raised?: {
    /** It takes each step first; its view of the row and the phones is shared. */
    readonly above: BeamSearch;
    /** Hypotheses kept per frame, none at times, and of those with the same future only the best. */
    readonly beam: number;
    /** Hypotheses at most that come from there in a frame. */
    readonly guests: number;
  };
}

/**
 * Frame-synchronous CTC prefix beam search (Hannun et al. 2014, algorithm 1) with vocabulary bias and word language
 * model. Invariants:
 * 1. A live hypothesis is a node of the prefix tree, and its bias, language model score and states lie there: all of
 *    them are functions of the token sequence (with the gaps of its tokens), the graph and the model.
 * 2. Bias takes part in what is tried and in what is kept, and is counted once: the acoustic scores never contain it.
 * 3. A token's gap is the smallest over the frames that made the extension, and fixed while the node has children.
 * 4. The work per frame depends on the beam and the pieces, not on the size of the vocabulary.
 * 5. Where the list does not count, it changes nothing but the nodes' bias and raise.
 */
export class BeamSearch {
  /** Extensions scored since construction: the unit of the search's cost. */
  proposals = 0;
  /** Absolute frame number of the next row. */
  frame = 0;
  /** Frames at the end in which blank was the best symbol. */
  blankRun = 0;
  readonly pieces: PieceTable;
  readonly scores: Scores;
  readonly hypotheses: LiveSet;
  /** The symbols of the frame that is being decoded. */
  readonly scan: FrameScan;
  /** What that frame proposes; of both lists the top list then names what is kept: slots first, then proposals. */
  readonly proposed: Proposals;
  /** The live hypotheses after that frame without a new token, in the same slots; guests behind them. */
  readonly stay: Slots;
  readonly #blank: number;
  readonly #beamThreshold: number;
  readonly #viterbi: boolean;
  readonly #counts: boolean;
  readonly #raised: boolean;

  constructor(options: BeamSearchOptions, { counts, raised }: ListUse = { counts: true }) {
    const {
      pieces,
      blank,
      // with language model and entries 8 costs 1 to 4 % WER, 32 gains 1 to 2 % for twice the time
      beam = 16,
      // between 10 and 24 neither words nor time change
      beamThreshold = 16,
      // 6 finds 5 % fewer of 100 names, 10 finds 1 % more
      tokenThreshold = 8,
      // 16 costs .2 % WER with entries
      maxTokens = 24,
    } = options;
    const width = raised?.beam ?? beam;
    this.pieces = new PieceTable(pieces);
    this.#blank = blank;
    this.#beamThreshold = beamThreshold;
    // With one hypothesis there is nothing to sum over, and the best path's prefix must stay on top.
    this.#viterbi = beam === 1;
    this.#counts = counts;
    this.#raised = raised !== undefined;
    this.hypotheses = new LiveSet(width);
    this.scores = new Scores(this.pieces, this.tree, options, raised?.above.scores.phoneRows);
    this.scan = raised?.above.scan ?? new FrameScan(this.pieces, blank, tokenThreshold, maxTokens);
    const guests = raised?.guests ?? 0;
    this.proposed = new Proposals(width * pieces.length + guests);
    this.stay = new Slots(width + guests);
    this.reset(0);
  }

  get tree(): PrefixTree {
    return this.hypotheses.tree;
  }

  /** Live hypotheses, best first. Another object after each frame. */
  get live(): Slots {
    return this.hypotheses.live;
  }

  /** After `rank`, what is kept. */
  get top(): TopList {
    return this.hypotheses.top;
  }

  /** Begins a new segment whose first row is the absolute frame `frame`. The graph stays. */
  reset(frame: number): void {
    this.scores.phoneRows?.clear(frame);
    this.restart(frame);
  }

  /** Begins the segment again, with the phones that were heard of it. */
  restart(frame: number): void {
    this.hypotheses.begin(frame);
    this.#began(frame);
  }

  /** Has no hypothesis any more; the next row is that of the absolute frame `frame`. */
  empty(frame: number): void {
    this.hypotheses.clear();
    this.#began(frame);
  }

  #began(frame: number): void {
    this.frame = frame;
    this.blankRun = 0;
    this.scores.begin();
  }

  /** From the next frame on `graph` holds; the live hypotheses are scored as if it had always been there. */
  setGraph(graph: PrefixGraph): void {
    if (graph === this.scores.bias.graph) return;
    this.scores.setGraph(graph);
    const { live } = this;
    const { top } = this.hypotheses;
    top.clear();
    for (let slot = 0; slot < live.count; slot++) {
      top.offer(slot, this.#total(live.node[slot]!, this.acoustic(slot)));
    }
    this.hypotheses.keepTop();
  }

  /**
   * Leaves one hypothesis: the tokens of a node, as it stood when the last of them had been emitted. The next row is
   * that of the frame behind it.
   */
  rewind(node: number, frame: number, logProb: number): void {
    this.hypotheses.rewind(node, frame, logProb);
    this.live.total[0] = this.#total(node, 0);
    this.frame = frame + 1;
    this.blankRun = 0;
  }

  /** Log-probability of all alignments of a hypothesis. */
  acoustic(slot: number): number {
    return this.#add(this.live.blank[slot]!, this.live.token[slot]!);
  }

  /** Decodes the row of log-probabilities that begins at `offset`. */
  step(rows: Float32Array, offset: number): void {
    this.begin(rows, offset);
    this.extend();
    this.rank();
    this.advance();
  }

  /** First part of a step: every hypothesis without a new token: a blank, or its last token held. */
  begin(rows: Float32Array, offset: number): void {
    this.scores.phoneRows?.hearUntil(this.frame + 1);
    if (!this.#raised) this.scan.read(rows, offset, this.scores.bias.reach);
    this.blankRun = this.scan.blankIsBest ? this.blankRun + 1 : 0;
    this.proposed.count = 0;
    const { live, stay } = this;
    const blank = rows[offset + this.#blank]!;
    stay.count = live.count;
    for (let slot = 0; slot < live.count; slot++) {
      const node = live.node[slot]!;
      const held = node === ROOT ? -Infinity : rows[offset + this.scan.column(this.tree.token[node]!)]!;
      stay.node[slot] = node;
      stay.blank[slot] = this.#add(live.blank[slot]!, live.token[slot]!) + blank;
      stay.blankFrame[slot] = live.frame(slot);
      stay.blankLogProb[slot] = live.logProb(slot);
      stay.token[slot] = live.token[slot]! + held;
      const peak = held > live.tokenLogProb[slot]!;
      stay.tokenFrame[slot] = peak ? this.frame : live.tokenFrame[slot]!;
      stay.tokenLogProb[slot] = peak ? held : live.tokenLogProb[slot]!;
    }
  }

  /** Between the first two parts: a hypothesis from outside, by its node, as it stands in a slot of `from`. */
  invite(node: number, from: Slots, slot: number): void {
    const { stay, tree } = this;
    const known = tree.slot[node]!;
    if (known !== NONE) {
      stay.blank[known] = this.#add(stay.blank[known]!, from.blank[slot]!);
      stay.token[known] = this.#add(stay.token[known]!, from.token[slot]!);
      return;
    }
    const to = stay.count++;
    stay.copy(to, from, slot);
    stay.node[to] = node;
    tree.slot[node] = to;
  }

  /** Second part: each hypothesis with each token that may follow it, into the one that this is already or as a proposal. */
  extend(): void {
    const { core, count, token, logProb } = this.scan;
    const { live, tree } = this;
    // only a list that counts has more tried
    const most = this.#counts ? count : core;
    for (let slot = 0; slot < live.count; slot++) {
      const node = live.node[slot]!;
      const last = node === ROOT ? NONE : tree.token[node]!;
      const sum = this.#add(live.blank[slot]!, live.token[slot]!);
      for (let i = 0; i < most; i++) {
        const next = token[i]!;
        if (i >= core && !this.scores.bias.continues(node, next)) continue;
        // the same token again is a new one only behind a blank
        const from = next === last ? live.blank[slot]! : sum;
        if (from === -Infinity) continue;
        this.offer(node, next, from + logProb[i]!, logProb[i]!, live.frame(slot), live.logProb(slot));
      }
    }
    this.proposals += this.proposed.count;
  }

  /**
   * A token more behind a node.
   * @param score log-probability of the alignments that end in it
   * @param logProb of the token in this frame
   * @param parentFrame frame of the node's last token in the best of them, with its log-probability
   */
  offer(
    node: number,
    token: number,
    score: number,
    logProb: number,
    parentFrame: number,
    parentLogProb: number,
  ): void {
    const child = this.tree.child(node, token);
    if (child !== NONE && this.tree.slot[child]! !== NONE) {
      this.#merge(child, score, logProb, parentFrame, parentLogProb);
      return;
    }
    const to = this.proposed;
    const i = to.count++;
    to.node[i] = node;
    to.child[i] = child;
    to.token[i] = token;
    to.score[i] = score;
    to.logProb[i] = logProb;
    to.parentFrame[i] = parentFrame;
    to.parentLogProb[i] = parentLogProb;
  }

  #merge(child: number, score: number, logProb: number, parentFrame: number, parentLogProb: number): void {
    const { stay, tree } = this;
    const to = tree.slot[child]!;
    if (score > stay.token[to]!) {
      stay.tokenFrame[to] = this.frame;
      stay.tokenLogProb[to] = logProb;
      if (tree.isLeaf(child)) {
        tree.parentFrame[child] = parentFrame;
        tree.parentLogProb[child] = parentLogProb;
      }
    }
    stay.token[to] = this.#add(stay.token[to]!, score);
    const gap = this.scan.best - logProb;
    if (gap < tree.gap[child]! && tree.isLeaf(child)) {
      tree.gap[child] = gap;
      this.scores.bias.update(child);
    }
  }

  /** Third part: chooses among stays and proposals by total score, those not above `floor` left out. */
  rank(floor = -Infinity): void {
    const { stay, proposed, top } = this;
    top.clear();
    for (let slot = 0; slot < stay.count; slot++) {
      const acoustic = this.#add(stay.blank[slot]!, stay.token[slot]!);
      stay.total[slot] = this.#total(stay.node[slot]!, acoustic);
      if (stay.total[slot]! > floor) this.#choose(slot, stay.total[slot]!);
    }
    this.scores.scoreWords(proposed);
    for (let i = 0; i < proposed.count; i++) {
      const gain = this.#counts ? this.scores.gainOf(proposed, i, this.scan.best) : 0;
      const least = Math.max(floor, top.floor, top.best - this.#beamThreshold);
      this.#rankProposal(i, proposed.score[i]! + proposed.lm[i]! + gain, least);
    }
    top.prune(this.#beamThreshold);
  }

  /** Phones last: they cost more than the rest, and one word more hardly ever raises their score. */
  #rankProposal(i: number, score: number, floor: number): void {
    const { proposed } = this;
    const { phones } = this.scores;
    let total = score;
    if (phones !== undefined) {
      const node = proposed.node[i]!;
      const child = proposed.child[i]!;
      total = score + phones.score(child === NONE ? node : child);
      if (child === NONE && total > floor) total = score + phones.extended(node, proposed.token[i]!);
    }
    proposed.total[i] = total;
    if (total > floor) this.#choose(this.stay.count + i, total);
  }

  /** Of raised hypotheses that go on alike only the best, since few have to find much. */
  #choose(id: number, total: number): void {
    const { top, stay, scores, proposed } = this;
    if (!this.#raised) {
      top.offer(id, total);
      return;
    }
    const i = id - stay.count;
    const node = i < 0 ? stay.node[id]! : proposed.child[i]!;
    top.offerDistinct(
      id,
      total,
      node === NONE ? scores.futureOf(proposed.node[i]!, proposed.token[i]!) : scores.future(node),
    );
  }

  /** Last part: makes what was chosen the live hypotheses. */
  advance(): void {
    const { stay, tree, top } = this;
    this.frame += 1;
    // a row without a finite number says nothing: as if it had not come
    if (top.count === 0 && !this.#raised) return;
    const { next } = this.hypotheses;
    for (let slot = 0; slot < stay.count; slot++) tree.slot[stay.node[slot]!] = NONE;
    for (let i = 0; i < top.count; i++) {
      const id = top.id[i]!;
      if (id < stay.count) next.copy(i, stay, id);
      else this.#admit(i, id - stay.count);
      next.total[i] = top.score[i]!;
      tree.slot[next.node[i]!] = i;
    }
    next.count = top.count;
    for (let slot = 0; slot < stay.count; slot++) tree.release(stay.node[slot]!);
    this.hypotheses.swap();
  }

  /** Puts a proposal into a slot of the next frame. */
  #admit(to: number, proposal: number): void {
    const { tree, proposed } = this;
    const { next } = this.hypotheses;
    const { node: parent, token, score, logProb, child, parentFrame, parentLogProb } = proposed;
    let node = child[proposal]!;
    if (node === NONE) {
      node = tree.add(parent[proposal]!, token[proposal]!);
      tree.gap[node] = this.scan.best - logProb[proposal]!;
      tree.parentFrame[node] = parentFrame[proposal]!;
      tree.parentLogProb[node] = parentLogProb[proposal]!;
      this.scores.update(node);
    }
    next.node[to] = node;
    next.blank[to] = -Infinity;
    next.blankFrame[to] = this.frame - 1;
    next.blankLogProb[to] = logProb[proposal]!;
    next.token[to] = score[proposal]!;
    next.tokenFrame[to] = this.frame - 1;
    next.tokenLogProb[to] = logProb[proposal]!;
  }

  #total(node: number, acoustic: number): number {
    const { scores } = this;
    return acoustic + scores.plain(node) + (this.#counts ? scores.gain(node) : 0);
  }

  /** Log of the sum of two probabilities; of the larger one in the best-path search. */
  #add(a: number, b: number): number {
    return this.#viterbi ? Math.max(a, b) : logAdd(a, b);
  }
}
