import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelBundleError } from './bundle.js';
import type { CtcForm, FormState } from './ctc-form.js';
import { Fbank, LEAD, SHIFT, samplesFor } from './fbank.js';
import { type FormBundle, loadFormBundle } from './form-bundle.js';
import type {
  EncoderDescription,
  EncoderRequest,
  EncoderResult,
  EncoderRuntime,
  EncoderState,
  Latency,
} from './runtime.js';
import { stack, unstack } from './stack.js';

const RATE = 16_000;
/** Where the graph leaves the number of bands open. */
const USUAL_BANDS = 80;

type Data = Float32Array | BigInt64Array;

/** State of one stream: what the graph hands on, and the end of the audio that the last step decided. */
interface FormStream extends EncoderState {
  readonly tensors: readonly Data[];
  /** The `LEAD` samples before the next step; none at the begin of a stream. */
  readonly before: Float32Array | undefined;
}

/**
 * A streaming CTC model over filterbanks in ONNX Runtime, in either of the forms that sherpa-onnx runs. It has no
 * phones and no taps, one latency, and otherwise the same steps as the gateway's own network.
 */
export class FbankEncoder implements EncoderRuntime {
  readonly description: EncoderDescription;
  readonly #session: InferenceSession;
  readonly #form: CtcForm;
  readonly #fbank: Fbank;
  /** Output rows of a step. */
  readonly #rows: number;
  readonly #symbols: number;

  private constructor({ name, version, form, tokens }: FormBundle, session: InferenceSession, probe: Probe) {
    this.#session = session;
    this.#form = form;
    this.#fbank = new Fbank(probe.bands, form.features);
    this.#rows = probe.rows;
    this.#symbols = tokens.pieces.length + 1;
    const frameSamples = (form.shift * SHIFT) / probe.rows;
    const ahead = samplesFor(form.window) - form.shift * SHIFT;
    this.description = {
      name,
      version,
      sampleRate: RATE,
      frameSamples,
      pieces: tokens.pieces,
      blank: tokens.blank,
      phones: [],
      tapWidths: [],
      latencies: [{ chunkFrames: probe.rows, lookaheadFrames: Math.max(0, Math.ceil(ahead / frameSamples)) }],
      stateBytes: form.states.reduce((sum, state) => sum + zeros(state).byteLength, 4 * LEAD),
    };
  }

  /** Loads a bundle and takes a step of silence, which tells whether metadata, tokens and graph agree. */
  static async load(folder: string, { threads = 1 }: { threads?: number } = {}): Promise<FbankEncoder> {
    const bundle = await loadFormBundle(folder);
    try {
      const session = await InferenceSession.create(bundle.graph, {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
      });
      return new FbankEncoder(bundle, session, await probe(session, bundle));
    } catch (cause) {
      throw new ModelBundleError(
        `${folder}: the model does not run: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }

  start(): FormStream {
    return { tensors: this.#form.states.map(zeros), before: undefined };
  }

  /** A step makes new tensors, and none is written to: whoever goes on from here may share them. */
  fork(state: EncoderState): EncoderState {
    return state;
  }

  async run(requests: readonly EncoderRequest[], latency: Latency): Promise<readonly EncoderResult[]> {
    const samples = (latency.chunkFrames + latency.lookaheadFrames) * this.description.frameSamples;
    const streams = requests.map(({ pcm, state }) => {
      if (pcm.length !== samples) throw new RangeError(`a step takes ${samples} samples, not ${pcm.length}`);
      return { pcm, state: state as FormStream };
    });
    const features = streams.map(({ pcm, state }) =>
      this.#fbank.compute(pcm, state.before, this.#form.window),
    );
    const states = this.#form.states.map((state, i) =>
      stack(
        streams.map((stream) => stream.state.tensors[i]!),
        inner(state),
      ),
    );
    const batch = requests.length;
    const { logProbs, next } = await step(this.#session, this.#form, { batch, features, states });
    const rows = unstack(
      normalised(logProbs.data as Float32Array, this.#symbols),
      batch,
      this.#rows * this.#symbols,
    );
    const following = next.map((data, i) => unstack(data, batch, inner(this.#form.states[i]!)));
    const chunk = this.#form.shift * SHIFT;
    return streams.map(({ pcm }, b) => ({
      logProbs: { frames: this.#rows, subwords: rows[b]!, phones: new Float32Array(0), taps: [] },
      state: { tensors: following.map((parts) => parts[b]!), before: pcm.slice(chunk - LEAD, chunk) },
    }));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

interface Step {
  readonly batch: number;
  /** A stream's filterbanks each, row-major (window, bands). */
  readonly features: readonly Float32Array[];
  /** Stacked. */
  readonly states: readonly Data[];
}

/** Inputs and outputs go by their order, as in sherpa-onnx: their names differ from exporter to exporter. */
async function step(
  session: InferenceSession,
  form: CtcForm,
  { batch, features, states }: Step,
): Promise<{ readonly logProbs: Tensor; readonly next: readonly Data[] }> {
  const bands = features[0]!.length / form.window;
  const inputs = [
    form.bandsFirst
      ? floats(
          features.map((each) => transposed(each, bands)),
          [batch, bands, form.window],
        )
      : floats(features, [batch, form.window, bands]),
    ...(form.takesLength
      ? [new Tensor('int64', new BigInt64Array(batch).fill(BigInt(form.window)), [batch])]
      : []),
    ...form.states.map((state, i) => tensorOf(state, states[i]!, batch)),
  ];
  const feeds = Object.fromEntries(inputs.map((input, i) => [session.inputNames[i]!, input]));
  const outputs = await session.run(feeds);
  const [logProbs, ...rest] = session.outputNames.map((name) => outputs[name]!);
  const next = rest.slice(form.skippedOutputs).map((tensor) => tensor.data as Data);
  return { logProbs: logProbs!, next };
}

interface Probe {
  readonly bands: number;
  readonly rows: number;
}

async function probe(session: InferenceSession, { form, tokens }: FormBundle): Promise<Probe> {
  const inputs = form.states.length + (form.takesLength ? 2 : 1);
  const outputs = form.states.length + form.skippedOutputs + 1;
  if (session.inputNames.length !== inputs || session.outputNames.length !== outputs) {
    throw new ModelBundleError(
      `it has ${session.inputNames.length} inputs and ${session.outputNames.length} outputs, by its metadata they are ${inputs} and ${outputs}.`,
    );
  }
  const [features] = session.inputMetadata;
  const shape = features?.isTensor ? features.shape : [];
  if (typeof shape[0] === 'number' && shape[0] > 0) {
    throw new ModelBundleError(`its batch is fixed at ${shape[0]}; export it with a batch of any size.`);
  }
  const given = shape[form.bandsFirst ? 1 : 2];
  const bands = typeof given === 'number' && given > 0 ? given : USUAL_BANDS;
  const { logProbs } = await step(session, form, {
    batch: 1,
    features: [new Float32Array(form.window * bands)],
    states: form.states.map(zeros),
  });
  const [, rows = 0, symbols] = logProbs.dims;
  if (symbols !== tokens.pieces.length + 1) {
    throw new ModelBundleError(
      `it writes ${symbols} symbols, tokens.txt has ${tokens.pieces.length + 1}: they do not belong together.`,
    );
  }
  if (rows < 1 || (form.shift * SHIFT) % rows !== 0) {
    throw new ModelBundleError(`a step of ${form.shift} frames gives ${rows} rows, which do not divide it.`);
  }
  return { bands, rows };
}

function zeros({ type, shape }: FormState): Data {
  const size = shape.reduce((product, n) => product * n, 1);
  return type === 'int64' ? new BigInt64Array(size) : new Float32Array(size);
}

function inner({ shape, axis }: FormState): number {
  return shape.slice(axis + 1).reduce((product, n) => product * n, 1);
}

function floats(parts: readonly Float32Array[], dims: readonly number[]): Tensor {
  return new Tensor('float32', stack(parts, parts[0]!.length), dims);
}

function tensorOf({ shape, axis }: FormState, data: Data, batch: number): Tensor {
  const dims = shape.with(axis, batch);
  return data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('int64', data, dims);
}

/** (frames, bands) as (bands, frames). */
function transposed(rows: Float32Array, bands: number): Float32Array {
  const frames = rows.length / bands;
  return Float32Array.from(rows, (_, i) => rows[(i % frames) * bands + Math.floor(i / frames)]!);
}

/** Natural log-probabilities, in place, also of an export that ends before its softmax. */
function normalised(rows: Float32Array, width: number): Float32Array {
  for (let offset = 0; offset < rows.length; offset += width) {
    const row = rows.subarray(offset, offset + width);
    const top = row.reduce((most, value) => Math.max(most, value), -Infinity);
    const total = top + Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
    for (let i = 0; i < width; i++) row[i] = row[i]! - total;
  }
  return rows;
}
