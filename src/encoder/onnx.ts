import { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadBundle, type ModelBundle } from './bundle.js';
import type {
  EncoderDescription,
  EncoderRequest,
  EncoderResult,
  EncoderRuntime,
  EncoderState,
  Latency,
  LogProbs,
} from './runtime.js';
import { type OnnxState, StreamStates, sideBySide } from './state.js';

export interface OnnxEncoderOptions {
  /**
   * One thread per runtime by default: parallelism comes from running several, one per worker, since a chunk's
   * products are too small to gain from being split.
   */
  readonly threads?: number;
  /** Whether steps return the intermediate layers and the last one. */
  readonly layers?: boolean;
}

/**
 * The encoder graph in ONNX Runtime. A step of several streams is one run: their states, at whatever position each
 * stream is, lie side by side on the batch axis.
 */
export class OnnxEncoder implements EncoderRuntime {
  readonly description: EncoderDescription;
  readonly #session: InferenceSession;
  readonly #states: StreamStates;
  readonly #taps: readonly string[];
  readonly #hidden: boolean;
  readonly #wanted: readonly string[];
  #pcm = new Float32Array(0);

  private constructor(bundle: ModelBundle, session: InferenceSession, layers: boolean) {
    this.description = bundle.description;
    this.#states = new StreamStates(bundle.state);
    this.#session = session;
    this.#taps = layers ? bundle.description.tapWidths.map((_, i) => `tap${i}`) : [];
    this.#hidden = layers && session.outputNames.includes('hidden');
    const ofState = session.outputNames.filter((name) => /^(next|new)_/.test(name));
    const last = this.#hidden ? ['hidden'] : [];
    this.#wanted = ['log_probs', 'phone_log_probs', ...this.#taps, ...last, ...ofState];
  }

  static async load(
    folder: string,
    { threads = 1, layers = false }: OnnxEncoderOptions = {},
  ): Promise<OnnxEncoder> {
    const bundle = await loadBundle(folder);
    const session = await InferenceSession.create(bundle.graph, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
    });
    return new OnnxEncoder(bundle, session, layers);
  }

  start(): EncoderState {
    return this.#states.start();
  }

  fork(state: EncoderState): EncoderState {
    return this.#states.fork(state as OnnxState);
  }

  async run(requests: readonly EncoderRequest[], latency: Latency): Promise<readonly EncoderResult[]> {
    const states = requests.map(({ state }) => state as OnnxState);
    const feeds = {
      pcm: this.#samples(requests, latency),
      lookahead: new Tensor('int64', BigInt64Array.of(BigInt(latency.lookaheadFrames)), [1]),
      ...this.#states.feeds(states),
    };
    const outputs = await this.#session.run(feeds, this.#wanted);
    this.#states.advance(states, latency, outputs);
    const ofStream = (name: string, b: number): Float32Array => {
      const data = outputs[name]!.data as Float32Array;
      const size = data.length / requests.length;
      // a copy, so that no stream keeps its neighbours' memory alive
      return requests.length === 1 ? data : data.slice(b * size, (b + 1) * size);
    };
    return requests.map(({ state }, b) => ({
      logProbs: {
        frames: latency.chunkFrames,
        subwords: ofStream('log_probs', b),
        phones: ofStream('phone_log_probs', b),
        taps: this.#taps.map((tap) => ofStream(tap, b)),
        ...(this.#hidden && { hidden: ofStream('hidden', b) }),
      } satisfies LogProbs,
      state,
    }));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  #samples(requests: readonly EncoderRequest[], { chunkFrames, lookaheadFrames }: Latency): Tensor {
    const samples = (chunkFrames + lookaheadFrames) * this.description.frameSamples;
    for (const { pcm } of requests) {
      if (pcm.length !== samples) throw new RangeError(`a step takes ${samples} samples, not ${pcm.length}`);
    }
    const all = requests.length * samples;
    if (this.#pcm.length < all) this.#pcm = new Float32Array(all);
    const pcm = sideBySide(
      requests.map((request) => request.pcm),
      this.#pcm,
    );
    return new Tensor('float32', pcm, [requests.length, samples]);
  }
}
