import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Subject } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EncoderDescription } from '../src/encoder/runtime.js';
import { decodeAudio } from '../src/evaluation/audio.js';
import { chooseConfigurations } from '../src/evaluation/configurations.js';
import { type Manifest, openManifest } from '../src/evaluation/manifest.js';
import { Progress } from '../src/evaluation/progress.js';
import { formatTranscripts, makeReport } from '../src/evaluation/report.js';
import { type ConfigurationResult, rescore, run } from '../src/evaluation/run.js';
import { formatReport } from '../src/evaluation/table.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import type {
  Recogniser,
  RecogniserCommand,
  RecogniserConfig,
  RecogniserEvent,
  RecogniserFactory,
} from '../src/session/recogniser.js';
import { toConfig } from '../src/session/start.js';
import { packageRoot } from '../src/util/package-root.js';

const test = suite('evaluation: run');
const FIXTURES = join(packageRoot(), 'test', 'fixtures', 'evaluation');
const LATENCY = { chunkFrames: 8, lookaheadFrames: 8 };

/** A recogniser that hears a fixed text in two segments and notes what it was asked. */
class FakeRecognisers implements RecogniserFactory {
  readonly description = {} as EncoderDescription;
  readonly configs: RecogniserConfig[] = [];
  readonly commands: RecogniserCommand[] = [];
  sounded = false;
  #heardEarly = false;
  inUse = 0;
  mostInUse = 0;
  readonly #hears: readonly string[];
  readonly #fails: boolean;

  constructor(hears: readonly string[], { fails = false } = {}) {
    this.#hears = hears;
    this.#fails = fails;
  }

  /** Whether anything came before the list's sounds were known. */
  get heardEarly(): boolean {
    return this.#heardEarly;
  }

  open(config: RecogniserConfig): Promise<Recogniser> {
    this.configs.push(config);
    this.inUse++;
    this.mostInUse = Math.max(this.mostInUse, this.inUse);
    return Promise.resolve(this.#recogniser());
  }

  #recogniser(): Recogniser {
    const events = new Subject<RecogniserEvent>();
    let heard = 0;
    setTimeout(() => {
      this.sounded = true;
      events.next({ type: 'vocabulary.settled', version: 0, entries: 0 });
    }, 20);
    return {
      vocabulary: { version: 0, hash: '', entries: 0, sample: 0, buildMs: 0, rejected: [] },
      events,
      send: (command) => {
        this.commands.push(command);
        this.#heardEarly ||= !this.sounded;
        if (command.type === 'audio') {
          heard += command.bytes.length / 4;
          setImmediate(() => events.next({ type: 'progress', sample: heard }));
          // long enough for another lane to have decoded its audio
        } else setTimeout(() => this.#answer(events), 50);
      },
      close: () => {
        this.inUse--;
      },
    };
  }

  #answer(events: Subject<RecogniserEvent>): void {
    if (this.#fails) {
      events.next({ type: 'failed', code: 'internal', message: 'the worker fell over' });
      return;
    }
    for (const text of this.#hears) {
      events.next({ type: 'final', text } as RecogniserEvent);
    }
    events.next({
      type: 'stopped',
      audioSeconds: 0,
      samples: 0,
      segments: 0,
      words: 0,
      vocabularyVersion: 0,
    });
  }
}

const folders: string[] = [];
test.after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

/** A folder with a manifest of its own name, and the fixtures given. */
async function manifestOf(
  lines: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<Manifest> {
  const folder = await mkdtemp(join(tmpdir(), 'evaluation-'));
  folders.push(folder);
  await writeFile(join(folder, 'm.tsv'), ['path\ttranscript\tentities', ...lines].join('\n'));
  for (const [name, fixture] of Object.entries(files)) await cp(join(FIXTURES, fixture), join(folder, name));
  return openManifest(join(folder, 'm.tsv'));
}

async function evaluate(
  fake: FakeRecognisers,
  manifest: Manifest,
  name: string,
  distractors: readonly string[] = [],
): Promise<ConfigurationResult> {
  return run({
    manifest,
    recognisers: fake,
    configuration: chooseConfigurations([name])[0]!,
    utterances: manifest.utterances,
    distractors: () => distractors,
    parallel: 2,
    latency: LATENCY,
    endpoints: true,
  });
}

for (const [format, rate] of [
  ['opus', 48_000],
  ['flac', 16_000],
] as const) {
  test(`a second of a tone is read from ${format} at ${rate} Hz`, async () => {
    const manifest = await manifestOf([`tone.${format}\tx`], { [`tone.${format}`]: `tone.${format}` });
    const { sampleRate, samples } = await decodeAudio(await manifest.read(manifest.utterances[0]!));
    assert.is(sampleRate, rate);
    // Opus codes whole packets of 20 ms
    assert.ok(samples.length >= rate && samples.length <= 1.02 * rate, `${samples.length} samples`);
    const middle = samples.subarray(rate / 4, (rate * 3) / 4);
    let crossings = 0;
    for (let i = 1; i < middle.length; i++) if (middle[i - 1]! < 0 !== middle[i]! < 0) crossings++;
    assert.ok(Math.abs(crossings - 440) <= 2, `${crossings} zero crossings in half a second of 440 Hz`);
    const peak = middle.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    assert.ok(Math.abs(peak - 0.5) < 0.05, `peak ${peak}`);
  });
}

for (const form of ['gnu', 'pax', 'ustar']) {
  test(`audio is read from a ${form} tar of the manifest's name, also behind a long path`, async () => {
    const long = `${'x'.repeat(90)}/${'y'.repeat(form === 'ustar' ? 90 : 200)}.opus`;
    const manifest = await manifestOf([`${long}\tx`, 'tone.flac\tx'], { 'm.tar': `${form}.tar` });
    const [opus, flac] = await Promise.all(manifest.utterances.map((each) => manifest.read(each)));
    assert.is((await decodeAudio(opus!)).sampleRate, 48_000);
    assert.is((await decodeAudio(flac!)).sampleRate, 16_000);
    await manifest.close();
  });
}

test('audio that is nowhere is answered with both places where it might be', async () => {
  const nowhere = await manifestOf(['lost.wav\tx'], {});
  await rejects(nowhere.read(nowhere.utterances[0]!), /lost\.wav does not exist.*no .*m\.tar/);
  const notInTar = await manifestOf(['lost.wav\tx'], { 'm.tar': 'gnu.tar' });
  await rejects(notInTar.read(notInTar.utterances[0]!), /lost\.wav does not exist, nor is it in .*m\.tar/);
  await notInTar.close();
});

test('audio of another kind is refused with the kinds there are', async () => {
  await rejects(decodeAudio(Buffer.from('ID3 something')), /neither WAV, Ogg Opus nor FLAC/);
});

async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const message = await promise.then(
    () => 'no error',
    (reason: Error) => reason.message,
  );
  assert.match(message, pattern);
}

const TONES = { 'a.flac': 'tone.flac', 'b.flac': 'tone.flac', 'c.flac': 'tone.flac' };
const LINES = ['a.flac\tcall anna now\tAnna', 'b.flac\tcall anna\tAnna', 'c.flac\tcall\t'];

test('all of the audio arrives in packets of 100 ms, then one stop, and the recogniser is closed', async () => {
  const fake = new FakeRecognisers(['call', 'anna']);
  await evaluate(fake, await manifestOf([LINES[0]!], TONES), 'none');
  const sizes = fake.commands.map((command) => (command.type === 'audio' ? command.bytes.length / 4 : -1));
  assert.equal(sizes, [...new Array<number>(10).fill(1600), -1]);
  assert.is(fake.inUse, 0);
});

test('a recogniser is asked as the gateway would ask it, with the list only where the configuration has it', async () => {
  const manifest = await manifestOf([LINES[0]!], TONES);
  const asked = async (name: string): Promise<unknown[]> => {
    const fake = new FakeRecognisers([]);
    await evaluate(fake, manifest, name, ['bert']);
    const { beam, languageModel, vocabulary, latency } = fake.configs[0]!;
    return [beam, languageModel, vocabulary.map(({ text }) => text), latency === LATENCY];
  };
  assert.equal(await asked('greedy'), [1, false, [], true]);
  const start = { type: 'start', audio: { encoding: 'f32le', sampleRate: 16_000, channels: 1 } } as const;
  const { beam } = toConfig(start, LATENCY, DEFAULT_LIMITS);
  assert.equal(await asked('beam'), [beam, false, [], true]);
  assert.equal(await asked('none'), [beam, true, [], true]);
  assert.equal(await asked('adaptive'), [beam, true, ['anna', 'bert'], true]);
});

test('techniques are switched as the configuration says, and audio waits for those that learn first', async () => {
  const manifest = await manifestOf([LINES[0]!], TONES);
  const asked = async (name: string): Promise<[unknown, boolean]> => {
    const fake = new FakeRecognisers([]);
    await evaluate(fake, manifest, name, ['bert']);
    return [fake.configs[0]!.biasing, fake.heardEarly];
  };
  const none = {
    adaptive: false,
    unigram: false,
    phonetic: false,
    lexicon: false,
    g2g: false,
    encoder: false,
    acceptance: false,
  };
  const adaptive = { ...none, adaptive: true, unigram: true, acceptance: true };
  assert.equal(await asked('greedy'), [none, true]);
  assert.equal(await asked('adaptive'), [adaptive, true]);
  assert.equal(await asked('phonetic'), [{ ...adaptive, phonetic: true }, true]);
  assert.equal(await asked('lexicon'), [{ ...adaptive, lexicon: true }, false]);
  assert.equal(await asked('g2g'), [{ ...adaptive, g2g: true }, false]);
  assert.equal(await asked('encoder'), [{ ...none, encoder: true }, false]);
  const all = { ...adaptive, phonetic: true, lexicon: true, g2g: true };
  assert.equal(await asked('decoder'), [all, false]);
  assert.equal(await asked('unvetted'), [{ ...all, acceptance: false }, false]);
});

test('segments are joined, scored and summed over utterances, a few of which are under way at a time', async () => {
  const fake = new FakeRecognisers(['Call', 'Bert.']);
  const result = await evaluate(fake, await manifestOf(LINES, TONES), 'adaptive', ['bert']);
  assert.is(fake.mostInUse, 2);
  assert.is(result.utterances, 3);
  assert.is(result.seconds, 3);
  assert.is(result.wer, 4 / 6);
  assert.is(result.bWer, 1);
  assert.is(result.f1, 0);
  assert.is(result.counts.falsePositives, 3);
  assert.ok(result.realTimeFactor > 0 && result.realTimeFactor < 3);
  assert.equal(
    result.results.map(({ hypothesis }) => hypothesis),
    ['call bert', 'call bert', 'call bert'],
  );
});

test('a failure names the utterance and ends the run', async () => {
  const fake = new FakeRecognisers([], { fails: true });
  await rejects(evaluate(fake, await manifestOf(LINES, TONES), 'none'), /^[ab]\.flac: the worker fell over$/);
});

async function measuredReport(): Promise<ReturnType<typeof makeReport>> {
  const manifest = await manifestOf(LINES, TONES);
  const result = await evaluate(new FakeRecognisers(['call anna']), manifest, 'none');
  const measured = [{ config: 'none', n: 100, result }];
  assert.match(formatTranscripts(measured), /^a\.flac\tnone\t100\tcall anna now\tcall anna\tanna$/m);
  return makeReport(
    {
      model: { name: 'fake', version: '1' },
      manifest: 'm',
      lists: 'spoken',
      distractors: 'entities',
      sizes: [{ n: 100, least: 0, most: 1 }],
      seed: 1,
      latencyMs: 640,
      endpoints: true,
    },
    measured,
  );
}

test('the report has the figures of each run as fractions within their intervals, and what they were measured on', async () => {
  const report = await measuredReport();
  assert.is(report.words, 6);
  assert.is(report.entities, 2);
  const only = report.runs[0]!;
  assert.equal([only.config, only.n, only.wer, only.recall], ['none', 100, 2 / 6, 1]);
  const { none } = report.configs;
  assert.equal(
    [none?.wer, none?.uWer, none?.bWer, none?.recall, none?.utterances],
    [only.wer, only.uWer, only.bWer, only.recall, report.utterances],
  );
  assert.ok(none!.seconds > 0 && none!.realTimeFactor >= 0);
  for (const [key, [low, high]] of Object.entries(only.intervals)) {
    const value = only[key as keyof typeof only.intervals];
    assert.ok(low <= value && value <= high, `${key}: ${low} ${value} ${high}`);
  }
});

test('the table says when fewer distractors were to be had than asked for', async () => {
  assert.match(formatReport(await measuredReport()), /0 to 1 \(of 100 asked for\) distractors from entities/);
});

test('an anti-list leaves out what the utterance itself speaks of', async () => {
  const fake = new FakeRecognisers([]);
  const manifest = await manifestOf([LINES[0]!], TONES);
  await run({
    manifest,
    recognisers: fake,
    configuration: chooseConfigurations(['adaptive'])[0]!,
    utterances: manifest.utterances,
    distractors: () => ['bert'],
    anti: true,
    parallel: 1,
    latency: LATENCY,
    endpoints: true,
  });
  assert.equal(
    fake.configs[0]!.vocabulary.map(({ text }) => text),
    ['bert'],
  );
});

test('what was recognised without a list is scored anew with another', async () => {
  const manifest = await manifestOf(LINES, TONES);
  const first = await evaluate(new FakeRecognisers(['call bert']), manifest, 'none');
  const other = rescore(first, () => ['bert']);
  assert.equal([first.counts.falsePositives, other.counts.falsePositives], [0, 3]);
  assert.is(other.wer, first.wer);
  assert.is(other.seconds, 3);
});

test('a bar is drawn on a terminal and taken away, plain output stays quiet while a task is short', () => {
  const written = (isTTY: boolean): string => {
    const out: string[] = [];
    const stream = { isTTY, write: (text: string) => out.push(text) } as unknown as NodeJS.WritableStream;
    const progress = new Progress(stream, 'none', 4);
    progress.update(1, 'so far');
    progress.end();
    return out.join('');
  };
  assert.match(written(true), /█{6}░{18} none 1\/4 so far, \d+ s left.*\r.\[K$/s);
  assert.is(written(false), '');
});

test.run();
