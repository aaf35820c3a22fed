import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { AdapterFiles } from './bundle.js';
import type {
  AdapterDescription,
  AdapterRuntime,
  Biased,
  EmbeddedList,
  Embedding,
  EntrySymbols,
  Layers,
} from './runtime.js';

/** Entries of one run of the catalogue: some milliseconds, after which recognition has its turn. */
const ENTRIES = 64;

/** The two graphs of `training/adapter_graph.py` in ONNX Runtime, one thread each. */
export class OnnxAdapter implements AdapterRuntime {
  readonly description: AdapterDescription;
  readonly #catalogue: InferenceSession;
  readonly #adapter: InferenceSession;
  /** A list as tensors: made once, however many runs it takes part in. */
  readonly #tensors = new WeakMap<EmbeddedList, Record<'keys' | 'values' | 'owners', Tensor>>();

  private constructor(
    description: AdapterDescription,
    catalogue: InferenceSession,
    adapter: InferenceSession,
  ) {
    this.description = description;
    this.#catalogue = catalogue;
    this.#adapter = adapter;
  }

  static async load({ description, catalogue, adapter }: AdapterFiles): Promise<OnnxAdapter> {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1 } as const;
    const sessions = [catalogue, adapter].map((graph) => InferenceSession.create(graph, options));
    const [first, second] = await Promise.all(sessions);
    return new OnnxAdapter(description, first!, second!);
  }

  async embed(entries: readonly EntrySymbols[]): Promise<readonly Embedding[]> {
    const { keySize, valueSize, subwordsMax, phonesMax, stride } = this.description;
    const embeddings: Embedding[] = [];
    for (let from = 0; from < entries.length; from += ENTRIES) {
      const part = entries.slice(from, from + ENTRIES);
      const { keys, values } = await this.#catalogue.run({
        subwords: filled(
          part.map((entry) => entry.subwords),
          subwordsMax,
        ),
        phones: filled(
          part.map((entry) => entry.phones),
          phonesMax,
        ),
      });
      const rows = Math.ceil(phonesMax / stride);
      const own = (tensor: Tensor, size: number, i: number, places: number): Float32Array =>
        (tensor.data as Float32Array).slice(i * rows * size, (i * rows + places) * size);
      part.forEach((entry, i) => {
        const places = Math.max(1, Math.ceil(entry.phones.length / stride));
        embeddings.push({
          keys: own(keys!, keySize, i, places),
          values: own(values!, valueSize, i, places),
        });
      });
    }
    return embeddings;
  }

  async bias(blocks: readonly Layers[], list: EmbeddedList): Promise<readonly Biased[]> {
    const { frames } = blocks[0]!;
    const shape = [blocks.length, frames, this.description.width];
    const layer = (of: (block: Layers) => Float32Array): Tensor =>
      new Tensor('float32', sideBySide(blocks.map(of)), shape);
    const { log_probs, weights, entries } = await this.#adapter.run({
      hidden: layer((block) => block.hidden),
      tap0: layer((block) => block.taps[0]!),
      tap1: layer((block) => block.taps[1]!),
      ...this.#of(list),
    });
    const part = <T extends Float32Array | BigInt64Array>(tensor: Tensor, i: number): T => {
      const data = tensor.data as T;
      const length = data.length / blocks.length;
      return data.slice(i * length, (i + 1) * length) as T;
    };
    return blocks.map((_, i) => ({
      subwords: part<Float32Array>(log_probs!, i),
      weights: part<Float32Array>(weights!, i),
      entries: Int32Array.from(part<BigInt64Array>(entries!, i), Number),
    }));
  }

  async close(): Promise<void> {
    await Promise.all([this.#catalogue.release(), this.#adapter.release()]);
  }

  #of(list: EmbeddedList): Record<'keys' | 'values' | 'owners', Tensor> {
    let tensors = this.#tensors.get(list);
    if (tensors === undefined) {
      const places = list.owners.length;
      const { keySize, valueSize } = this.description;
      tensors = {
        keys: new Tensor('float32', list.keys, [places, keySize]),
        values: new Tensor('float32', list.values, [places, valueSize]),
        owners: new Tensor('int64', list.owners, [places]),
      };
      this.#tensors.set(list, tensors);
    }
    return tensors;
  }
}

/** Ids, one higher, in rows of one length; 0 fills up. Always the same length: an embedding must not depend on company. */
function filled(rows: readonly (readonly number[])[], length: number): Tensor {
  const ids = new BigInt64Array(rows.length * length);
  for (const [i, row] of rows.entries()) {
    for (const [j, id] of row.slice(0, length).entries()) ids[i * length + j] = BigInt(id + 1);
  }
  return new Tensor('int64', ids, [rows.length, length]);
}

function sideBySide(parts: readonly Float32Array[]): Float32Array {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const out = new Float32Array(parts.length * first!.length);
  for (const [i, part] of parts.entries()) out.set(part, i * part.length);
  return out;
}
