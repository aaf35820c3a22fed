import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWav } from '../src/audio/wav.js';
import { DEFAULT_ENDPOINT } from '../src/decoder/endpoint.js';
import { Batcher } from '../src/encoder/batcher.js';
import { OnnxEncoder } from '../src/encoder/onnx.js';
import type { EncoderState } from '../src/encoder/runtime.js';
import type { AudioFormat, FinalMessage } from '../src/protocol/messages.js';
import type { RecogniserConfig, RecogniserEvent } from '../src/session/recogniser.js';
import { Transcriber } from '../src/session/transcriber.js';
import { packageRoot } from '../src/util/package-root.js';

const test = suite('transcriber, with the real network');
const wav = readWav(readFileSync(join(packageRoot(), 'test', 'fixtures', 'encoder', 'speech.wav')));
const speech = wav.channels[0]!;

let encoder: OnnxEncoder;
let batcher: Batcher;
test.before(async () => {
  encoder = await OnnxEncoder.load(join(packageRoot(), 'models', 'en-base'));
  batcher = new Batcher(encoder);
});
test.after(async () => {
  await encoder.close();
});

const MONO: AudioFormat = { encoding: 's16le', sampleRate: 16_000, channels: 1 };

function config(changes: Partial<RecogniserConfig> = {}): RecogniserConfig {
  return {
    audio: MONO,
    latency: encoder.description.latencies[0]!,
    beam: 8,
    partials: true,
    partialIntervalMs: 0,
    nBest: 1,
    languageModel: false,
    explain: false,
    biasing: {
      adaptive: true,
      unigram: true,
      phonetic: false,
      lexicon: false,
      g2g: false,
      encoder: false,
      acceptance: true,
    },
    endpoint: DEFAULT_ENDPOINT,
    vocabulary: [],
    maxEntries: 100,
    maxEntryLength: 100,
    ...changes,
  };
}

function s16(samples: Float32Array): Uint8Array {
  return new Uint8Array(Int16Array.from(samples, (value) => Math.round(value * 32_768)).buffer);
}

class Run {
  readonly events: RecogniserEvent[] = [];
  readonly #transcriber: Transcriber;
  #waiting: { readonly type: RecogniserEvent['type']; readonly resolve: () => void }[] = [];

  private constructor(open: (emit: (event: RecogniserEvent) => void) => Transcriber) {
    this.#transcriber = open(() => undefined);
  }

  static async start(changes: Partial<RecogniserConfig> = {}): Promise<Run> {
    let run: Run | undefined;
    const { transcriber } = await Transcriber.open(config(changes), { batcher }, (event) =>
      run?.heard(event),
    );
    run = new Run(() => transcriber);
    return run;
  }

  heard(event: RecogniserEvent): void {
    this.events.push(event);
    this.#waiting = this.#waiting.filter(({ type, resolve }) => {
      if (type !== event.type) return true;
      resolve();
      return false;
    });
  }

  audio(bytes: Uint8Array): void {
    this.#transcriber.command({ type: 'audio', bytes: bytes.slice() });
  }

  async boundary(type: 'flush' | 'stop'): Promise<void> {
    const answered = this.next(type === 'flush' ? 'flushed' : 'stopped');
    this.#transcriber.command({ type: 'boundary', boundary: { type } });
    await answered;
  }

  mark(id: string): void {
    this.#transcriber.command({ type: 'boundary', boundary: { type: 'mark', id } });
  }

  update(id: string, replace: string[]): void {
    const entries = replace.map((text) => ({ text, weight: 1, soundsLike: [] }));
    const change = { replace: entries };
    this.#transcriber.command({ type: 'vocabulary', id, change, at: 'now', retroactive: false });
  }

  next(type: RecogniserEvent['type']): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ type, resolve }));
  }

  /** Everything that clients see, in order. */
  get messages(): RecogniserEvent[] {
    return this.events.filter((event) => event.type !== 'progress');
  }

  get finals(): FinalMessage[] {
    return this.events.filter((event) => event.type === 'final');
  }

  get text(): string {
    return this.finals.map(({ text }) => text).join(' ');
  }
}

async function transcribe(packets: Uint8Array[], changes: Partial<RecogniserConfig> = {}): Promise<Run> {
  const run = await Run.start(changes);
  for (const packet of packets) run.audio(packet);
  await run.boundary('stop');
  return run;
}

test('speech becomes words in order, with times within the audio', async () => {
  const run = await transcribe([s16(speech)]);
  const words = run.finals.flatMap(({ words }) => words);
  assert.ok(words.length > 5, run.text);
  for (const [i, word] of words.entries()) {
    assert.ok(word.startSample < word.endSample || word.endSample === speech.length);
    assert.ok(i === 0 || word.startSample >= words[i - 1]!.startSample);
    assert.ok(word.endSample <= speech.length);
    assert.is(word.start, Math.round(word.startSample / 16) / 1000);
  }
});

test('any split of the audio into packets gives the same messages', async () => {
  const bytes = s16(speech);
  const whole = await transcribe([bytes]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 20 }),
      async (sizes) => {
        const packets: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = Math.min(bytes.length, at + 2 * sizes[i % sizes.length]!);
          packets.push(bytes.subarray(at, end));
          at = end;
        }
        assert.equal((await transcribe(packets)).messages, whole.messages);
      },
    ),
    { numRuns: 4 },
  );
});

test('what a partial says is committed begins every later partial and the final of its segment', async () => {
  const run = await transcribe([s16(speech)], { vocabulary: [{ text: 'The', weight: 1, soundsLike: [] }] });
  let committed = '';
  let segment = 0;
  let grew = false;
  for (const event of run.events) {
    if (event.type !== 'partial' && event.type !== 'final') continue;
    if (event.segment !== segment) committed = '';
    segment = event.segment;
    assert.ok(
      event.text.startsWith(committed),
      `${JSON.stringify(event.text)} after ${JSON.stringify(committed)}`,
    );
    if (event.type === 'partial') {
      assert.is([event.committed, event.tail].filter((part) => part !== '').join(' '), event.text);
      grew ||= event.committed !== '';
      committed = event.committed;
    }
  }
  assert.ok(grew, 'nothing was ever committed');
});

test('a flush decides what came so far, and the clock goes on as if it had not been', async () => {
  const half = speech.length >> 1;
  const run = await Run.start();
  run.audio(s16(speech.subarray(0, half)));
  await run.boundary('flush');
  const flushed = run.events.at(-1);
  assert.ok(flushed?.type === 'flushed' && flushed.sample === half);
  const before = run.finals.length;
  assert.ok(before > 0 && run.finals.at(-1)!.reason === 'flush');
  run.audio(s16(speech.subarray(half)));
  await run.boundary('stop');
  const stopped = run.events.at(-1);
  assert.ok(stopped?.type === 'stopped' && stopped.samples === speech.length);
  // no frame is decoded twice: what follows begins within a frame of the flush at the earliest
  for (const { startSample } of run.finals.slice(before)) assert.ok(startSample >= half - 640);
  // and away from the cut the words and their times are those of the uncut audio
  const whole = await transcribe([s16(speech)]);
  const last = (finals: FinalMessage[]): unknown => {
    const { word, startSample } = finals.at(-1)!.words.at(-1)!;
    return { word, startSample };
  };
  assert.equal(last(run.finals), last(whole.finals));
});

test('flushing silence answers with flushed alone', async () => {
  const run = await Run.start();
  run.audio(new Uint8Array(32_000));
  await run.boundary('flush');
  assert.equal(
    run.messages.map(({ type }) => type),
    ['flushed'],
  );
});

test('a mark comes back once its audio is decided and not before', async () => {
  const run = await Run.start();
  run.audio(s16(speech.subarray(0, 16_000)));
  run.mark('second');
  assert.not(run.events.some(({ type }) => type === 'mark'));
  const marked = run.next('mark');
  run.audio(s16(speech.subarray(16_000, 48_000)));
  await marked;
  const mark = run.events.find((event) => event.type === 'mark');
  assert.equal(mark, { type: 'mark', id: 'second', sample: 16_000 });
});

test('an updated list is in force from the sample that the answer names, at once', async () => {
  const run = await Run.start();
  const decoded = run.next('progress');
  run.audio(s16(speech.subarray(0, 24_000)));
  await decoded;
  run.update('u', ['Ada Lovelace', '漢字']);
  const applied = run.events.find((event) => event.type === 'vocabulary.applied');
  assert.ok(applied?.type === 'vocabulary.applied');
  const progress = run.events.findLast((event) => event.type === 'progress');
  assert.ok(progress?.type === 'progress' && applied.sample === progress.sample);
  assert.is(applied.version, 1);
  assert.is(applied.entries, 1);
  assert.match(applied.rejected[0]?.reason ?? '', /漢/);
});

test('a list that is too long leaves the old one in force', async () => {
  const run = await Run.start({ maxEntries: 2 });
  run.update('a', ['Ada', 'Bo']);
  run.update('b', ['Ada', 'Bo', 'Cy']);
  run.update('c', ['Ada']);
  assert.equal(
    run.messages.map((event) => ('version' in event ? event.version : event.type)),
    [1, 'failed', 2],
  );
});

test('two channels are two speakers: each has the text it has alone', async () => {
  const other = speech.toReversed();
  const interleaved = new Float32Array(2 * speech.length);
  for (let i = 0; i < speech.length; i++) interleaved.set([speech[i]!, other[i]!], 2 * i);
  const both = await transcribe([s16(interleaved)], { audio: { ...MONO, channels: 2 } });
  const left = await transcribe([s16(speech)]);
  const of = (channel: number): string =>
    both.finals
      .filter((final) => final.channel === channel)
      .map(({ text }) => text)
      .join(' ');
  assert.is(of(0), left.text);
  const stopped = both.events.at(-1);
  assert.ok(stopped?.type === 'stopped' && stopped.samples === speech.length);
});

test('the same bytes as floats give the same text', async () => {
  const floats = new Uint8Array(s16ToF32(s16(speech)).buffer);
  const run = await transcribe([floats], { audio: { ...MONO, encoding: 'f32le' } });
  assert.is(run.text, (await transcribe([s16(speech)])).text);
});

function s16ToF32(bytes: Uint8Array): Float32Array {
  const samples = new Int16Array(bytes.buffer);
  return Float32Array.from(samples, (value) => value / 32_768);
}

test('at another rate every time is on the client’s clock', async () => {
  const doubled = new Float32Array(2 * speech.length);
  for (let i = 0; i < speech.length; i++) doubled.fill(speech[i]!, 2 * i, 2 * i + 2);
  const run = await transcribe([s16(doubled)], { audio: { ...MONO, sampleRate: 32_000 } });
  const stopped = run.events.at(-1);
  assert.ok(stopped?.type === 'stopped' && stopped.samples === doubled.length);
  const plain = (await transcribe([s16(speech)])).finals.flatMap(({ words }) => words);
  const found = run.finals.flatMap(({ words }) => words);
  const first = found[0]!;
  assert.ok(Math.abs(first.start - plain[0]!.start) <= 0.2, `${first.start} ${plain[0]!.start}`);
  assert.is(first.startSample, first.start * 32_000);
});

test('alternatives are as many as asked, best first, and the first is the text', async () => {
  const run = await transcribe([s16(speech)], { nBest: 3 });
  const [final] = run.finals;
  assert.is(final!.alternatives?.length, 3);
  assert.is(final!.alternatives![0]!.text, final!.text);
  assert.ok(final!.alternatives![0]!.score >= final!.alternatives![1]!.score);
});

test('an hour into a stream the network hears as it does at its begin: positions wrap', async () => {
  const [latency] = encoder.description.latencies;
  const size = (latency!.chunkFrames + latency!.lookaheadFrames) * 640;
  const chunk = latency!.chunkFrames * 640;
  const pcm = (i: number): Float32Array => {
    const at = (i * chunk) % (speech.length - size);
    return speech.slice(at, at + size);
  };
  let state: EncoderState = encoder.start();
  // until the left context is full: from then on only the position tells the hour
  for (let i = 0; i < 20; i++) state = (await encoder.run([{ pcm: pcm(i), state }], latency!))[0]!.state;
  const later = encoder.fork(state).tensors.map((tensor) =>
    // frames of 20 ms seen; positions repeat every 1500 of them
    tensor instanceof BigInt64Array ? tensor.map((seen) => seen + 120n * 1500n) : tensor,
  );
  assert.ok(later.some((tensor) => tensor instanceof BigInt64Array));
  const other = { ...encoder.fork(state), tensors: later };
  const [hour] = await encoder.run([{ pcm: pcm(20), state: other }], latency!);
  const [now] = await encoder.run([{ pcm: pcm(20), state }], latency!);
  assert.equal(hour!.logProbs.subwords, now!.logProbs.subwords);
});

test.run();
