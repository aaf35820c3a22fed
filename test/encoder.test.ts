import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWav } from '../src/audio/wav.js';
import { Windower } from '../src/audio/windower.js';
import { Batcher } from '../src/encoder/batcher.js';
import { loadBundle } from '../src/encoder/bundle.js';
import { OnnxEncoder } from '../src/encoder/onnx.js';
import type {
  EncoderRequest,
  EncoderResult,
  EncoderRuntime,
  EncoderState,
  Latency,
} from '../src/encoder/runtime.js';
import { packageRoot } from '../src/util/package-root.js';
import { DESCRIPTION } from './session-support.js';

const fixtures = join(packageRoot(), 'test', 'fixtures', 'encoder');
const model = join(packageRoot(), 'models', 'en-base');

interface Golden {
  readonly file: string;
  readonly shape: readonly [number, number];
}
interface Expected {
  readonly speech: { readonly file: string };
  readonly chunkFrames: number;
  readonly lookaheadFrames: number;
  readonly shipped: Golden;
  readonly 'torch-fp32': Golden;
}
const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Expected;
const speech = readWav(readFileSync(join(fixtures, expected.speech.file))).channels[0]!;

function golden({ file }: Golden): Float32Array {
  const bytes = readFileSync(join(fixtures, file));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

const encoders = suite('encoder: ONNX Runtime');
let encoder: OnnxEncoder;
encoders.before(async () => {
  encoder = await OnnxEncoder.load(model);
});
encoders.after(async () => {
  await encoder.close();
});

/** Log-probabilities of the speech, chunk by chunk. */
async function encodeAll(latency: Latency): Promise<Float32Array> {
  const windower = new Windower({ ...latency, frameSamples: 640 });
  const rows: Float32Array[] = [];
  let state: EncoderState = encoder.start();
  for (const { pcm, to } of [...windower.push(speech), ...windower.flush(new Float32Array(0))]) {
    const [result] = await encoder.run([{ pcm, state }], latency);
    rows.push(result!.logProbs.subwords.subarray(0, to * 257));
    state = result!.state;
  }
  return Float32Array.from(rows.flatMap((block) => [...block]));
}

encoders('chunk by chunk the shipped graph says what the exporter recorded', async () => {
  const rows = await encodeAll(expected);
  const want = golden(expected.shipped);
  let worst = 0;
  for (let i = 0; i < Math.min(want.length, rows.length); i++) {
    worst = Math.max(worst, Math.abs(want[i]! - rows[i]!));
  }
  assert.ok(rows.length >= want.length - 257 * 2);
  // other processors round their integer kernels otherwise; a wrong state or window differs by whole nats
  assert.ok(worst < 0.5, `largest difference ${worst}`);
});

encoders(
  'the shipped graph chooses the symbols of the unquantised network in nearly every frame',
  async () => {
    const rows = await encodeAll(expected);
    const want = golden(expected['torch-fp32']);
    const frames = Math.min(rows.length, want.length) / 257;
    let same = 0;
    for (let frame = 0; frame < frames; frame++) {
      if (argmax(rows, frame * 257) === argmax(want, frame * 257)) same++;
    }
    assert.ok(same / frames > 0.95, `${same} of ${frames} frames`);
  },
);

function argmax(rows: Float32Array, offset: number): number {
  let best = 0;
  for (let i = 1; i < 257; i++) if (rows[offset + i]! > rows[offset + best]!) best = i;
  return best;
}

encoders('each row of log-probabilities sums to one', async () => {
  const rows = await encodeAll(expected);
  for (let offset = 0; offset < rows.length; offset += 257) {
    const sum = rows.subarray(offset, offset + 257).reduce((total, value) => total + Math.exp(value), 0);
    assert.ok(Math.abs(sum - 1) < 1e-3);
  }
});

encoders('a stream gets the same numbers alone and among others at other positions', async () => {
  const [latency] = encoder.description.latencies;
  const size = (latency!.chunkFrames + latency!.lookaheadFrames) * 640;
  const chunk = latency!.chunkFrames * 640;
  const at = (i: number): Float32Array => speech.slice(i * chunk, i * chunk + size);
  const begun = encoder.start();
  await encoder.run([{ pcm: at(0), state: begun }], latency!);
  const states = [encoder.start(), encoder.fork(begun), encoder.fork(begun)];
  const [alone] = await encoder.run([{ pcm: at(1), state: begun }], latency!);
  const together = await encoder.run(
    [at(2), at(1), at(3)].map((pcm, i) => ({ pcm, state: states[i]! })),
    latency!,
  );
  assert.equal(together[1]!.logProbs.subwords, alone!.logProbs.subwords);
  assert.equal(together[1]!.logProbs.phones, alone!.logProbs.phones);
  assert.equal(together[1]!.state, alone!.state);
});

encoders('every latency of the bundle runs, and returns phones and, if asked, both taps', async () => {
  const deep = await OnnxEncoder.load(model, { layers: true });
  for (const latency of encoder.description.latencies) {
    const pcm = speech.slice(0, (latency.chunkFrames + latency.lookaheadFrames) * 640);
    const [result] = await deep.run([{ pcm, state: deep.start() }], latency);
    const { subwords, phones, taps, frames } = result!.logProbs;
    assert.is(frames, latency.chunkFrames);
    assert.is(subwords.length, frames * 257);
    assert.is(phones.length, frames * encoder.description.phones.length);
    assert.equal(
      taps.map((tap) => tap.length),
      encoder.description.tapWidths.map((width) => width * frames),
    );
  }
  await deep.close();
});

encoders('a stream holds at most 3 MB of state', () => {
  assert.ok(encoder.description.stateBytes <= 3e6, `${encoder.description.stateBytes} bytes`);
});

encoders('a step moves its stream on, and not the fork that was taken before', async () => {
  const [latency] = encoder.description.latencies;
  const size = (latency!.chunkFrames + latency!.lookaheadFrames) * 640;
  const state = encoder.start();
  await encoder.run([{ pcm: speech.slice(0, size), state }], latency!);
  const fork = encoder.fork(state);
  const pcm = speech.slice(size, 2 * size);
  const [once] = await encoder.run([{ pcm, state }], latency!);
  const [again] = await encoder.run([{ pcm, state: fork }], latency!);
  const [next] = await encoder.run([{ pcm, state }], latency!);
  assert.equal(again!.logProbs.subwords, once!.logProbs.subwords);
  assert.not.equal(next!.logProbs.subwords, once!.logProbs.subwords);
});

encoders('a window of the wrong size is an error that says both sizes', async () => {
  const [latency] = encoder.description.latencies;
  try {
    await encoder.run([{ pcm: new Float32Array(10), state: encoder.start() }], latency!);
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /10240 samples, not 10/);
  }
});

encoders.run();

const bundles = suite('encoder: bundle');

bundles('a folder without a bundle is an error that says what to do', async () => {
  try {
    await loadBundle(fixtures);
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /bundle\.json.*--model/s);
  }
});

bundles.run();

const batching = suite('encoder: batcher');

/** Whatever goes on by itself has gone on. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** A runtime whose steps finish when the test says. */
class SlowRuntime implements EncoderRuntime {
  readonly description = DESCRIPTION;
  readonly batches: number[][] = [];
  #finish: (() => void)[] = [];

  start(): EncoderState {
    return { tensors: [] };
  }
  fork(state: EncoderState): EncoderState {
    return state;
  }
  run(requests: readonly EncoderRequest[]): Promise<readonly EncoderResult[]> {
    this.batches.push(requests.map(({ pcm }) => pcm[0]!));
    const results = requests.map(({ pcm, state }) => ({
      logProbs: { frames: 1, subwords: pcm, phones: pcm, taps: [] },
      state,
    }));
    return new Promise((resolve) => this.#finish.push(() => resolve(results)));
  }
  async close(): Promise<void> {}
  async finishOne(): Promise<void> {
    this.#finish.shift()!();
    await settled();
  }
}

const SHORT: Latency = { chunkFrames: 2, lookaheadFrames: 2 };
const LONG: Latency = { chunkFrames: 8, lookaheadFrames: 8 };

function request(number: number): EncoderRequest {
  return { pcm: Float32Array.of(number), state: { tensors: [] } };
}

batching(
  'what gathers during a run goes into the next, at one latency each, first come first served',
  async () => {
    const runtime = new SlowRuntime();
    const batcher = new Batcher(runtime, { maxBatch: 2, gatherMs: 0, turn: async () => undefined });
    const done: number[] = [];
    const ask = (number: number, latency: Latency): void => {
      void batcher.encode(request(number), latency).then(({ logProbs }) => done.push(logProbs.subwords[0]!));
    };
    ask(1, SHORT);
    await settled();
    ask(2, SHORT);
    ask(3, LONG);
    ask(4, SHORT);
    ask(5, SHORT);
    assert.equal(runtime.batches, [[1]]);
    await runtime.finishOne();
    await runtime.finishOne();
    await runtime.finishOne();
    assert.equal(runtime.batches, [[1], [2, 4], [3], [5]]);
    await runtime.finishOne();
    assert.equal(done, [1, 2, 4, 3, 5]);
  },
);

/** A batcher that waits longer than the test runs, unless it has a reason not to. */
function patient(maxBatch: number): { readonly runtime: SlowRuntime; readonly batcher: Batcher } {
  const runtime = new SlowRuntime();
  return {
    runtime,
    batcher: new Batcher(runtime, { maxBatch, gatherMs: 60_000, turn: async () => undefined }),
  };
}

batching('what arrives in the turn before a run goes into it', async () => {
  const runtime = new SlowRuntime();
  const late: (() => void)[] = [];
  const turn = async (): Promise<void> => late.shift()?.();
  const batcher = new Batcher(runtime, { gatherMs: 0, turn });
  late.push(() => void batcher.encode(request(2), SHORT));
  void batcher.encode(request(1), SHORT);
  await settled();
  assert.equal(runtime.batches, [[1, 2]]);
});

batching('a lone stream waits for nobody', async () => {
  const runtime = new SlowRuntime();
  const batcher = new Batcher(runtime, { gatherMs: 500, turn: async () => undefined });
  void batcher.encode(request(1), SHORT);
  await settled();
  assert.equal(runtime.batches, [[1]]);
});

batching('where requests come fast, a step waits until the batch is full', async () => {
  const { runtime, batcher } = patient(3);
  void batcher.encode(request(1), SHORT);
  void batcher.encode(request(2), SHORT);
  await settled();
  assert.equal(runtime.batches, []);
  void batcher.encode(request(3), SHORT);
  await settled();
  assert.equal(runtime.batches, [[1, 2, 3]]);
});

batching('an urgent step waits for nobody, and takes along those that wait', async () => {
  const { runtime, batcher } = patient(8);
  void batcher.encode(request(1), SHORT);
  void batcher.encode(request(2), SHORT);
  await settled();
  assert.equal(runtime.batches, []);
  void batcher.encode(request(3), SHORT, { urgent: true });
  await settled();
  assert.equal(runtime.batches, [[1, 2, 3]]);
});

batching('a failed run fails its own streams and the next run goes on', async () => {
  let failed = false;
  const runtime: EncoderRuntime = {
    description: DESCRIPTION,
    start: () => ({ tensors: [] }),
    fork: (state) => state,
    run: async (requests) => {
      if (!failed) {
        failed = true;
        throw new Error('no memory');
      }
      return requests.map(({ pcm, state }) => ({
        logProbs: { frames: 1, subwords: pcm, phones: pcm, taps: [] },
        state,
      }));
    },
    close: async () => {},
  };
  const batcher = new Batcher(runtime, { maxBatch: 1, gatherMs: 0, turn: async () => undefined });
  const first = batcher.encode(request(1), SHORT).then(
    () => 'ok',
    (error: Error) => error.message,
  );
  const second = batcher.encode(request(2), SHORT).then(({ logProbs }) => logProbs.subwords[0]);
  assert.equal(await Promise.all([first, second]), ['no memory', 2]);
});

batching.run();
