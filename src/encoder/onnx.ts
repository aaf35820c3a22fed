import { InferenceSession, Tensor } from 'onnxruntime-node';
import { elements, loadBundle, type ModelBundle, type StateTensor } from './bundle.js';
import type {
  EncoderDescription,
  EncoderRequest,
  EncoderResult,
  EncoderRuntime,
  EncoderState,
  Latency,
  LogProbs,
} from './runtime.js';

type Data = Float32Array | Uint16Array | BigInt64Array;

/** State of one stream: a typed array per state tensor of the graph, without batch axis. */
interface OnnxState extends EncoderState {
  readonly tensors: readonly Data[];
}

const ARRAY = { float32: Float32Array, float16: Uint16Array, int64: BigInt64Array } as const;

/**
 * The encoder graph in ONNX Runtime. A step of several streams is one run: their states, at whatever position each
 * stream is, lie side by side on the batch axis.
 */
export class OnnxEncoder implements EncoderRuntime {
  readonly description: EncoderDescription;
  readonly #session: InferenceSession;
  readonly #state: readonly StateTensor[];

  private constructor(bundle: ModelBundle, session: InferenceSession) {
    this.description = bundle.description;
    this.#state = bundle.state;
    this.#session = session;
  }

  /**
   * Loads a bundle. One thread per runtime by default: parallelism comes from running several, one per worker, since
   * a chunk's products are too small to gain from being split.
   */
  static async load(folder: string, { threads = 1 }: { threads?: number } = {}): Promise<OnnxEncoder> {
    const bundle = await loadBundle(folder);
    const session = await InferenceSession.create(bundle.graph, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
    });
    return new OnnxEncoder(bundle, session);
  }

  start(): OnnxState {
    return { tensors: this.#state.map((tensor) => new ARRAY[tensor.type](elements(tensor))) };
  }

  async run(requests: readonly EncoderRequest[], latency: Latency): Promise<readonly EncoderResult[]> {
    const batch = requests.length;
    const feeds: Record<string, Tensor> = {
      pcm: this.#pcm(requests, latency),
      lookahead: new Tensor('int64', BigInt64Array.of(BigInt(latency.lookaheadFrames)), [1]),
    };
    this.#state.forEach((tensor, i) => {
      const parts = requests.map((request) => (request.state as OnnxState).tensors[i]!);
      feeds[tensor.name] = toTensor(tensor, parts);
    });
    const outputs = await this.#session.run(feeds);
    const next = this.#state.map((tensor) => split(outputs[`next_${tensor.name}`]!.data as Data, batch));
    const floats = (name: string): Float32Array[] => split(outputs[name]!.data as Float32Array, batch);
    const subwords = floats('log_probs');
    const phones = floats('phone_log_probs');
    const taps = this.description.tapWidths.map((_, i) => floats(`tap${i}`));
    return requests.map((_, b) => ({
      logProbs: {
        frames: latency.chunkFrames,
        subwords: subwords[b]!,
        phones: phones[b]!,
        taps: taps.map((tap) => tap[b]!),
      } satisfies LogProbs,
      state: { tensors: next.map((parts) => parts[b]!) },
    }));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  #pcm(requests: readonly EncoderRequest[], { chunkFrames, lookaheadFrames }: Latency): Tensor {
    const samples = (chunkFrames + lookaheadFrames) * this.description.frameSamples;
    for (const { pcm } of requests) {
      if (pcm.length !== samples) throw new RangeError(`a step takes ${samples} samples, not ${pcm.length}`);
    }
    return new Tensor('float32', concatenate(requests.map((request) => request.pcm)), [
      requests.length,
      samples,
    ]);
  }
}

function toTensor({ type, shape }: StateTensor, parts: readonly Data[]): Tensor {
  const dims = [parts.length, ...shape];
  const data = concatenate(parts);
  if (type === 'int64') return new Tensor('int64', data as BigInt64Array, dims);
  if (type === 'float16') return new Tensor('float16', data as Uint16Array, dims);
  return new Tensor('float32', data as Float32Array, dims);
}

/** Streams side by side on a new batch axis; a lone stream is passed on without copying. */
function concatenate<T extends Data>(parts: readonly T[]): T {
  const [first] = parts;
  if (first === undefined) throw new RangeError('a step needs at least one stream');
  if (parts.length === 1) return first;
  const out = new (first.constructor as new (length: number) => T)(first.length * parts.length);
  parts.forEach((part, i) => {
    out.set(part as never, i * first.length);
  });
  return out;
}

/** The streams of a batch apart again, each a copy, so that no stream keeps its neighbours' memory alive. */
function split<T extends Data>(data: T, batch: number): T[] {
  if (batch === 1) return [data];
  const length = data.length / batch;
  return Array.from({ length: batch }, (_, b) => data.slice(b * length, (b + 1) * length) as T);
}
