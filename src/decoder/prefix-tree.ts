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
  /** Hash of the token sequence: equal sequences have equal ones in all trees. */
  key = new Int32Array(FIRST_CAPACITY);
  /** That of the last word's tokens alone. */
  wordKey = new Int32Array(FIRST_CAPACITY);
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
  /** What is added to it because words are those of entries. */
  raise = new Float64Array(FIRST_CAPACITY);
  /** Those of the completed words alone, and the state after them. */
  lmBase = new Float64Array(FIRST_CAPACITY);
  raiseBase = new Float64Array(FIRST_CAPACITY);
  lmState = new Float64Array(FIRST_CAPACITY);
  /** Log-probability there of all unlisted words together; NaN: not asked yet. */
  lmClass = new Float64Array(FIRST_CAPACITY);
  /** Look-ahead node of the letters of the last word, and its symbols, `▁` included. */
  lmPrefix = new Int32Array(FIRST_CAPACITY);
  wordLength = new Int32Array(FIRST_CAPACITY);
  /** Scores and state, were the node's last word complete; NaN: not asked yet. */
  wordLm = new Float64Array(FIRST_CAPACITY);
  wordRaise = new Float64Array(FIRST_CAPACITY);
  wordState = new Float64Array(FIRST_CAPACITY);
  wordClass = new Float64Array(FIRST_CAPACITY);

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

  /**
   * Node of the sequence of another tree's node, which is made where it is not there, with the values of that one.
   * @param made told each new node, and the other tree's
   */
  graft(other: PrefixTree, node: number, made: (grafted: number, from: number) => void): number {
    if (node === ROOT) return ROOT;
    const parent = this.graft(other, other.parent[node]!, made);
    const known = this.child(parent, other.token[node]!);
    if (known !== NONE) return known;
    const grafted = this.add(parent, other.token[node]!);
    this.#copy(grafted, other, node);
    made(grafted, node);
    return grafted;
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
    this.key[node] = parent === NONE ? 0 : extendKey(this.key[parent]!, token);
    this.wordKey[node] = 0;
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
    this.raise[node] = 0;
    this.lmBase[node] = 0;
    this.raiseBase[node] = 0;
    this.lmState[node] = 0;
    this.lmClass[node] = Number.NaN;
    this.lmPrefix[node] = 0;
    this.wordLength[node] = 0;
    this.wordLm[node] = Number.NaN;
    this.wordRaise[node] = 0;
    this.wordState[node] = 0;
    this.wordClass[node] = Number.NaN;
  }

  /** What a node is worth, from a node of the same sequence in another tree. */
  #copy(node: number, other: PrefixTree, from: number): void {
    this.wordKey[node] = other.wordKey[from]!;
    this.parentFrame[node] = other.parentFrame[from]!;
    this.parentLogProb[node] = other.parentLogProb[from]!;
    this.gap[node] = other.gap[from]!;
    this.gain[node] = other.gain[from]!;
    this.matchNode[node] = other.matchNode[from]!;
    this.matchSum[node] = other.matchSum[from]!;
    this.fallback[node] = other.fallback[from]!;
    this.fallbackEnd[node] = other.fallbackEnd[from]!;
    this.locked[node] = other.locked[from]!;
    this.lockedEnd[node] = other.lockedEnd[from]!;
    this.bias[node] = other.bias[from]!;
    this.lm[node] = other.lm[from]!;
    this.raise[node] = other.raise[from]!;
    this.lmBase[node] = other.lmBase[from]!;
    this.raiseBase[node] = other.raiseBase[from]!;
    this.lmState[node] = other.lmState[from]!;
    this.lmClass[node] = other.lmClass[from]!;
    this.lmPrefix[node] = other.lmPrefix[from]!;
    this.wordLength[node] = other.wordLength[from]!;
    this.wordLm[node] = other.wordLm[from]!;
    this.wordRaise[node] = other.wordRaise[from]!;
    this.wordState[node] = other.wordState[from]!;
    this.wordClass[node] = other.wordClass[from]!;
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
    this.key = wider(this.key, capacity);
    this.wordKey = wider(this.wordKey, capacity);
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
    this.raise = wider(this.raise, capacity);
    this.lmBase = wider(this.lmBase, capacity);
    this.raiseBase = wider(this.raiseBase, capacity);
    this.lmState = wider(this.lmState, capacity);
    this.lmClass = wider(this.lmClass, capacity);
    this.lmPrefix = wider(this.lmPrefix, capacity);
    this.wordLength = wider(this.wordLength, capacity);
    this.wordLm = wider(this.wordLm, capacity);
    this.wordRaise = wider(this.wordRaise, capacity);
    this.wordState = wider(this.wordState, capacity);
    this.wordClass = wider(this.wordClass, capacity);
  }
}

/** Hash of a sequence with one more token (the mixing steps of MurmurHash3). */
export function extendKey(key: number, token: number): number {
  const mixed = Math.imul(key ^ Math.imul(token + 1, 0xcc9e2d51), 0x1b873593);
  return (mixed ^ (mixed >>> 15)) | 0;
}

function wider<T extends Int32Array | Float64Array>(values: T, capacity: number): T {
  const next = (values instanceof Int32Array ? new Int32Array(capacity) : new Float64Array(capacity)) as T;
  next.set(values);
  return next;
}
