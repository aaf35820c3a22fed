import { type PieceTable, WORD_BEGIN } from './alphabet.js';
import type { RejectedEntry, VocabularyEntry } from './entry.js';
import { buildNodes } from './graph-builder.js';
import { GraphEditor } from './graph-editor.js';
import { type GraphNodes, NodeReader, ROOT, type Title } from './graph-nodes.js';
import { type SpelledEntry, type SpellingOptions, spellEntry } from './spellings.js';

export interface BuiltGraph {
  readonly graph: PrefixGraph;
  /** Those that can be used. */
  readonly entries: readonly VocabularyEntry[];
  readonly rejected: readonly RejectedEntry[];
}

/** Fail links are kept in pages of 2^8 nodes: most of a long list nobody ever speaks. */
const LINKS_SHIFT = 8;
const LINKS_MASK = (1 << LINKS_SHIFT) - 1;
const UNKNOWN = -1;

/**
 * Every spelling of a vocabulary as a trie over characters, with Aho-Corasick fail links (Aho and Corasick 1975).
 * Immutable: sessions share it, and what a hypothesis has matched lies with the hypothesis.
 *
 * Characters, not subwords: a piece moves the state along all its characters, so every split of an entry into pieces
 * reaches the same node and nothing has to be tokenised. Spellings begin with `▁`, hence a proper suffix that is a
 * node begins at a later word, and fail links lead only to words' begins. Node 0 is the root.
 *
 * A changed list makes a graph that shares all nodes with the old one but those on the changed entries' paths. Any new
 * path may lengthen the suffixes of nodes anywhere, so fail links are not part of the shared nodes: a graph finds each
 * when it is first asked for, and remembers it. Decoding asks for few, and for the same ones all the time.
 */
export class PrefixGraph {
  static readonly empty: PrefixGraph = new PrefixGraph(buildNodes([]));

  readonly #nodes: GraphNodes;
  readonly #reader: NodeReader;
  readonly #links: (Int32Array | undefined)[];

  private constructor(nodes: GraphNodes) {
    this.#nodes = nodes;
    this.#reader = new NodeReader(nodes);
    this.#links = new Array<undefined>((nodes.nodesEnd >>> LINKS_SHIFT) + 1).fill(undefined);
  }

  /** Builds the graph of a list; what cannot be spelled or is out of bounds comes back with its reason. */
  static build(entries: readonly VocabularyEntry[], options: Partial<SpellingOptions> = {}): BuiltGraph {
    const spelled = entries.map((entry) => spellEntry(entry, options));
    return {
      graph: PrefixGraph.#of(buildNodes(spelled)),
      entries: spelled.flatMap(({ entry }) => entry ?? []),
      rejected: spelled.flatMap(({ rejected }) => rejected),
    };
  }

  static #of(nodes: GraphNodes): PrefixGraph {
    return nodes.entries === 0 ? PrefixGraph.empty : new PrefixGraph(nodes);
  }

  /**
   * The graph without some entries and with others: what building it from the changed list would give, but for the
   * numbers of its nodes. Costs what the paths of these entries cost.
   * @param removed the very objects that were added
   */
  edit(removed: readonly SpelledEntry[], added: readonly SpelledEntry[]): PrefixGraph {
    const editor = new GraphEditor(this.#nodes);
    for (const { entry, spellings } of removed) {
      if (entry !== undefined) editor.remove(entry, spellings);
    }
    for (const { entry, spellings } of added) {
      if (entry !== undefined) editor.add(entry, spellings);
    }
    return PrefixGraph.#of(editor.done());
  }

  get isEmpty(): boolean {
    return this.#nodes.entries === 0;
  }

  /** Number of entries. */
  get entries(): number {
    return this.#nodes.entries;
  }

  /** Words of all spellings, each as often as it stands there. */
  get words(): number {
    return this.#nodes.words;
  }

  /** Number of nodes, root included. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Bytes of nodes and edges, those included that other graphs share. */
  get bytes(): number {
    const { steps, facts, edges } = this.#nodes;
    return steps.bytes + facts.bytes + edges.bytes;
  }

  /** Node below `node` for a symbol, or -1. */
  child(node: number, symbol: number): number {
    return this.#reader.child(node, symbol);
  }

  /** Symbols from the root. */
  depth(node: number): number {
    return this.#reader.depth(node);
  }

  /** Largest weight of the spellings that end at or below the node. */
  weight(node: number): number {
    return this.#reader.weight(node);
  }

  /** Largest weight of the entries that are spelled so, or 0. */
  terminalWeight(node: number): number {
    return this.#titleAt(node)?.weight ?? 0;
  }

  /** Whether a spelling ends here. */
  ends(node: number): boolean {
    return this.#reader.title(node) >= 0;
  }

  /**
   * Entry whose spelling ends here. Of several, one that is spelled so comes before those that sound so, then the
   * heavier one, then the first by code points: the order of a list decides nothing.
   */
  entryAt(node: number): VocabularyEntry | undefined {
    return this.#titleAt(node)?.claims[0]?.entry;
  }

  /** Node of the longest proper suffix. */
  fail(node: number): number {
    // the suffix would begin at a later word, and there is none
    if (!this.#reader.inLaterWord(node)) return ROOT;
    const known = this.#linkOf(node);
    return known === UNKNOWN ? this.#findFail(node) : known;
  }

  /** Node of the longest proper suffix where a spelling ends, or 0. */
  output(node: number): number {
    let at = this.fail(node);
    while (at !== ROOT && !this.ends(at)) at = this.fail(at);
    return at;
  }

  /**
   * Node after a piece: that of the longest suffix of everything read which is in the graph. The match that led to
   * `node` goes on unbroken exactly if the depth grows by the piece's length.
   */
  walk(node: number, pieces: PieceTable, piece: number): number {
    if (pieces.foreign[piece] === 1) return ROOT;
    const { symbols, offset } = pieces;
    let at = node;
    const end = offset[piece + 1]!;
    for (let i = offset[piece]!; i < end; i++) {
      at = this.#step(at, symbols[i]!);
      // only `▁` leaves the root, and it stands only in front of a piece
      if (at === ROOT) return ROOT;
    }
    return at;
  }

  #titleAt(node: number): Title | undefined {
    return this.#nodes.titles.at(this.#reader.title(node));
  }

  /** Node of the longest suffix of a node's text and one more symbol. */
  #step(node: number, symbol: number): number {
    const reader = this.#reader;
    let at = node;
    let next = reader.child(at, symbol);
    while (next < 0 && reader.inLaterWord(at)) {
      at = this.fail(at);
      next = reader.child(at, symbol);
    }
    if (next >= 0) return next;
    return symbol === WORD_BEGIN ? Math.max(ROOT, reader.child(ROOT, WORD_BEGIN)) : ROOT;
  }

  /** From the begin of the node's second word on, since each link leads from the one before it. */
  #findFail(node: number): number {
    const path: number[] = [];
    let at = node;
    while (this.#reader.inLaterWord(at) && this.#linkOf(at) === UNKNOWN) {
      path.push(at);
      at = this.#reader.parent(at);
    }
    let fail = this.fail(at);
    while (path.length > 0) {
      at = path.pop()!;
      fail = this.#step(fail, this.#reader.symbol(at));
      this.#remember(at, fail);
    }
    return fail;
  }

  #linkOf(node: number): number {
    return this.#links[node >>> LINKS_SHIFT]?.[node & LINKS_MASK] ?? UNKNOWN;
  }

  #remember(node: number, fail: number): void {
    const page = node >>> LINKS_SHIFT;
    this.#links[page] ??= new Int32Array(1 << LINKS_SHIFT).fill(UNKNOWN);
    this.#links[page][node & LINKS_MASK] = fail;
  }
}
