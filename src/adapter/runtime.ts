/**
 * The adapter room turns the network's layers and the session's list into log-probabilities that lean towards what is
 * listed. This file is its door: what a contextual adapter is, not how one works.
 */

export interface AdapterDescription {
  /** Numbers of a key, and of a value. */
  readonly keySize: number;
  readonly valueSize: number;
  /** Entries of a list that attention sees at most at a time. */
  readonly shortlist: number;
  /** Subwords and phones of an entry that are read; what is longer is cut. */
  readonly subwordsMax: number;
  readonly phonesMax: number;
  /** Phones to a key. */
  readonly stride: number;
  /** Subword pieces by id with their natural log-probabilities, as the tokeniser weighs them. */
  readonly pieces: readonly string[];
  readonly pieceScores: readonly number[];
  /** Phone symbols by id. */
  readonly phones: readonly string[];
  /** Width of the layers that it reads. */
  readonly width: number;
}

/** An entry as the catalogue reads it. */
export interface EntrySymbols {
  /** Ids of subwords. */
  readonly subwords: readonly number[];
  /** Ids of phones. */
  readonly phones: readonly number[];
}

/** What stands for an entry: keys and values of the places in its sound, a row a place. Immutable. */
export interface Embedding {
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** The embeddings of a list, side by side; immutable. Streams with the very same list share a run. */
export interface EmbeddedList {
  /** By what the session calls the entries, in the order of the rows; at least one. */
  readonly embeddings: ReadonlyMap<string, Embedding>;
  /** Number of an entry by its text. */
  readonly places: ReadonlyMap<string, number>;
  /** Of all of them, one entry's after the other's. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** The entry of each row. */
  readonly owners: BigInt64Array;
}

/** Layers of a block of frames of one stream, as the encoder gave them. */
export interface Layers {
  readonly frames: number;
  /** The last layer, row-major (frames, width). */
  readonly hidden: Float32Array;
  /** The two layers with intermediate CTC losses, each row-major (frames, width). */
  readonly taps: readonly Float32Array[];
}

export interface Biased {
  /** Natural log-probabilities, row-major (frames, subwords + blank). */
  readonly subwords: Float32Array;
  /** Attention, row-major (frames, 1 + entries.length): `<no-bias>` first. A frame's weights add up to 1. */
  readonly weights: Float32Array;
  /** Index in the list of each column of `weights` behind the first. */
  readonly entries: Int32Array;
}

export interface AdapterRuntime {
  readonly description: AdapterDescription;
  /** Embeddings in the order of the entries. */
  embed(entries: readonly EntrySymbols[]): Promise<readonly Embedding[]>;
  /** Blocks of equally many frames of streams that share a list of at least one entry; in their order. */
  bias(blocks: readonly Layers[], list: EmbeddedList): Promise<readonly Biased[]>;
  close(): Promise<void>;
}
