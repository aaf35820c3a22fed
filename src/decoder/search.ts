import { PieceTable } from '../biasing/alphabet.js';
import type { PrefixGraph } from '../biasing/prefix-graph.js';
import { logAdd } from '../util/log-add.js';
import { BiasScorer } from './bias-scorer.js';
import { FrameScan } from './frame-scan.js';
import type { LanguageModel } from './language-model.js';
import type { BeamOptions } from './options.js';
import type { PhoneLabels } from './phone-front.js';
import { PhoneRows } from './phone-rows.js';
import { PhoneScorer } from './phone-scorer.js';
import { NONE, PrefixTree, ROOT } from './prefix-tree.js';
import { Proposals, Slots, TopList } from './slots.js';
import { WordScorer } from './word-scorer.js';

/** What phonetic rescoring needs. */
export interface PhoneOptions {
  /** Label of each output of the phone head, 0 being the blank. */
  readonly labels: Uint8Array;
  /** Pronunciations of a word in lower case, in these labels. */
  readonly pronounce: (word: string) => readonly PhoneLabels[];
}

export interface BeamSearchOptions extends Partial<BeamOptions> {
  /** Subword pieces by id, the blank not among them. */
  readonly pieces: readonly string[];
  /** Column of the blank in a row. */
  readonly blank: number;
  readonly languageModel?: LanguageModel | undefined;
  readonly phones?: PhoneOptions | undefined;
}

/**
 * Frame-synchronous CTC prefix beam search (Hannun et al. 2014, algorithm 1) with vocabulary bias and word language
 * model. Invariants:
 * 1. A live hypothesis is a node of the prefix tree, and its bias, language model score and states lie there: all of
 *    them are functions of the token sequence (with the gaps of its tokens), the graph and the model.
 * 2. Bias takes part in what is tried and in what is kept, and is counted once: the acoustic scores never contain it.
 * 3. A token's gap is the smallest over the frames that made the extension, and fixed while the node has children.
 * 4. The work per frame depends on the beam and the pieces, not on the size of the vocabulary.
 */
export class BeamSearch {
  /** Extensions scored since construction: the unit of the search's cost. */
  proposals = 0;
  /** Absolute frame number of the next row. */
  frame = 0;
  /** Frames at the end in which blank was the best symbol. */
  blankRun = 0;
  readonly tree = new PrefixTree();
  readonly pieces: PieceTable;
  readonly bias: BiasScorer;
  readonly words: WordScorer | undefined;
  readonly phones: PhoneScorer | undefined;
  readonly phoneRows: PhoneRows | undefined;
  readonly #blank: number;
  readonly #beamThreshold: number;
  readonly #viterbi: boolean;
  readonly #scan: FrameScan;
  readonly #top: TopList;
  readonly #proposed: Proposals;
  #live: Slots;
  /** The live hypotheses after the frame without a new token, in the same slots. */
  readonly #stay: Slots;
  #next: Slots;

  constructor(options: BeamSearchOptions) {
    const {
      pieces,
      blank,
      languageModel,
      phones,
      // with language model and entries 8 costs 1 to 4 % WER, 32 gains 1 to 2 % for twice the time
      beam = 16,
      // between 10 and 24 neither words nor time change
      beamThreshold = 16,
      // 6 finds 5 % fewer of 100 names, 10 finds 1 % more
      tokenThreshold = 8,
      // 16 costs .2 % WER with entries
      maxTokens = 24,
      bias = {},
      // Tuned together on the dev sets at beam 64 (every second native utterance, 150 synthetic sentences with 100 names):
      // 23.3 and 9.4 % WER; with .7, 2, -3: 23.4 and 9.7; with 1, 1, -1.5 words that are not listed were so cheap that
      // words grew together ("araoaps") and others went missing.
      lmWeight = 0.65,
      wordBonus = 2,
      entryWords = true,
      unlistedLetter = -4,
      // The gateway's beam, 150 native utterances and 150 synthetic sentences with 100 names: WER 22.8 and 9.2 % without,
      // 21.4 and 9.6 with .1, 20.5 and 9.4 with .2, 21.0 and 10.4 with .3; F1 of the names 78.9 and 91.0, with .2 84.3 and
      // 91.4. Only at a segment's end, on the 32 best: 21.2 and 9.5.
      phoneWeight = 0.2,
    } = options;
    const table = new PieceTable(pieces);
    this.pieces = table;
    this.#blank = blank;
    this.#beamThreshold = beamThreshold;
    // With one hypothesis there is nothing to sum over, and the best path's prefix must stay on top.
    this.#viterbi = beam === 1;
    this.bias = new BiasScorer(table, this.tree, bias);
    if (languageModel !== undefined) {
      this.words = new WordScorer({
        model: languageModel,
        pieces: table,
        tree: this.tree,
        bias: this.bias,
        weight: lmWeight,
        bonus: wordBonus,
        entryWords,
        unlistedLetter,
      });
    }
    if (phones !== undefined) {
      this.phoneRows = new PhoneRows(phones.labels);
      if (phoneWeight > 0)
        this.phones = new PhoneScorer({
          pieces: table,
          tree: this.tree,
          rows: this.phoneRows,
          pronounce: phones.pronounce,
          weight: phoneWeight,
        });
    }
    this.#scan = new FrameScan(table, blank, tokenThreshold, maxTokens);
    this.#top = new TopList(beam);
    this.#proposed = new Proposals(beam * pieces.length);
    this.#live = new Slots(beam);
    this.#stay = new Slots(beam);
    this.#next = new Slots(beam);
    this.reset(0);
  }

  /** Live hypotheses, best first. Another object after each frame. */
  get live(): Slots {
    return this.#live;
  }

  /** Becomes equal to another search with the same options and phones. Neither may have a vocabulary. */
  copyFrom(other: BeamSearch): void {
    this.frame = other.frame;
    this.blankRun = other.blankRun;
    this.tree.copyFrom(other.tree);
    this.#live.count = other.#live.count;
    for (let slot = 0; slot < other.#live.count; slot++) this.#live.copy(slot, other.#live, slot);
    this.phoneRows?.hearUntil(this.frame);
    if (other.phones !== undefined) this.phones?.copyFrom(other.phones);
  }

  /** Begins a new segment whose first row is the absolute frame `frame`. The graph stays. */
  reset(frame: number): void {
    this.phoneRows?.clear(frame);
    this.restart(frame);
  }

  /** Begins the segment again, with the phones that were heard of it. */
  restart(frame: number): void {
    this.frame = frame;
    this.blankRun = 0;
    this.tree.clear();
    this.tree.slot[ROOT] = 0;
    this.words?.begin();
    this.phones?.begin();
    const live = this.#live;
    live.count = 1;
    live.node[0] = ROOT;
    live.total[0] = 0;
    live.blank[0] = 0;
    live.blankFrame[0] = frame - 1;
    live.blankLogProb[0] = 0;
    live.token[0] = -Infinity;
    live.tokenFrame[0] = frame - 1;
    live.tokenLogProb[0] = 0;
  }

  /** From the next frame on `graph` holds; the live hypotheses are scored as if it had always been there. */
  setGraph(graph: PrefixGraph): void {
    if (graph === this.bias.graph) return;
    this.bias.setGraph(graph);
    this.words?.begin();
    for (let at = this.tree.next(ROOT); at >= 0; at = this.tree.next(at)) this.words?.update(at);
    const { node, count, total, blank, token } = this.#live;
    this.#top.clear();
    for (let slot = 0; slot < count; slot++) {
      total[slot] = this.#total(node[slot]!, this.#add(blank[slot]!, token[slot]!));
      this.#top.offer(slot, total[slot]!);
    }
    this.#keepTop();
  }

  /** Drops the hypotheses that do not begin with the tokens of a node. */
  keepBelow(ancestor: number): void {
    const { node, count, total } = this.#live;
    const depth = this.tree.depth[ancestor]!;
    this.#top.clear();
    for (let slot = 0; slot < count; slot++) {
      if (this.tree.ancestor(node[slot]!, depth) === ancestor) this.#top.offer(slot, total[slot]!);
    }
    this.#keepTop();
  }

  /**
   * Leaves one hypothesis: the tokens of a node, as it stood when the last of them had been emitted. The next row is
   * that of the frame behind it. Acoustic scores then begin from there.
   */
  rewind(node: number, frame: number, logProb: number): void {
    const live = this.#live;
    const tree = this.tree;
    const before = Array.from({ length: live.count }, (_, slot) => live.node[slot]!);
    for (const each of before) tree.slot[each] = NONE;
    tree.slot[node] = 0;
    live.count = 1;
    live.node[0] = node;
    live.total[0] = this.#total(node, 0);
    live.blank[0] = -Infinity;
    live.blankFrame[0] = frame;
    live.blankLogProb[0] = logProb;
    live.token[0] = 0;
    live.tokenFrame[0] = frame;
    live.tokenLogProb[0] = logProb;
    for (const each of before) tree.release(each);
    this.frame = frame + 1;
    this.blankRun = 0;
  }

  /** Log-probability of all alignments of a hypothesis. */
  acoustic(slot: number): number {
    return this.#add(this.#live.blank[slot]!, this.#live.token[slot]!);
  }

  /** Slot of a hypothesis that begins with these tokens, or -1. */
  slotBeginning(tokens: readonly { readonly token: number }[]): number {
    const { node, count } = this.#live;
    const { depth, token, parent } = this.tree;
    for (let slot = 0; slot < count; slot++) {
      if (depth[node[slot]!]! < tokens.length) continue;
      let at = this.tree.ancestor(node[slot]!, tokens.length);
      let same = tokens.length;
      while (same > 0 && token[at] === tokens[same - 1]!.token) {
        at = parent[at]!;
        same -= 1;
      }
      if (same === 0) return slot;
    }
    return -1;
  }

  /** Decodes the row of log-probabilities that begins at `offset`. */
  step(rows: Float32Array, offset: number): void {
    this.phoneRows?.hearUntil(this.frame + 1);
    this.#scan.read(rows, offset, this.bias.reach);
    this.blankRun = this.#scan.blankIsBest ? this.blankRun + 1 : 0;
    this.#stayOn(rows, offset);
    this.#proposed.count = 0;
    for (let slot = 0; slot < this.#live.count; slot++) this.#extend(slot);
    this.proposals += this.#proposed.count;
    this.#rank();
    this.#advance();
    this.frame += 1;
  }

  /** Every hypothesis without a new token: a blank, or its last token held. */
  #stayOn(rows: Float32Array, offset: number): void {
    const live = this.#live;
    const stay = this.#stay;
    const blank = rows[offset + this.#blank]!;
    stay.count = live.count;
    for (let slot = 0; slot < live.count; slot++) {
      const node = live.node[slot]!;
      const held = node === ROOT ? -Infinity : rows[offset + this.#scan.column(this.tree.token[node]!)]!;
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

  /** One hypothesis and each token that may follow it: into the hypothesis that this is already, or as a proposal. */
  #extend(slot: number): void {
    const { core, count, token, logProb } = this.#scan;
    const live = this.#live;
    const node = live.node[slot]!;
    const last = node === ROOT ? NONE : this.tree.token[node]!;
    const sum = this.#add(live.blank[slot]!, live.token[slot]!);
    for (let i = 0; i < count; i++) {
      const next = token[i]!;
      if (i >= core && !this.bias.continues(node, next)) continue;
      // the same token again is a new one only behind a blank
      const from = next === last ? live.blank[slot]! : sum;
      if (from === -Infinity) continue;
      const child = this.tree.child(node, next);
      const score = from + logProb[i]!;
      if (child !== NONE && this.tree.slot[child]! !== NONE) this.#merge(slot, child, score, logProb[i]!);
      else this.#propose(slot, child, next, score, logProb[i]!);
    }
  }

  #merge(slot: number, child: number, score: number, logProb: number): void {
    const stay = this.#stay;
    const tree = this.tree;
    const to = tree.slot[child]!;
    if (score > stay.token[to]!) {
      stay.tokenFrame[to] = this.frame;
      stay.tokenLogProb[to] = logProb;
      if (tree.isLeaf(child)) {
        tree.parentFrame[child] = this.#live.frame(slot);
        tree.parentLogProb[child] = this.#live.logProb(slot);
      }
    }
    stay.token[to] = this.#add(stay.token[to]!, score);
    const gap = this.#scan.best - logProb;
    if (gap < tree.gap[child]! && tree.isLeaf(child)) {
      tree.gap[child] = gap;
      this.bias.update(child);
    }
  }

  #propose(slot: number, child: number, token: number, score: number, logProb: number): void {
    const to = this.#proposed;
    const i = to.count++;
    to.slot[i] = slot;
    to.child[i] = child;
    to.token[i] = token;
    to.score[i] = score;
    to.logProb[i] = logProb;
    to.parentFrame[i] = this.#live.frame(slot);
    to.parentLogProb[i] = this.#live.logProb(slot);
  }

  /** Chooses among stays and proposals by total score. Ids: slots first, then proposals. */
  #rank(): void {
    const stay = this.#stay;
    const top = this.#top;
    const tree = this.tree;
    top.clear();
    for (let slot = 0; slot < stay.count; slot++) {
      const acoustic = this.#add(stay.blank[slot]!, stay.token[slot]!);
      stay.total[slot] = this.#total(stay.node[slot]!, acoustic);
      top.offer(slot, stay.total[slot]!);
    }
    const { count, slot, token, score, logProb, child } = this.#proposed;
    for (let i = 0; i < count; i++) {
      const node = this.#live.node[slot[i]!]!;
      const bias =
        child[i] !== NONE
          ? tree.bias[child[i]!]!
          : this.bias.extended(node, token[i]!, this.#scan.best - logProb[i]!);
      const lm = this.words?.extended(node, token[i]!) ?? 0;
      this.#offer(stay.count + i, score[i]! + bias + lm, i);
    }
    top.prune(this.#beamThreshold);
  }

  /** Phones last: they cost more than the rest, and one word more hardly ever raises their score. */
  #offer(id: number, score: number, proposal: number): void {
    const { phones } = this;
    const top = this.#top;
    if (phones === undefined) {
      top.offer(id, score);
      return;
    }
    const { slot, token, child } = this.#proposed;
    const node = this.#live.node[slot[proposal]!]!;
    const known = child[proposal]!;
    if (known !== NONE) top.offer(id, score + phones.score(known));
    else if (score + phones.score(node) > Math.max(top.floor, top.best - this.#beamThreshold)) {
      top.offer(id, score + phones.extended(node, token[proposal]!));
    }
  }

  /** Makes what was chosen the live hypotheses. */
  #advance(): void {
    const stay = this.#stay;
    const top = this.#top;
    // a row without a finite number says nothing: as if it had not come
    if (top.count === 0) return;
    const next = this.#next;
    const tree = this.tree;
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
    this.#next = this.#live;
    this.#live = next;
  }

  /** Puts a proposal into a slot of the next frame. */
  #admit(to: number, proposal: number): void {
    const tree = this.tree;
    const next = this.#next;
    const { slot, token, score, logProb, child, parentFrame, parentLogProb } = this.#proposed;
    let node = child[proposal]!;
    if (node === NONE) {
      node = tree.add(this.#live.node[slot[proposal]!]!, token[proposal]!);
      tree.gap[node] = this.#scan.best - logProb[proposal]!;
      tree.parentFrame[node] = parentFrame[proposal]!;
      tree.parentLogProb[node] = parentLogProb[proposal]!;
      this.bias.update(node);
      this.words?.update(node);
      this.phones?.update(node);
    }
    next.node[to] = node;
    next.blank[to] = -Infinity;
    next.blankFrame[to] = this.frame;
    next.blankLogProb[to] = logProb[proposal]!;
    next.token[to] = score[proposal]!;
    next.tokenFrame[to] = this.frame;
    next.tokenLogProb[to] = logProb[proposal]!;
  }

  /** Keeps the slots in the top list, in its order, and drops the others. */
  #keepTop(): void {
    const live = this.#live;
    const next = this.#next;
    const tree = this.tree;
    for (let slot = 0; slot < live.count; slot++) tree.slot[live.node[slot]!] = NONE;
    for (let i = 0; i < this.#top.count; i++) {
      next.copy(i, live, this.#top.id[i]!);
      tree.slot[next.node[i]!] = i;
    }
    next.count = this.#top.count;
    for (let slot = 0; slot < live.count; slot++) tree.release(live.node[slot]!);
    this.#next = live;
    this.#live = next;
  }

  #total(node: number, acoustic: number): number {
    return acoustic + this.tree.bias[node]! + this.tree.lm[node]! + (this.phones?.score(node) ?? 0);
  }

  /** Log of the sum of two probabilities; of the larger one in the best-path search. */
  #add(a: number, b: number): number {
    return this.#viterbi ? Math.max(a, b) : logAdd(a, b);
  }
}
