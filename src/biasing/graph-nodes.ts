import { SYMBOLS } from './alphabet.js';
import type { VocabularyEntry } from './entry.js';
import type { PagedList } from './paged-list.js';
import { PAGE_MASK, PAGE_SHIFT, type Pages } from './pages.js';

export const ROOT = 0;

/**
 * A node is a step (which nodes follow) and its facts, in pages of their own: the search for a symbol looks at many
 * steps, of the first letters of all entries above all, and these then lie close together.
 */
export const STEP_SIZE = 2;
/** Bit s set: there is a child for symbol s. Above the symbols' bits: `APART` and `LATER`. */
export const CHILDREN = 0;
/**
 * The first child; the others have the numbers that follow, in the order of their symbols. Or, with `APART`, the place
 * in the edges where the children's numbers stand in that order.
 */
export const BELOW = 1;
export const APART = 1 << 31;
/** The symbol that leads here lies in a later word than the first: only then can a suffix of the text be a node. */
export const LATER = 1 << 30;
export const SYMBOL_BITS = (1 << SYMBOLS) - 1;

export const FACTS_SIZE = 4;
/** Depth and the symbol that leads here: see `positionOf`. */
export const POSITION = 0;
export const PARENT = 1;
/** Index of the title to the spelling that ends here, or -1. */
export const TITLE = 2;
/** Largest weight of the spellings that end at or below the node: a float's bits. */
export const WEIGHT = 3;

const STEP_SHIFT = PAGE_SHIFT - 1;
const STEP_MASK = (1 << STEP_SHIFT) - 1;
const FACTS_SHIFT = PAGE_SHIFT - 2;
const FACTS_MASK = (1 << FACTS_SHIFT) - 1;

/** An entry's claim to a spelling. */
export interface Claim {
  readonly entry: VocabularyEntry;
  /** Whether the entry is spelled so, rather than sounding so. */
  readonly direct: boolean;
}

/** Who is written where a spelling is heard, and what it weighs. */
export interface Title {
  /** Best first. */
  readonly claims: readonly Claim[];
  /** The largest of the claims' weights, a 32-bit float. */
  readonly weight: number;
}

/** Places to be used again, shared between versions. */
export type FreePlaces = { readonly place: number; readonly next: FreePlaces } | undefined;

/** The trie of a graph. All of it is immutable and shared between versions. */
export interface GraphNodes {
  readonly steps: Pages;
  readonly facts: Pages;
  readonly edges: Pages;
  readonly titles: PagedList<Title | undefined>;
  readonly entries: number;
  /** Words of all spellings. */
  readonly words: number;
  /** Nodes in use, root included. */
  readonly size: number;
  /** Nodes and edges that were ever in use, from 0 on. */
  readonly nodesEnd: number;
  readonly edgesEnd: number;
  readonly freeNodes: FreePlaces;
  readonly freeTitles: FreePlaces;
  /** Blocks of n edges at index n. */
  readonly freeEdges: readonly FreePlaces[];
}

/** @param claims at least one */
export function titleOf(claims: readonly Claim[]): Title {
  const best = claims.toSorted(
    (a, b) =>
      Number(b.direct) - Number(a.direct) ||
      b.entry.weight - a.entry.weight ||
      (a.entry.text < b.entry.text ? -1 : a.entry.text > b.entry.text ? 1 : 0),
  );
  return { claims: best, weight: Math.fround(Math.max(...claims.map(({ entry }) => entry.weight))) };
}

export function wordsOf(spelling: string): number {
  let words = 1;
  for (let i = 0; i < spelling.length; i++) if (spelling[i] === ' ') words += 1;
  return words;
}

/** Nodes hold whole numbers; a weight is there as the bits of a 32-bit float. */
const real = new Float32Array(1);
const bits = new Int32Array(real.buffer);

export function bitsOf(weight: number): number {
  real[0] = weight;
  return bits[0]!;
}

export function weightOf(asBits: number): number {
  bits[0] = asBits;
  return real[0]!;
}

/** @param depth below 2^16 */
export const positionOf = (depth: number, symbol: number): number => depth | (symbol << 16);
export const depthOf = (position: number): number => position & 0xffff;
export const symbolAt = (position: number): number => position >>> 16;

/** Reads the nodes of a graph: the innermost loop of biasing, hence the pages and their bits in the open. */
export class NodeReader {
  readonly #steps: readonly Int32Array[];
  readonly #facts: readonly Int32Array[];
  readonly #edges: readonly Int32Array[];

  constructor({ steps, facts, edges }: GraphNodes) {
    this.#steps = steps.pages;
    this.#facts = facts.pages;
    this.#edges = edges.pages;
  }

  /** Node below `node` for a symbol, or -1. */
  child(node: number, symbol: number): number {
    const page = this.#steps[node >>> STEP_SHIFT]!;
    const at = (node & STEP_MASK) * STEP_SIZE;
    const mask = page[at + CHILDREN]!;
    const bit = 1 << symbol;
    if ((mask & bit) === 0) return -1;
    const place = page[at + BELOW]! + popcount(mask & (bit - 1));
    return mask >= 0 ? place : this.#edges[place >>> PAGE_SHIFT]![place & PAGE_MASK]!;
  }

  parent(node: number): number {
    return this.#fact(node, PARENT);
  }

  depth(node: number): number {
    return depthOf(this.#fact(node, POSITION));
  }

  symbol(node: number): number {
    return symbolAt(this.#fact(node, POSITION));
  }

  inLaterWord(node: number): boolean {
    return (this.#steps[node >>> STEP_SHIFT]![(node & STEP_MASK) * STEP_SIZE + CHILDREN]! & LATER) !== 0;
  }

  /** Index of the title, or -1. */
  title(node: number): number {
    return this.#fact(node, TITLE);
  }

  weight(node: number): number {
    return weightOf(this.#fact(node, WEIGHT));
  }

  #fact(node: number, field: number): number {
    return this.#facts[node >>> FACTS_SHIFT]![(node & FACTS_MASK) * FACTS_SIZE + field]!;
  }
}

/** Number of set bits (Warren, Hacker's Delight, 5-2). */
export function popcount(mask: number): number {
  let n = mask - ((mask >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
