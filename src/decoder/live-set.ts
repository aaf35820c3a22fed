import { NONE, PrefixTree, ROOT } from './prefix-tree.js';
import { Slots, TopList } from './slots.js';

/**
 * The live hypotheses of a search: nodes of a prefix tree with their acoustic scores, best first. Here is what changes
 * the set between frames: a segment begins, hypotheses are dropped, and all is taken back to a node.
 */
export class LiveSet {
  readonly tree = new PrefixTree();
  readonly top: TopList;
  #live: Slots;
  #next: Slots;

  constructor(beam: number) {
    this.top = new TopList(beam);
    this.#live = new Slots(beam);
    this.#next = new Slots(beam);
  }

  /** Another object after each change. */
  get live(): Slots {
    return this.#live;
  }

  /** Where the next set is put together. */
  get next(): Slots {
    return this.#next;
  }

  /** The next set becomes the live one. */
  swap(): void {
    [this.#live, this.#next] = [this.#next, this.#live];
  }

  /** Leaves nothing. */
  clear(): void {
    this.tree.clear();
    this.#live.count = 0;
  }

  /** Leaves the empty sequence, behind which the frame `frame` comes. */
  begin(frame: number): void {
    this.clear();
    this.tree.slot[ROOT] = 0;
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

  /** Keeps the hypotheses in the top list, in its order, with its scores, and drops the others. */
  keepTop(): void {
    const { tree, top } = this;
    const live = this.#live;
    const next = this.#next;
    for (let slot = 0; slot < live.count; slot++) tree.slot[live.node[slot]!] = NONE;
    for (let i = 0; i < top.count; i++) {
      next.copy(i, live, top.id[i]!);
      next.total[i] = top.score[i]!;
      tree.slot[next.node[i]!] = i;
    }
    next.count = top.count;
    for (let slot = 0; slot < live.count; slot++) tree.release(live.node[slot]!);
    this.swap();
  }

  /** Keeps the hypotheses of the slots that pass a test. */
  keepWhere(test: (slot: number) => boolean): void {
    const { total, count } = this.#live;
    this.top.clear();
    for (let slot = 0; slot < count; slot++) if (test(slot)) this.top.offer(slot, total[slot]!);
    if (this.top.count < count) this.keepTop();
  }

  /** Drops the hypotheses that do not begin with the tokens of a node. */
  keepBelow(ancestor: number): void {
    const { node } = this.#live;
    const depth = this.tree.depth[ancestor]!;
    this.keepWhere((slot) => this.tree.ancestor(node[slot]!, depth) === ancestor);
  }

  /**
   * Leaves one hypothesis: the tokens of a node, as it stood when the last of them had been emitted, with probability
   * `logProb`, in the frame `frame`. Acoustic scores then begin from there.
   */
  rewind(node: number, frame: number, logProb: number): void {
    const live = this.#live;
    const tree = this.tree;
    const before = Array.from({ length: live.count }, (_, slot) => live.node[slot]!);
    for (const each of before) tree.slot[each] = NONE;
    tree.slot[node] = 0;
    live.count = 1;
    live.node[0] = node;
    live.total[0] = 0;
    live.blank[0] = -Infinity;
    live.blankFrame[0] = frame;
    live.blankLogProb[0] = logProb;
    live.token[0] = 0;
    live.tokenFrame[0] = frame;
    live.tokenLogProb[0] = logProb;
    for (const each of before) tree.release(each);
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
}
