/**
 * Layout of `lm.bin`: a header of 64 bytes and fifteen sections, little endian, each padded to 8 bytes. Nothing is
 * parsed or copied: the sections become typed-array views of the one buffer, which threads may share.
 * `training/language/pack_lm.py` writes it and lists the sections.
 */

/** Views of a model's sections. V words, B bigrams, T trigrams, N nodes of the letter trie; scores are natural logs. */
export interface NgramSections {
  readonly words: number;
  readonly bigrams: number;
  readonly trigrams: number;
  readonly trieNodes: number;
  /** (V) log-probability of each word. */
  readonly unigramScore: Float32Array;
  /** (V) log of the back-off weight after each word. */
  readonly unigramBackoff: Float32Array;
  /** (V + 1) first bigram of each word. */
  readonly unigramBigrams: Uint32Array;
  /** (3 x 256) levels of bigram scores, bigram back-offs and trigram scores. */
  readonly codebooks: Float32Array;
  /** (B / 256 + 2) first trigram of every 256th bigram. */
  readonly bigramBlocks: Uint32Array;
  /** (B + 1) first trigram of each bigram, counted from that of its block. */
  readonly bigramOffsets: Uint16Array;
  /** (B) second word, ascending within the first. */
  readonly bigramWords: Uint16Array;
  readonly bigramScores: Uint8Array;
  readonly bigramBackoffs: Uint8Array;
  /** (T) third word, ascending within the bigram. */
  readonly trigramWords: Uint16Array;
  readonly trigramScores: Uint8Array;
  /** (N + 1) first child of each node, breadth first. */
  readonly trieChildren: Uint32Array;
  /** (N) greatest unigram log-probability of any word at or below the node. */
  readonly trieBest: Float32Array;
  /** (N) word that ends at the node, 65535 for none. */
  readonly trieWords: Uint16Array;
  /** (N) letter that leads to the node: 1 apostrophe, 2..27 a..z. */
  readonly trieLetters: Uint8Array;
}

const MAGIC = 0x4d4c584c; // "LXLM"
const VERSION = 1;
const HEADER_BYTES = 64;
/** Levels of each codebook: scores are stored as bytes. */
export const LEVELS = 256;

interface ViewOf<T> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

/** Hands out the sections one after the other. */
class Cursor {
  offset = HEADER_BYTES;
  readonly buffer: ArrayBufferLike;

  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer;
  }

  take<T extends { byteLength: number }>(View: ViewOf<T>, length: number): T {
    if (this.offset + length * View.BYTES_PER_ELEMENT > this.buffer.byteLength)
      throw new RangeError('language model: its header counts more than the file holds');
    const view = new View(this.buffer, this.offset, length);
    this.offset += Math.ceil(view.byteLength / 8) * 8;
    return view;
  }
}

/** Views of a model file's sections; throws a `RangeError` when the buffer is not a whole model of this version. */
export function ngramSections(buffer: ArrayBufferLike): NgramSections {
  if (buffer.byteLength < HEADER_BYTES) throw new RangeError('language model: shorter than its header');
  const [magic, version, words, bigrams, trigrams, trieNodes, levels, total] = new Uint32Array(buffer, 0, 8);
  if (magic !== MAGIC) throw new RangeError('language model: not an LXLM file');
  if (version !== VERSION || levels !== LEVELS)
    throw new RangeError(`language model: version ${version}, expected ${VERSION}`);
  if (total !== buffer.byteLength)
    throw new RangeError(`language model: ${buffer.byteLength} bytes, expected ${total}`);
  return views(new Cursor(buffer), words!, bigrams!, trigrams!, trieNodes!);
}

function views(
  at: Cursor,
  words: number,
  bigrams: number,
  trigrams: number,
  trieNodes: number,
): NgramSections {
  return {
    words,
    bigrams,
    trigrams,
    trieNodes,
    unigramScore: at.take(Float32Array, words),
    unigramBackoff: at.take(Float32Array, words),
    unigramBigrams: at.take(Uint32Array, words + 1),
    codebooks: at.take(Float32Array, 3 * LEVELS),
    bigramBlocks: at.take(Uint32Array, Math.floor(bigrams / 256) + 2),
    bigramOffsets: at.take(Uint16Array, bigrams + 1),
    bigramWords: at.take(Uint16Array, bigrams),
    bigramScores: at.take(Uint8Array, bigrams),
    bigramBackoffs: at.take(Uint8Array, bigrams),
    trigramWords: at.take(Uint16Array, trigrams),
    trigramScores: at.take(Uint8Array, trigrams),
    trieChildren: at.take(Uint32Array, trieNodes + 1),
    trieBest: at.take(Float32Array, trieNodes),
    trieWords: at.take(Uint16Array, trieNodes),
    trieLetters: at.take(Uint8Array, trieNodes),
  };
}
