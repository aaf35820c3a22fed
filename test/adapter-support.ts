import type {
  AdapterRuntime,
  Biased,
  EmbeddedList,
  Embedding,
  EntrySymbols,
  Layers,
} from '../src/adapter/runtime.js';

/** An adapter of keys of one number, which returns the last layer as log-probabilities, and counts what is asked of it. */
export class FakeAdapter implements AdapterRuntime {
  readonly description = {
    keySize: 1,
    valueSize: 1,
    shortlist: 4,
    subwordsMax: 8,
    phonesMax: 8,
    stride: 2,
    pieces: ['', '▁', 'a', 'n'],
    pieceScores: [0, -1, -1, -1],
    phones: ['x', 'y', 'z'],
    width: 1,
  };
  /** Entries of each call of `embed`. */
  readonly embedded: number[] = [];
  /** Of the last call. */
  asked: readonly EntrySymbols[] = [];
  /** Streams of each run. */
  readonly runs: number[] = [];
  failing = false;

  async embed(entries: readonly EntrySymbols[]): Promise<readonly Embedding[]> {
    this.embedded.push(entries.length);
    this.asked = entries;
    return entries.map(({ subwords, phones }) => ({
      keys: Float32Array.of(subwords.length),
      values: Float32Array.of(phones.length),
    }));
  }

  async bias(blocks: readonly Layers[], list: EmbeddedList): Promise<readonly Biased[]> {
    this.runs.push(blocks.length);
    await Promise.resolve();
    if (this.failing) throw new Error('out of order');
    const weights = new Float32Array(1 + list.embeddings.size);
    return blocks.map(({ hidden }) => ({ subwords: hidden, weights, entries: new Int32Array(1) }));
  }

  async close(): Promise<void> {}
}
