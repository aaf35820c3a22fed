/** Field value where there is no node, or where a node is not live. */
export const NONE = -1;
export const ROOT = 0;
/** Value of `slot` in a freed node. */
const FREED = -2;

const FIRST_CAPACITY = 1024;

/**
 * The token sequences of all live hypotheses as a tree in typed arrays: a node is a sequence, its token the last one.
 * A node lives while a hypothesis ends in it or beyond it and is reused at once after that, so memory is bounded by
 * the beam times a segment's tokens, and what hypotheses that died long ago left behind influences nothing.
 */
export class PrefixTree {
  parent = new Int32Array(FIRST_CAPACITY);
  token = new Int32Array(FIRST_CAPACITY);
  /** Tokens from the root. */
  depth = new Int32Array(FIRST_CAPACITY);
  firstChild = new Int32Array(FIRST_CAPACITY);
  nextSibling = new Int32Array(FIRST_CAPACITY);
  /** Slot of the hypothesis that ends here, or `NONE`. */
  slot = new Int32Array(FIRST_CAPACITY);
  /** Frame and log-probability of the *parent's* token in the best alignment that led here. */
  parentFrame = new Int32Array(FIRST_CAPACITY);
  parentLogProb = new Float64Array(FIRST_CAPACITY);

  /** Smallest distance of the token from its frame's best symbol, over the frames that made the extension. */
  gap = new Float64Array(FIRST_CAPACITY);
  /** Unit gain of the token, and the match state after it (see MatchState). */
  gain = new Float64Array(FIRST_CAPACITY);
  matchNode = new Int32Array(FIRST_CAPACITY);
  matchSum = new Float64Array(FIRST_CAPACITY);
  fallback = new Float64Array(FIRST_CAPACITY);
  fallbackEnd = new Int32Array(FIRST_CAPACITY);
  locked = new Float64Array(FIRST_CAPACITY);
  lockedEnd = new Int32Array(FIRST_CAPACITY);
  bias = new Float64Array(FIRST_CAPACITY);

  /** Weighted language model score, the word that is being spelled included as far as it can be. */
  lm = new Float64Array(FIRST_CAPACITY);
  /** That of the completed words alone, and the state after them. */
  lmBase = new Float64Array(FIRST_CAPACITY);
  lmState = new Float64Array(FIRST_CAPACITY);
  /** Look-ahead node of the letters of the last word, and its symbols, `▁` included. */
  lmPrefix = new Int32Array(FIRST_CAPACITY);
  wordLength = new Int32Array(FIRST_CAPACITY);
  /** Score and state, were the node's last word complete; NaN: not asked yet. */
  wordLm = new Float64Array(FIRST_CAPACITY);
  wordState = new Float64Array(FIRST_CAPACITY);

  #capacity = FIRST_CAPACITY;
  #used = 0;
  #free: number = NONE;

  constructor() {
    this.clear();
  }

  /** Nodes in use, root included. */
  size = 0;

  /** Leaves the root alone, live. */
  clear(): void {
    this.#used = 0;
    this.#free = NONE;
    this.size = 0;
    this.#reset(this.#take(), NONE, NONE);
  }

  /** Becomes equal to another tree. */
  copyFrom(other: PrefixTree): void {
    while (this.#capacity < other.#capacity) this.#enlarge();
    this.parent.set(other.parent);
    this.token.set(other.token);
    this.depth.set(other.depth);
    this.firstChild.set(other.firstChild);
    this.nextSibling.set(other.nextSibling);
    this.slot.set(other.slot);
    this.parentFrame.set(other.parentFrame);
    this.parentLogProb.set(other.parentLogProb);
    this.gap.set(other.gap);
    this.gain.set(other.gain);
    this.matchNode.set(other.matchNode);
    this.matchSum.set(other.matchSum);
    this.fallback.set(other.fallback);
    this.fallbackEnd.set(other.fallbackEnd);
    this.locked.set(other.locked);
    this.lockedEnd.set(other.lockedEnd);
    this.bias.set(other.bias);
    this.lm.set(other.lm);
    this.lmBase.set(other.lmBase);
    this.lmState.set(other.lmState);
    this.lmPrefix.set(other.lmPrefix);
    this.wordLength.set(other.wordLength);
    this.wordLm.set(other.wordLm);
    this.wordState.set(other.wordState);
    this.#used = other.#used;
    this.#free = other.#free;
    this.size = other.size;
  }

  child(node: number, token: number): number {
    let at = this.firstChild[node]!;
    while (at !== NONE && this.token[at] !== token) at = this.nextSibling[at]!;
    return at;
  }

  isLeaf(node: number): boolean {
    return this.firstChild[node] === NONE;
  }

  /** Appends a token; the caller has looked that the child is not there. */
  add(parent: number, token: number): number {
    const node = this.#take();
    this.#reset(node, parent, token);
    this.nextSibling[node] = this.firstChild[parent]!;
    this.firstChild[parent] = node;
    return node;
  }

  /** Frees a node that no hypothesis ends in, if it has no children, and then its parents likewise. */
  release(node: number): void {
    let at = node;
    while (at !== ROOT && this.slot[at] === NONE && this.firstChild[at] === NONE) {
      const parent = this.parent[at]!;
      this.#unlink(parent, at);
      this.slot[at] = FREED;
      this.nextSibling[at] = this.#free;
      this.#free = at;
      this.size -= 1;
      at = parent;
    }
  }

  /** Ancestor of a node with `depth` tokens. */
  ancestor(node: number, depth: number): number {
    let at = node;
    while (this.depth[at]! > depth) at = this.parent[at]!;
    return at;
  }

  /** Tokens that two nodes have in common. */
  commonDepth(a: number, b: number): number {
    let left = this.ancestor(a, this.depth[b]!);
    let right = this.ancestor(b, this.depth[a]!);
    while (left !== right) {
      left = this.parent[left]!;
      right = this.parent[right]!;
    }
    return this.depth[left]!;
  }

  /** Next node in depth-first order, parents first; `NONE` after the last. */
  next(node: number): number {
    if (this.firstChild[node] !== NONE) return this.firstChild[node]!;
    let at = node;
    while (at !== ROOT && this.nextSibling[at] === NONE) at = this.parent[at]!;
    return at === ROOT ? NONE : this.nextSibling[at]!;
  }

  #unlink(parent: number, node: number): void {
    let at = this.firstChild[parent]!;
    if (at === node) {
      this.firstChild[parent] = this.nextSibling[node]!;
      return;
    }
    while (this.nextSibling[at] !== node) at = this.nextSibling[at]!;
    this.nextSibling[at] = this.nextSibling[node]!;
  }

  #take(): number {
    this.size += 1;
    if (this.#free !== NONE) {
      const node = this.#free;
      this.#free = this.nextSibling[node]!;
      return node;
    }
    if (this.#used === this.#capacity) this.#enlarge();
    return this.#used++;
  }

  #reset(node: number, parent: number, token: number): void {
    this.parent[node] = parent;
    this.token[node] = token;
    this.depth[node] = parent === NONE ? 0 : this.depth[parent]! + 1;
    this.firstChild[node] = NONE;
    this.nextSibling[node] = NONE;
    this.slot[node] = NONE;
    this.parentFrame[node] = NONE;
    this.parentLogProb[node] = 0;
    this.gap[node] = 0;
    this.gain[node] = 0;
    this.matchNode[node] = 0;
    this.matchSum[node] = 0;
    this.fallback[node] = 0;
    this.fallbackEnd[node] = 0;
    this.locked[node] = 0;
    this.lockedEnd[node] = 0;
    this.bias[node] = 0;
    this.lm[node] = 0;
    this.lmBase[node] = 0;
    this.lmState[node] = 0;
    this.lmPrefix[node] = 0;
    this.wordLength[node] = 0;
    this.wordLm[node] = Number.NaN;
    this.wordState[node] = 0;
  }

  #enlarge(): void {
    this.#capacity *= 2;
    const capacity = this.#capacity;
    this.parent = wider(this.parent, capacity);
    this.token = wider(this.token, capacity);
    this.depth = wider(this.depth, capacity);
    this.firstChild = wider(this.firstChild, capacity);
    this.nextSibling = wider(this.nextSibling, capacity);
    this.slot = wider(this.slot, capacity);
    this.parentFrame = wider(this.parentFrame, capacity);
    this.parentLogProb = wider(this.parentLogProb, capacity);
    this.gap = wider(this.gap, capacity);
    this.gain = wider(this.gain, capacity);
    this.matchNode = wider(this.matchNode, capacity);
    this.matchSum = wider(this.matchSum, capacity);
    this.fallback = wider(this.fallback, capacity);
    this.fallbackEnd = wider(this.fallbackEnd, capacity);
    this.locked = wider(this.locked, capacity);
    this.lockedEnd = wider(this.lockedEnd, capacity);
    this.bias = wider(this.bias, capacity);
    this.lm = wider(this.lm, capacity);
    this.lmBase = wider(this.lmBase, capacity);
    this.lmState = wider(this.lmState, capacity);
    this.lmPrefix = wider(this.lmPrefix, capacity);
    this.wordLength = wider(this.wordLength, capacity);
    this.wordLm = wider(this.wordLm, capacity);
    this.wordState = wider(this.wordState, capacity);
  }
}

function wider<T extends Int32Array | Float64Array>(values: T, capacity: number): T {
  const next = (values instanceof Int32Array ? new Int32Array(capacity) : new Float64Array(capacity)) as T;
  next.set(values);
  return next;
}
