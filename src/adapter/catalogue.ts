import { normaliseEntry } from '../biasing/normalise.js';
import type { AdapterRuntime, Embedding, EntrySymbols } from './runtime.js';
import { SubwordTokeniser } from './subwords.js';

/** 5,000 embeddings take some 17 MB. Lists that sessions share are kept beside (`EmbeddedLists`). */
const MAX_KEPT = 5000;

export interface CataloguedEntry {
  readonly text: string;
  /** How it is said: ids of phones. */
  readonly phones: readonly number[];
}

/**
 * Embeddings of entries, remembered by what the catalogue reads of them, so that sessions which list the same names
 * embed them once. The longest unused are forgotten.
 */
export class Catalogue {
  readonly #runtime: AdapterRuntime;
  readonly #tokeniser: SubwordTokeniser;
  readonly #maxKept: number;
  /** Least recently used first. */
  readonly #kept = new Map<string, Embedding>();

  constructor(runtime: AdapterRuntime, maxKept = MAX_KEPT) {
    const { pieces, pieceScores } = runtime.description;
    this.#runtime = runtime;
    this.#tokeniser = new SubwordTokeniser(pieces, pieceScores);
    this.#maxKept = maxKept;
  }

  /** Numbers of a key. */
  get keySize(): number {
    return this.#runtime.description.keySize;
  }

  /** One embedding for each, in order; undefined where nothing of the text can be spelled. */
  async embed(entries: readonly CataloguedEntry[]): Promise<readonly (Embedding | undefined)[]> {
    const asked = entries.map((entry) => this.#symbols(entry));
    const keys = asked.map((symbols) => symbols && keyOf(symbols));
    const missing = new Map<string, EntrySymbols>();
    for (const [i, key] of keys.entries()) {
      if (key !== undefined && !this.#kept.has(key)) missing.set(key, asked[i]!);
    }
    const made = await this.#runtime.embed([...missing.values()]);
    const fresh = new Map([...missing.keys()].map((key, i) => [key, made[i]!]));
    return keys.map((key) => {
      if (key === undefined) return undefined;
      const embedding = this.#kept.get(key) ?? fresh.get(key);
      if (embedding !== undefined) this.#keep(key, embedding);
      return embedding;
    });
  }

  #keep(key: string, embedding: Embedding): void {
    this.#kept.delete(key);
    this.#kept.set(key, embedding);
    if (this.#kept.size > this.#maxKept) this.#kept.delete(this.#kept.keys().next().value!);
  }

  #symbols({ text, phones }: CataloguedEntry): EntrySymbols | undefined {
    const spelled = normaliseEntry(text);
    if (spelled === undefined) return undefined;
    const { subwordsMax, phonesMax } = this.#runtime.description;
    return {
      subwords: this.#tokeniser.encode(spelled).slice(0, subwordsMax),
      phones: phones.slice(0, phonesMax),
    };
  }
}

function keyOf({ subwords, phones }: EntrySymbols): string {
  return String.fromCharCode(...subwords, 0xffff, ...phones);
}
