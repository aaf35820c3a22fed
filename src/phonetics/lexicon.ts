import { gunzipSync } from 'node:zlib';
import { type Phone, parsePhones } from './phones.js';

const NEWLINE = 10;
const TAB = 9;
const SPACE = ' ';

/**
 * Pronouncing dictionary, read in place: lines `word TAB phones[ phones...]` in the order of their words' code points.
 * A look-up halves the bytes; nothing is parsed when it loads, and threads may share the buffer.
 */
export class Lexicon {
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder();

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** From the bytes of `lexicon.tsv.gz`, or of the same unpacked (borrowed then). */
  static fromBytes(bytes: Uint8Array): Lexicon {
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return new Lexicon(packed ? gunzipSync(bytes) : bytes);
  }

  /** The unpacked text, to be shared with other threads. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  has(word: string): boolean {
    return this.#find(word) >= 0;
  }

  /** Pronunciations of a word in lower case, the dictionary's first one first; empty when it is not listed. */
  pronunciations(word: string): readonly (readonly Phone[])[] {
    const line = this.#find(word);
    if (line < 0) return [];
    const from = this.#bytes.indexOf(TAB, line) + 1;
    // a slice, since a decoder refuses views of shared memory
    const written = this.#decoder.decode(this.#bytes.slice(from, this.#lineEnd(from)));
    return written.split(SPACE).map(parsePhones);
  }

  /** All words, in the order of their code points. */
  *words(): Generator<string> {
    for (let line = 0; line < this.#bytes.length; line = this.#lineEnd(line) + 1) {
      yield this.#decoder.decode(this.#bytes.slice(line, this.#bytes.indexOf(TAB, line)));
    }
  }

  /** Offset of the line of a word, or -1. */
  #find(word: string): number {
    let low = 0;
    let high = this.#bytes.length;
    while (low < high) {
      const line = this.#lineStart((low + high) >>> 1);
      const order = this.#compare(word, line);
      if (order === 0) return line;
      if (order < 0) high = line;
      else low = this.#lineEnd(line) + 1;
    }
    return -1;
  }

  /** Negative, zero or positive as the word comes before, at or after that of the line. */
  #compare(word: string, line: number): number {
    for (let i = 0; i < word.length; i++) {
      const byte = this.#bytes[line + i]!;
      if (byte === TAB) return 1;
      if (word.charCodeAt(i) !== byte) return word.charCodeAt(i) - byte;
    }
    return this.#bytes[line + word.length] === TAB ? 0 : -1;
  }

  #lineStart(at: number): number {
    let start = at;
    while (start > 0 && this.#bytes[start - 1] !== NEWLINE) start--;
    return start;
  }

  #lineEnd(at: number): number {
    const end = this.#bytes.indexOf(NEWLINE, at);
    return end < 0 ? this.#bytes.length : end;
  }
}
