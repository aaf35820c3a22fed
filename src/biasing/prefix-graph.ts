import { createHash } from 'node:crypto';
import { type PieceTable, symbolOf, WORD_BEGIN } from './alphabet.js';
import type { RejectedEntry, VocabularyEntry } from './entry.js';
import { collectSpellings, type Spelling, type SpellingOptions } from './spellings.js';

export interface BuiltGraph {
  readonly graph: PrefixGraph;
  readonly rejected: readonly RejectedEntry[];
}

/**
 * Every spelling of a vocabulary as a trie over characters, with Aho-Corasick fail links (Aho and Corasick 1975).
 * Immutable: sessions share it, and what a hypothesis has matched lies with the hypothesis.
 *
 * Characters, not subwords: a piece moves the state along all its characters, so every split of an entry into pieces
 * reaches the same node and nothing has to be tokenised. Spellings begin with `▁`, hence a proper suffix that is a
 * node begins at a later word, and fail links lead only to words' begins. Nodes are numbered breadth first; node 0 is
 * the root. The children of a node are consecutive, in the order of their symbols.
 */
export class PrefixGraph {
  static readonly empty: PrefixGraph = new PrefixGraph([], []);

  readonly entries: readonly VocabularyEntry[];
  /** Words of all spellings, each as often as it stands there. */
  readonly words: number;
  /** Number of nodes, root included. */
  readonly size: number;
  /** Bit s set: there is a child for symbol s. */
  readonly children: Uint32Array;
  readonly firstChild: Int32Array;
  /** Symbols from the root. */
  readonly depth: Uint16Array;
  /** Largest weight of the spellings that end at or below the node. */
  readonly weight: Float32Array;
  /** Index into `entries` of the spelling that ends here, or -1. */
  readonly terminal: Int32Array;
  /** Weight of the spelling that ends here, or 0. */
  readonly terminalWeight: Float32Array;
  /** Node of the longest proper suffix. */
  readonly fail: Int32Array;
  /** Node of the longest proper suffix where a spelling ends, or 0. */
  readonly output: Int32Array;
  /** SHA-256 (hex) of the sorted spellings with their weights and written forms: equal lists have equal hashes. */
  readonly hash: string;

  private constructor(entries: readonly VocabularyEntry[], spellings: readonly Spelling[]) {
    this.entries = entries;
    this.hash = hashOf(entries, spellings);
    const symbols = flatten(spellings);
    this.words = symbols.text.reduce((sum, symbol) => (symbol === WORD_BEGIN ? sum + 1 : sum), 0);
    const capacity = symbols.text.length + 1;
    this.children = new Uint32Array(capacity);
    this.firstChild = new Int32Array(capacity);
    this.depth = new Uint16Array(capacity);
    this.terminal = new Int32Array(capacity).fill(-1);
    this.terminalWeight = new Float32Array(capacity);
    this.size = this.#grow(spellings, symbols);
    this.children = this.children.slice(0, this.size);
    this.firstChild = this.firstChild.slice(0, this.size);
    this.depth = this.depth.slice(0, this.size);
    this.terminal = this.terminal.slice(0, this.size);
    this.terminalWeight = this.terminalWeight.slice(0, this.size);
    this.weight = this.#weigh();
    this.fail = new Int32Array(this.size);
    this.output = new Int32Array(this.size);
    this.#link();
  }

  /** Builds the graph of a list; what cannot be spelled or is out of bounds comes back with its reason. */
  static build(entries: readonly VocabularyEntry[], options: Partial<SpellingOptions> = {}): BuiltGraph {
    const { spellings, used, rejected } = collectSpellings(entries, options);
    return { graph: spellings.length === 0 ? PrefixGraph.empty : new PrefixGraph(used, spellings), rejected };
  }

  get isEmpty(): boolean {
    return this.size === 1;
  }

  /** Bytes of the node arrays. */
  get bytes(): number {
    return this.size * (4 * 7 + 2);
  }

  /** Node below `node` for a symbol, or -1. */
  child(node: number, symbol: number): number {
    const mask = this.children[node]!;
    const bit = 1 << symbol;
    return (mask & bit) === 0 ? -1 : this.firstChild[node]! + popcount(mask & (bit - 1));
  }

  /**
   * Node after a piece: that of the longest suffix of everything read which is in the graph. The match that led to
   * `node` goes on unbroken exactly if the depth grows by the piece's length.
   */
  walk(node: number, pieces: PieceTable, piece: number): number {
    if (pieces.foreign[piece] === 1) return 0;
    const { symbols, offset } = pieces;
    let at = node;
    const end = offset[piece + 1]!;
    for (let i = offset[piece]!; i < end; i++) {
      const symbol = symbols[i]!;
      let next = this.child(at, symbol);
      while (next < 0 && at !== 0) {
        at = this.fail[at]!;
        next = this.child(at, symbol);
      }
      if (next < 0) {
        // only `▁` leaves the root, and it stands only in front of a piece
        return 0;
      }
      at = next;
    }
    return at;
  }

  /** Lays out the nodes level by level over the sorted spellings; returns their number. */
  #grow(spellings: readonly Spelling[], { text, offset }: FlatSpellings): number {
    const { children, firstChild, depth, terminal, terminalWeight } = this;
    const low = new Int32Array(children.length);
    const high = new Int32Array(children.length);
    high[0] = spellings.length;
    let size = 1;
    for (let node = 0; node < size; node++) {
      const level = depth[node]!;
      let row = low[node]!;
      const rows = high[node]!;
      if (row < rows && offset[row + 1]! - offset[row]! === level && level > 0) {
        terminal[node] = spellings[row]!.entry;
        terminalWeight[node] = spellings[row]!.weight;
        row += 1;
      }
      firstChild[node] = size;
      while (row < rows) {
        const symbol = text[offset[row]! + level]!;
        const from = row;
        while (row < rows && text[offset[row]! + level] === symbol) row += 1;
        children[node] = children[node]! | (1 << symbol);
        depth[size] = level + 1;
        low[size] = from;
        high[size] = row;
        size += 1;
      }
    }
    return size;
  }

  #weigh(): Float32Array {
    const weight = this.terminalWeight.slice();
    for (let node = this.size - 1; node >= 0; node--) {
      const end = this.firstChild[node]! + popcount(this.children[node]!);
      for (let child = this.firstChild[node]!; child < end; child++) {
        if (weight[child]! > weight[node]!) weight[node] = weight[child]!;
      }
    }
    return weight;
  }

  #link(): void {
    const { fail, output, terminal } = this;
    for (let node = 0; node < this.size; node++) {
      let mask = this.children[node]!;
      for (let child = this.firstChild[node]!; mask !== 0; child++) {
        const symbol = 31 - Math.clz32(mask & -mask);
        mask &= mask - 1;
        if (node === 0) continue;
        let suffix = fail[node]!;
        let next = this.child(suffix, symbol);
        while (next < 0 && suffix !== 0) {
          suffix = fail[suffix]!;
          next = this.child(suffix, symbol);
        }
        fail[child] = Math.max(0, next);
        output[child] = terminal[fail[child]!]! >= 0 ? fail[child]! : output[fail[child]!]!;
      }
    }
  }
}

interface FlatSpellings {
  /** Symbols of all spellings, each with its leading `▁`. */
  readonly text: Uint8Array;
  readonly offset: Int32Array;
}

function flatten(spellings: readonly Spelling[]): FlatSpellings {
  const offset = new Int32Array(spellings.length + 1);
  for (const [i, { spelling }] of spellings.entries()) offset[i + 1] = offset[i]! + spelling.length + 1;
  const text = new Uint8Array(offset[spellings.length]!);
  for (const [i, { spelling }] of spellings.entries()) {
    const at = offset[i]!;
    text[at] = WORD_BEGIN;
    for (let j = 0; j < spelling.length; j++) text[at + 1 + j] = symbolOf(spelling.charCodeAt(j));
  }
  return { text, offset };
}

function hashOf(entries: readonly VocabularyEntry[], spellings: readonly Spelling[]): string {
  const lines = spellings.map(
    ({ spelling, entry, weight }) => `${spelling}\t${weight}\t${entries[entry]?.text}`,
  );
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** Number of set bits (Warren, Hacker's Delight, 5-2). */
function popcount(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
