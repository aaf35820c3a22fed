import { createHash } from 'node:crypto';
import type { VocabularyEntry } from './entry.js';

/** With 10,000 entries a changed one copies and hashes some forty others, and 256 digests of parts. */
const PARTS = 256;

interface Part {
  readonly entries: ReadonlyMap<string, VocabularyEntry>;
  /** Made when first asked for. */
  digest?: Buffer;
}

const EMPTY_PART: Part = { entries: new Map() };

/**
 * Entries by their text, immutable. A changed set shares all parts with the old one but those of the changed entries,
 * and so does its hash: that of the parts' hashes (Merkle 1987).
 */
export class EntrySet {
  static readonly empty: EntrySet = new EntrySet(new Array<Part>(PARTS).fill(EMPTY_PART), 0);

  readonly size: number;
  readonly #parts: readonly Part[];
  #hash: string | undefined;

  private constructor(parts: readonly Part[], size: number) {
    this.#parts = parts;
    this.size = size;
  }

  get(text: string): VocabularyEntry | undefined {
    return this.#parts[partOf(text)]!.entries.get(text);
  }

  /** In no particular order. */
  *[Symbol.iterator](): Generator<VocabularyEntry> {
    for (const { entries } of this.#parts) yield* entries.values();
  }

  /** SHA-256 (hex) of the entries: equal sets have equal hashes. */
  get hash(): string {
    if (this.#hash === undefined) {
      const hash = createHash('sha256');
      for (const part of this.#parts) {
        part.digest ??= digestOf(part);
        hash.update(part.digest);
      }
      this.#hash = hash.digest('hex');
    }
    return this.#hash;
  }

  /** Takes out texts, then puts in entries, each in the place of one with the same text. */
  edit(remove: Iterable<string>, set: Iterable<VocabularyEntry>): EntrySet {
    const parts = this.#parts.slice();
    const own = new Map<number, Map<string, VocabularyEntry>>();
    let { size } = this;
    const entriesOf = (text: string): Map<string, VocabularyEntry> => {
      const number = partOf(text);
      let entries = own.get(number);
      if (entries === undefined) {
        entries = new Map(parts[number]!.entries);
        own.set(number, entries);
        parts[number] = { entries };
      }
      return entries;
    };
    for (const text of remove) if (entriesOf(text).delete(text)) size -= 1;
    for (const entry of set) {
      const entries = entriesOf(entry.text);
      if (!entries.has(entry.text)) size += 1;
      entries.set(entry.text, entry);
    }
    return new EntrySet(parts, size);
  }
}

/** FNV-1a over UTF-16 units: which part holds a text. */
function partOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 16)) & (PARTS - 1);
}

function digestOf({ entries }: Part): Buffer {
  const texts = [...entries.keys()].sort();
  const lines = texts.map((text) => {
    const { weight, soundsLike } = entries.get(text)!;
    // with their lengths, since a text may hold any character
    return [text, `${weight}`, ...[...soundsLike].sort()].map((field) => `${field.length}:${field}`).join('');
  });
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line.length}:${line}`, 'utf16le');
  return hash.digest();
}
