/**
 * The 28 symbols over which entries are matched: `▁` (a word begins), the apostrophe and a to z, numbered in the
 * order of their spellings' code points, so that sorted spellings are sorted symbol strings.
 */
export const WORD_BEGIN = 0;
export const SYMBOLS = 28;
export const WORD_MARK = '▁';

const APOSTROPHE_CODE = 0x27;
const SPACE_CODE = 0x20;
const A_CODE = 0x61;
const WORD_MARK_CODE = 0x2581;

/** Symbol of a UTF-16 unit, a space counting as `▁`; -1 for anything else. */
export function symbolOf(code: number): number {
  if (code >= A_CODE && code < A_CODE + 26) return code - A_CODE + 2;
  if (code === APOSTROPHE_CODE) return 1;
  return code === SPACE_CODE || code === WORD_MARK_CODE ? WORD_BEGIN : -1;
}

/** The model's subword pieces as symbol strings, flat. */
export class PieceTable {
  readonly size: number;
  readonly pieces: readonly string[];
  /** Symbols of piece p are `symbols[offset[p]]` up to `symbols[offset[p + 1]]`; none for a foreign piece. */
  readonly symbols: Uint8Array;
  readonly offset: Uint32Array;
  /** 1 where a piece begins a word. */
  readonly startsWord: Uint8Array;
  /**
   * 1 where a piece shows that the word before it is complete: it begins a word, or it begins with an apostrophe
   * ("smith" + "'s"; that also lets through the "don" of "don't", which such an entry's own weight can settle).
   */
  readonly endsMatch: Uint8Array;
  /** 1 where a piece cannot be part of an entry: other characters, or `▁` elsewhere than in front. */
  readonly foreign: Uint8Array;
  /** 1 where a piece stands for something that is no text (`<unk>`). */
  readonly control: Uint8Array;

  constructor(pieces: readonly string[]) {
    this.pieces = pieces;
    this.size = pieces.length;
    this.offset = new Uint32Array(pieces.length + 1);
    this.startsWord = new Uint8Array(pieces.length);
    this.endsMatch = new Uint8Array(pieces.length);
    this.foreign = new Uint8Array(pieces.length);
    this.control = new Uint8Array(pieces.length);
    const all: number[] = [];
    for (const [id, piece] of pieces.entries()) {
      const symbols = Array.from(piece, (letter) => (letter === ' ' ? -1 : symbolOf(letter.charCodeAt(0))));
      this.startsWord[id] = piece.startsWith(WORD_MARK) ? 1 : 0;
      this.endsMatch[id] = this.startsWord[id] === 1 || piece.startsWith("'") ? 1 : 0;
      this.control[id] = /^<.+>$/.test(piece) ? 1 : 0;
      const foreign = symbols.length === 0 || symbols.includes(-1) || symbols.indexOf(WORD_BEGIN, 1) > 0;
      this.foreign[id] = foreign ? 1 : 0;
      if (!foreign) all.push(...symbols);
      this.offset[id + 1] = all.length;
    }
    this.symbols = Uint8Array.from(all);
  }

  /** Number of symbols of a piece, `▁` included. */
  length(piece: number): number {
    return this.offset[piece + 1]! - this.offset[piece]!;
  }
}
