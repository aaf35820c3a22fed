import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { filter, firstValueFrom } from 'rxjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_ENDPOINT } from '../src/decoder/endpoint.js';
import { FILES } from '../src/recording/format.js';
import { Recorder } from '../src/recording/recorder.js';
import { compare, type Recording, readRecording, replay } from '../src/recording/replay.js';
import type { RecogniserCommand, RecogniserConfig, RecogniserFactory } from '../src/session/recogniser.js';
import { scriptedRecognisers, spoken } from './scripted-recognisers.js';
import { inTemporaryFolder } from './temporary-folder.js';

const CONFIG: RecogniserConfig = {
  audio: { encoding: 's16le', sampleRate: 16_000, channels: 1 },
  latency: { chunkFrames: 2, lookaheadFrames: 2 },
  beam: 8,
  partials: true,
  partialIntervalMs: 0,
  nBest: 1,
  languageModel: false,
  explain: true,
  biasing: {
    adaptive: true,
    unigram: true,
    phonetic: false,
    g2g: false,
    lexicon: false,
    encoder: false,
    acceptance: true,
  },
  endpoint: { ...DEFAULT_ENDPOINT, trailingBlankMs: 200, silenceMs: 200 },
  vocabulary: [],
  maxEntries: 100,
  maxEntryLength: 100,
};

const MODEL = { name: 'fake', version: '1', files: {} };

interface Options {
  readonly maxBytes?: number;
  readonly told?: string[];
}

function recorder(
  folder: string,
  recognisers: RecogniserFactory,
  { maxBytes = 1e9, told = [] }: Options = {},
): Promise<Recorder> {
  const tell = (what: string): number => told.push(what);
  return Recorder.open({ recognisers, folder, maxBytes, model: MODEL, version: '0', tell });
}

/** Records a session of these commands, told one after the other with some time between; its folder. */
async function record(
  factory: Recorder,
  folder: string,
  commands: readonly RecogniserCommand[],
  { config = CONFIG, stop = true, pause = async (): Promise<void> => undefined } = {},
): Promise<string> {
  const before = new Set(await readdir(folder));
  const recogniser = await factory.open(config);
  const stopped = firstValueFrom(recogniser.events.pipe(filter(({ type }) => type === 'stopped')));
  for (const command of commands) {
    recogniser.send(command);
    await pause();
  }
  if (stop) {
    recogniser.send({ type: 'boundary', boundary: { type: 'stop' } });
    await stopped;
  } else stopped.catch(() => undefined);
  recogniser.close();
  const name = (await readdir(folder)).find((each) => !before.has(each))!;
  return join(folder, name);
}

async function written(folder: string): Promise<Recording> {
  for (;;) {
    const text = await readFile(join(folder, FILES.end), 'utf8').catch(() => '');
    if (text.endsWith('\n')) return readRecording(folder);
    await setImmediate();
  }
}

async function replayed(recording: Recording): Promise<string[]> {
  const lines: string[] = [];
  await replay(recording, scriptedRecognisers(), (line) => lines.push(line));
  return lines;
}

function speak(pieces: readonly number[], channels = 1): RecogniserCommand {
  const mono = spoken(pieces);
  if (channels === 1) return { type: 'audio', bytes: mono };
  const samples = new Int16Array(mono.buffer);
  const both = Int16Array.from({ length: samples.length * 2 }, (_, i) => samples[i >> 1]! * ((i & 1) ^ 1));
  return { type: 'audio', bytes: new Uint8Array(both.buffer) };
}

const UPDATE = fc.record({
  type: fc.constant('vocabulary' as const),
  id: fc.constantFrom('u', 'v'),
  change: fc
    .subarray(['ad', 'bd', 'cd', 'a b', 'c'])
    .map((texts) => ({ replace: texts.map((text) => ({ text, weight: 2, soundsLike: [] })) })),
  at: fc.oneof(fc.constantFrom('now' as const, 'next_utterance' as const), fc.nat(40_000)),
  retroactive: fc.constant(false),
});

const RETROACTIVE = UPDATE.map((update) => ({ ...update, at: 'now' as const, retroactive: true }));

const BOUNDARY = fc
  .constantFrom('flush' as const, 'mark' as const)
  .map((type) => ({ type: 'boundary' as const, boundary: { type, id: 'b' } }));

const COMMANDS = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.array(fc.nat(4), { minLength: 1, maxLength: 12 }) },
    { weight: 2, arbitrary: UPDATE },
    { weight: 1, arbitrary: RETROACTIVE },
    { weight: 1, arbitrary: BOUNDARY },
  ),
  { minLength: 1, maxLength: 14 },
);

/** Turns of the event loop, as often as the numbers say. */
function turns(numbers: readonly number[]): () => Promise<void> {
  let i = 0;
  return async () => {
    for (let turn = 0; turn < numbers[i % numbers.length]!; turn++) await setImmediate();
    i++;
  };
}

const PACE = fc.array(fc.nat(6), { minLength: 1, maxLength: 5 });

test('whatever a session was told, and however fast it was decoded, its replay tells the same', async () => {
  await inTemporaryFolder(async (folder) => {
    await fc.assert(
      fc.asyncProperty(
        COMMANDS,
        PACE,
        PACE,
        fc.constantFrom(1 as const, 2 as const),
        fc.boolean(),
        async (script, network, client, channels, stop) => {
          const commands = script.map((step) => (Array.isArray(step) ? speak(step, channels) : step));
          const factory = await recorder(folder, scriptedRecognisers(turns(network)));
          const config = { ...CONFIG, audio: { ...CONFIG.audio, channels } };
          const at = await record(factory, folder, commands, { config, stop, pause: turns(client) });
          const recording = await written(at);
          assert.is(recording.end.ended, stop ? 'stopped' : 'cut');
          const lines = await replayed(recording);
          const { difference } = compare(recording, lines);
          assert.equal(difference, undefined);
          if (stop) assert.equal(lines, recording.messages);
          await rm(at, { recursive: true });
        },
      ),
      { numRuns: 150 },
    );
  });
});

test('a recording holds the audio as it came, and is for nobody else to read', async () => {
  await inTemporaryFolder(async (parent) => {
    const folder = join(parent, 'recordings');
    const factory = await recorder(folder, scriptedRecognisers());
    const audio = spoken([1, 2, 0, 0]);
    const at = await record(factory, folder, [
      { type: 'audio', bytes: audio.slice(0, 1000) },
      { type: 'boundary', boundary: { type: 'mark', id: 'm' } },
      { type: 'audio', bytes: audio.slice(1000) },
    ]);
    const { session, commands } = await written(at);
    assert.equal(new Uint8Array(await readFile(join(at, FILES.audio))), audio);
    assert.equal(session.model, MODEL);
    assert.equal(
      commands.map(({ sample }) => sample),
      [500, 2560],
    );
    assert.is((await stat(folder)).mode & 0o077, 0);
    for (const name of await readdir(at)) assert.is((await stat(join(at, name))).mode & 0o077, 0, name);
  });
});

test('once the folder is full, what is being recorded ends there, the session goes on, and what there is can be replayed', async () => {
  await inTemporaryFolder(async (folder) => {
    const told: string[] = [];
    await mkdir(join(folder, 'earlier'));
    await writeFile(join(folder, 'earlier', 'file'), new Uint8Array(50_000));
    const maxBytes = 50_000 + 16_000;
    const factory = await recorder(folder, scriptedRecognisers(), { maxBytes, told });
    const commands = Array.from({ length: 10 }, () => speak([1, 0, 2, 0]));
    const at = await record(factory, folder, commands);
    const recording = await written(at);
    assert.equal(recording.end, { ended: 'truncated', why: 'the folder has no room left' });
    assert.ok((await stat(join(at, FILES.audio))).size <= 16_000);
    assert.match(told.join(), /holds \d+ bytes of the 66000 allowed.*truncated/);
    assert.ok(compare(recording, await replayed(recording)).same);
    assert.ok((await stat(join(folder, 'earlier', 'file'))).size > 0);

    await rm(join(folder, 'earlier'), { recursive: true });
    const again = await record(factory, folder, commands.slice(0, 2));
    assert.is((await written(again)).end.ended, 'stopped');
  });
});

test('a folder that cannot be written to is told, and the session is what it is without a recording', async () => {
  await inTemporaryFolder(async (parent) => {
    const told: string[] = [];
    const folder = join(parent, 'gone');
    const factory = await recorder(folder, scriptedRecognisers(), { told });
    await rm(folder, { recursive: true });
    const recogniser = await factory.open(CONFIG);
    const stopped = firstValueFrom(recogniser.events.pipe(filter(({ type }) => type === 'stopped')));
    recogniser.send({ type: 'boundary', boundary: { type: 'stop' } });
    await stopped;
    assert.match(told.join(), /a session is not recorded: .*ENOENT/);
  });
});

test('a message that differs is named with both versions, and what a cut recording lacks is no difference', () => {
  const recording = (messages: string[], ended: 'stopped' | 'cut'): Recording => ({
    folder: '',
    session: { format: 1, lexigate: '0', begun: '', model: MODEL, config: CONFIG },
    commands: [],
    messages,
    end: { ended },
  });
  assert.equal(compare(recording(['a', 'b'], 'stopped'), ['a', 'c']), {
    same: false,
    messages: 1,
    difference: { line: 2, recorded: 'b', replayed: 'c' },
  });
  assert.equal(compare(recording(['a'], 'stopped'), ['a', 'b']).difference, { line: 2, replayed: 'b' });
  assert.equal(compare(recording(['a'], 'cut'), ['a', 'b']), { same: true, messages: 1 });
  assert.not(compare(recording(['a', 'b'], 'cut'), ['a']).same);
});

test('what is no recording is refused by what is missing or wrong', async () => {
  await inTemporaryFolder(async (folder) => {
    const refused = async (pattern: RegExp): Promise<void> => {
      try {
        await readRecording(folder);
      } catch (error) {
        assert.match(String(error), pattern);
        return;
      }
      assert.unreachable();
    };
    await refused(/is no recording: session.json cannot be read/);
    await writeFile(join(folder, FILES.session), 'x');
    await refused(/session.json is damaged: x is not JSON/);
    await writeFile(join(folder, FILES.session), '{"format":9,"lexigate":"3.0.0"}');
    await refused(/has the format 9; this version reads 1. Replay it with lexigate 3.0.0/);
  });
});

test.run();
