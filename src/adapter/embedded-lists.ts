import type { Catalogue } from './catalogue.js';
import type { EmbeddedList, Embedding } from './runtime.js';

/** Bytes of lists that are kept for sessions to come; those in use are held by their sessions. One of 10,000
 * entries takes 35 MB. */
const MAX_BYTES = 64 * 2 ** 20;

/** Lists with all their embeddings, by the hash of the list, so that sessions with one list share it. */
export class EmbeddedLists {
  readonly catalogue: Catalogue;
  readonly #maxBytes: number;
  /** Least recently used first. */
  readonly #kept = new Map<string, EmbeddedList>();
  #bytes = 0;

  constructor(catalogue: Catalogue, maxBytes = MAX_BYTES) {
    this.catalogue = catalogue;
    this.#maxBytes = maxBytes;
  }

  /** Embeddings side by side; undefined where there are none. */
  list(entries: ReadonlyMap<string, Embedding>): EmbeddedList | undefined {
    return embeddedList(entries, this.catalogue.keySize);
  }

  find(hash: string): EmbeddedList | undefined {
    const list = this.#kept.get(hash);
    if (list === undefined) return undefined;
    this.#kept.delete(hash);
    this.#kept.set(hash, list);
    return list;
  }

  /** @returns the list that stands for the hash from now on: who comes second gets the first one's */
  keep(hash: string, list: EmbeddedList): EmbeddedList {
    const before = this.find(hash);
    if (before !== undefined) return before;
    this.#kept.set(hash, list);
    this.#bytes += bytesOf(list);
    for (const [oldest, gone] of this.#kept) {
      if (this.#bytes <= this.#maxBytes || oldest === hash) break;
      this.#kept.delete(oldest);
      this.#bytes -= bytesOf(gone);
    }
    return list;
  }
}

/** Embeddings side by side; undefined where there are none. @param keySize numbers of a key */
export function embeddedList(
  entries: ReadonlyMap<string, Embedding>,
  keySize: number,
): EmbeddedList | undefined {
  if (entries.size === 0) return undefined;
  const all = [...entries.values()];
  const keys = joined(all.map((each) => each.keys));
  const values = joined(all.map((each) => each.values));
  const places = keys.length / keySize;
  const valueSize = values.length / places;
  const owners = new BigInt64Array(places);
  // views, so that a list is in memory once
  const embeddings = new Map<string, Embedding>();
  let at = 0;
  for (const [name, each] of entries) {
    const end = at + each.keys.length / keySize;
    owners.fill(BigInt(embeddings.size), at, end);
    embeddings.set(name, {
      keys: keys.subarray(at * keySize, end * keySize),
      values: values.subarray(at * valueSize, end * valueSize),
    });
    at = end;
  }
  const numbers = [...embeddings.keys()].map((name, i) => [name.split('\n')[0]!, i] as const);
  return { embeddings, places: new Map(numbers), keys, values, owners };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function bytesOf({ keys, values, owners }: EmbeddedList): number {
  return keys.byteLength + values.byteLength + owners.byteLength;
}
