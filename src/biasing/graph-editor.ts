import { symbolOf, WORD_BEGIN } from './alphabet.js';
import type { VocabularyEntry } from './entry.js';
import {
  APART,
  BELOW,
  bitsOf,
  CHILDREN,
  type Claim,
  depthOf,
  FACTS_SIZE,
  type FreePlaces,
  type GraphNodes,
  LATER,
  PARENT,
  POSITION,
  popcount,
  positionOf,
  ROOT,
  STEP_SIZE,
  SYMBOL_BITS,
  symbolAt,
  TITLE,
  type Title,
  titleOf,
  WEIGHT,
  wordsOf,
} from './graph-nodes.js';
import type { PagedList } from './paged-list.js';
import type { PageWriter } from './pages.js';
import type { Spelling } from './spellings.js';

/**
 * The next version of a graph's trie in the making. What a removal frees is used again by later additions, so a list
 * that changes for hours takes no more memory than its largest state; no clean-up ever holds up a change.
 */
export class GraphEditor {
  readonly #steps: PageWriter;
  readonly #facts: PageWriter;
  readonly #edges: PageWriter;
  #titles: PagedList<Title | undefined>;
  readonly #freeEdges: FreePlaces[];
  #freeNodes: FreePlaces;
  #freeTitles: FreePlaces;
  #entries: number;
  #words: number;
  #size: number;
  #nodesEnd: number;
  #edgesEnd: number;
  /** Nodes from the root to the spelling that was walked last. */
  readonly #path: number[] = [];

  constructor(from: GraphNodes) {
    this.#steps = from.steps.edit();
    this.#facts = from.facts.edit();
    this.#edges = from.edges.edit();
    this.#titles = from.titles;
    this.#freeEdges = from.freeEdges.slice();
    this.#freeNodes = from.freeNodes;
    this.#freeTitles = from.freeTitles;
    this.#entries = from.entries;
    this.#words = from.words;
    this.#size = from.size;
    this.#nodesEnd = from.nodesEnd;
    this.#edgesEnd = from.edgesEnd;
  }

  /** @param spellings at least one */
  add(entry: VocabularyEntry, spellings: readonly Spelling[]): void {
    this.#entries += 1;
    for (const { spelling, direct } of spellings) this.#addSpelling(spelling, { entry, direct });
  }

  /** @param entry the very object that was added, with the same spellings */
  remove(entry: VocabularyEntry, spellings: readonly Spelling[]): void {
    this.#entries -= 1;
    for (const { spelling } of spellings) this.#removeSpelling(spelling, entry);
  }

  /** The editor is not to be used afterwards. */
  done(): GraphNodes {
    return {
      steps: this.#steps.done(),
      facts: this.#facts.done(),
      edges: this.#edges.done(),
      titles: this.#titles,
      entries: this.#entries,
      words: this.#words,
      size: this.#size,
      nodesEnd: this.#nodesEnd,
      edgesEnd: this.#edgesEnd,
      freeNodes: this.#freeNodes,
      freeTitles: this.#freeTitles,
      freeEdges: this.#freeEdges,
    };
  }

  #addSpelling(spelling: string, claim: Claim): void {
    const node = this.#walk(spelling, true);
    const old = this.#fact(node, TITLE);
    const title = titleOf([...(this.#titles.at(old)?.claims ?? []), claim]);
    if (old >= 0) this.#titles = this.#titles.with(old, title);
    else {
      this.#setFact(node, TITLE, this.#takeTitle(title));
      this.#words += wordsOf(spelling);
    }
    const weight = bitsOf(title.weight);
    // the bits of positive floats are in the order of the floats
    for (const above of this.#path) {
      if (this.#fact(above, WEIGHT) < weight) this.#setFact(above, WEIGHT, weight);
    }
  }

  #removeSpelling(spelling: string, entry: VocabularyEntry): void {
    const node = this.#walk(spelling, false);
    const at = this.#fact(node, TITLE);
    const left = this.#titles.at(at)!.claims.filter((claim) => claim.entry !== entry);
    this.#titles = this.#titles.with(at, left.length === 0 ? undefined : titleOf(left));
    if (left.length === 0) {
      this.#freeTitles = { place: at, next: this.#freeTitles };
      this.#setFact(node, TITLE, -1);
      this.#words -= wordsOf(spelling);
    }
    for (let i = this.#path.length - 1; i >= 0; i--) {
      const above = this.#path[i]!;
      const unused = this.#children(above) === 0 && this.#fact(above, TITLE) < 0;
      if (i > 0 && unused) this.#releaseChild(this.#path[i - 1]!, above);
      else this.#setFact(above, WEIGHT, this.#heaviest(above));
    }
  }

  /** Node of a spelling, and the way there in `#path`, the root included. */
  #walk(spelling: string, grow: boolean): number {
    this.#path.length = 0;
    this.#path.push(ROOT);
    let node = ROOT;
    for (let i = -1; i < spelling.length; i++) {
      const symbol = i < 0 ? WORD_BEGIN : symbolOf(spelling.charCodeAt(i));
      const child = this.#child(node, symbol);
      if (child < 0 && !grow) throw new Error(`"${spelling}" is not in the graph`);
      node = child < 0 ? this.#addChild(node, symbol) : child;
      this.#path.push(node);
    }
    return node;
  }

  #child(node: number, symbol: number): number {
    const bit = 1 << symbol;
    const children = this.#children(node);
    return (children & bit) === 0 ? -1 : this.#childAt(node, popcount(children & (bit - 1)));
  }

  /** The symbols for which there are children. */
  #children(node: number): number {
    return this.#steps.at(node * STEP_SIZE + CHILDREN) & SYMBOL_BITS;
  }

  /** The child before which there are `before` others. */
  #childAt(node: number, before: number): number {
    const place = this.#steps.at(node * STEP_SIZE + BELOW) + before;
    return this.#isApart(node) ? this.#edges.at(place) : place;
  }

  #isApart(node: number): boolean {
    return this.#steps.at(node * STEP_SIZE + CHILDREN) < 0;
  }

  #addChild(parent: number, symbol: number): number {
    const child = this.#takeNode();
    const position = this.#fact(parent, POSITION);
    const begins = parent !== ROOT && symbol === WORD_BEGIN;
    const later = begins ? LATER : this.#steps.at(parent * STEP_SIZE + CHILDREN) & LATER;
    this.#steps.set(child * STEP_SIZE + CHILDREN, later);
    this.#steps.set(child * STEP_SIZE + BELOW, 0);
    this.#setFact(child, POSITION, positionOf(depthOf(position) + 1, symbol));
    this.#setFact(child, PARENT, parent);
    this.#setFact(child, TITLE, -1);
    this.#setFact(child, WEIGHT, 0);
    this.#setChildren(parent, this.#children(parent) | (1 << symbol), symbol, child);
    return child;
  }

  #releaseChild(parent: number, child: number): void {
    const symbol = symbolAt(this.#fact(child, POSITION));
    this.#setChildren(parent, this.#children(parent) & ~(1 << symbol));
    this.#freeNodes = { place: child, next: this.#freeNodes };
    this.#size -= 1;
  }

  /** Moves a node's edges to where they fit. @param added symbol that was not there, with its node */
  #setChildren(node: number, children: number, added?: number, child?: number): void {
    const old = this.#children(node);
    const edges: number[] = [];
    for (let left = children; left !== 0; left &= left - 1) {
      const symbol = 31 - Math.clz32(left & -left);
      const before = popcount(old & ((1 << symbol) - 1));
      edges.push(symbol === added ? child! : this.#childAt(node, before));
    }
    if (this.#isApart(node)) {
      const place = this.#steps.at(node * STEP_SIZE + BELOW);
      const size = popcount(old);
      this.#freeEdges[size] = { place, next: this.#freeEdges[size] };
    }
    const apart = edges.length > 1;
    const below = apart ? this.#takeEdges(edges.length) : (edges[0] ?? 0);
    if (apart) for (const [i, edge] of edges.entries()) this.#edges.set(below + i, edge);
    const later = this.#steps.at(node * STEP_SIZE + CHILDREN) & LATER;
    this.#steps.set(node * STEP_SIZE + CHILDREN, children | later | (apart ? APART : 0));
    this.#steps.set(node * STEP_SIZE + BELOW, below);
  }

  /** Bits of the largest weight at or below a node, its children's being right. */
  #heaviest(node: number): number {
    let weight = bitsOf(this.#titles.at(this.#fact(node, TITLE))?.weight ?? 0);
    for (let i = popcount(this.#children(node)) - 1; i >= 0; i--) {
      weight = Math.max(weight, this.#fact(this.#childAt(node, i), WEIGHT));
    }
    return weight;
  }

  #takeNode(): number {
    this.#size += 1;
    const free = this.#freeNodes;
    if (free === undefined) return this.#nodesEnd++;
    this.#freeNodes = free.next;
    return free.place;
  }

  #takeEdges(count: number): number {
    const free = this.#freeEdges[count];
    if (free === undefined) {
      const place = this.#edgesEnd;
      this.#edgesEnd += count;
      return place;
    }
    this.#freeEdges[count] = free.next;
    return free.place;
  }

  #takeTitle(title: Title): number {
    const free = this.#freeTitles;
    const place = free === undefined ? this.#titles.length : free.place;
    this.#freeTitles = free?.next;
    this.#titles = this.#titles.with(place, title);
    return place;
  }

  #fact(node: number, field: number): number {
    return this.#facts.at(node * FACTS_SIZE + field);
  }

  #setFact(node: number, field: number, value: number): void {
    this.#facts.set(node * FACTS_SIZE + field, value);
  }
}
