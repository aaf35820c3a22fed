/**
 * What lists cost: building one, finding it built, changing an entry, in the middle of an utterance too; until the network
 * attends to one; and the memory of all that. In this process but for the utterance, which a recognition worker hears with the gateway's defaults.
 *
 *   npm run lists -- [--json] [--entries 10000] [--rounds 100]
 *
 * Absolute times are of the machine they were taken on; compare runs only within one.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { VocabularyEntry } from '../src/biasing/entry.js';
import { Vocabulary } from '../src/biasing/vocabulary.js';
import { VocabularyCache } from '../src/biasing/vocabulary-cache.js';
import { readAudioFile } from '../src/cli/audio-file.js';
import { startWorkers } from '../src/cli/compose.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import type { Recogniser, RecogniserEvent, UpdateCommand } from '../src/session/recogniser.js';
import { toConfig } from '../src/session/start.js';
import { packageRoot } from '../src/util/package-root.js';
import { type Percentiles, percentiles } from './statistics.js';
import { madeUpEntries } from './vocabulary.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    entries: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '100' },
  },
});
const model = join(packageRoot(), 'models', 'en-base');
const entries = Number(values.entries);
const rounds = Number(values.rounds);
const limits = { maxEntries: entries + 1 };

/** Capitalised, as names are written: they cost more to spell than what is lower case already. */
function list(size: number, salt: number): VocabularyEntry[] {
  return madeUpEntries(size, salt).map(({ text }) => ({
    text: text.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
    weight: 1,
    soundsLike: [],
  }));
}

/** Milliseconds of an action with what was prepared for it. In the first rounds code is still being compiled. */
function timed<T>(prepare: (round: number) => T, action: (prepared: T) => void, warmUp = 10): Percentiles {
  const times: number[] = [];
  for (let round = 0; round < rounds + warmUp; round++) {
    const prepared = prepare(round);
    const begun = performance.now();
    action(prepared);
    if (round >= warmUp) times.push(performance.now() - begun);
  }
  return hundredths(times);
}

function hundredths(times: readonly number[]): Percentiles {
  const { p50, p95, p99, max } = percentiles(times.map((time) => time * 10));
  const rounded = (value: number): number => Math.round(value * 10) / 100;
  return { p50: rounded(p50), p95: rounded(p95), p99: rounded(p99), max: rounded(max) };
}

function library(): object {
  const empty = Vocabulary.empty(limits);
  const build = timed(
    (round) => list(entries, round * 100_000),
    (made) => void empty.replace(made).vocabulary.hash,
  );
  const cache = new VocabularyCache();
  const shared = list(entries, 0);
  const found = timed(
    () => shared,
    (same) => Vocabulary.empty(limits, cache).replace(same),
  );
  let { vocabulary } = empty.replace(shared);
  const one = list(1, 7);
  const add = timed(
    () => vocabulary.patch({ remove: [one[0]!.text] }).vocabulary,
    (without) => {
      vocabulary = without.patch({ set: one }).vocabulary;
      void vocabulary.hash;
    },
  );
  const remove = timed(
    () => vocabulary.patch({ set: one }).vocabulary,
    (having) => {
      vocabulary = having.patch({ remove: [one[0]!.text] }).vocabulary;
      void vocabulary.hash;
    },
  );
  return { buildMs: build, foundInCacheMs: found, addOneMs: add, removeOneMs: remove };
}

/** Bytes of a list, and of each version of it that differs in an entry from the one before. */
function memory(): object {
  const used = (): number => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const texts = list(entries, 0);
  const fresh = list(1000, 7);
  const before = used();
  let vocabulary = Vocabulary.empty({ maxEntries: 2 * entries }).replace(texts).vocabulary;
  const one = used();
  const versions = fresh.map((entry) => {
    vocabulary = vocabulary.patch({ set: [entry] }).vocabulary;
    return vocabulary;
  });
  const many = used();
  const kilobytes = (bytes: number): number => Math.round(bytes / 1024);
  return {
    listKb: kilobytes(one - before),
    versionKb: kilobytes((many - one) / versions.length),
    nodes: vocabulary.graph.size,
  };
}

/** Updates in the middle of an utterance: what they take in the worker, decoding again included. */
async function live(): Promise<object> {
  const pool = await startWorkers({ model, maxBatch: 16, workers: 1 });
  const speech = await readAudioFile(join(packageRoot(), 'samples', 'after.wav'));
  const texts = madeUpEntries(entries - 1, 0);
  const { latencies } = pool.description;
  const start = { type: 'start', audio: speech.format, vocabulary: texts } as const;
  const config = toConfig(start, latencies[0]!, { ...DEFAULT_LIMITS, maxEntries: entries + 1 });
  const first = await pool.open(config);
  const second = await pool.open(config);
  // up to the middle of a name
  const bytes = speech.bytes.slice(0, 2 * Math.round(2.6 * speech.format.sampleRate));
  const decoded = next(
    second,
    (event) => event.type === 'progress' && event.sample > speech.format.sampleRate,
  );
  second.send({ type: 'audio', bytes });
  await decoded;
  const fresh = list(rounds + 10, 7);
  const update = async (round: number, retroactive: boolean): Promise<number> => {
    const applied = next(second, ({ type }) => type === 'vocabulary.applied');
    const set = [fresh[round]!];
    const remove = round === 0 ? [] : [fresh[round - 1]!.text];
    const command = {
      type: 'vocabulary',
      id: 'u',
      change: { patch: { set, remove } },
      at: 'now',
      retroactive,
    };
    second.send(command as UpdateCommand);
    const event = await applied;
    return event.type === 'vocabulary.applied' ? event.buildMs : Number.NaN;
  };
  const plain: number[] = [];
  for (let round = 0; round < rounds + 10; round++) plain.push(await update(round, false));
  const again: number[] = [];
  for (let round = 0; round < rounds + 10; round++) again.push(await update(round, true));
  const opened = { first: first.vocabulary.buildMs, second: second.vocabulary.buildMs };
  await pool.stop();
  return {
    openWithListMs: opened,
    replaceOneInUtteranceMs: hundredths(plain.slice(10)),
    retroactivelyMs: hundredths(again.slice(10)),
  };
}

/** Until the network attends to all of so many new entries, by their number, in the worker of an idle session. */
async function embedded(): Promise<object> {
  const pool = await startWorkers({ model, maxBatch: 16, workers: 1 });
  const off = { adaptive: false, unigram: false, phonetic: false, lexicon: false, g2g: false };
  const audio = { encoding: 's16le', sampleRate: 16000, channels: 1 } as const;
  const start = { type: 'start', audio, options: { biasing: { ...off, encoder: true } } } as const;
  const recogniser = await pool.open(toConfig(start, pool.description.latencies[0]!, DEFAULT_LIMITS));
  const times: Record<string, number> = {};
  for (const [i, size] of [100, 1000].entries()) {
    const settled = next(recogniser, ({ type }) => type === 'vocabulary.settled');
    const begun = performance.now();
    const change = { replace: list(size, 11 + i) };
    recogniser.send({ type: 'vocabulary', id: 'e', change, at: 'now', retroactive: false });
    await settled;
    times[size] = Math.round(performance.now() - begun);
  }
  await pool.stop();
  return { embedNewEntriesMs: times };
}

function next(recogniser: Recogniser, wanted: (event: RecogniserEvent) => boolean): Promise<RecogniserEvent> {
  return new Promise((resolve) => {
    const subscription = recogniser.events.subscribe((event) => {
      if (!wanted(event)) return;
      subscription.unsubscribe();
      resolve(event);
    });
  });
}

const report = { entries, ...memory(), ...library(), ...(await live()), ...(await embedded()) };
console.log(values.json ? JSON.stringify(report) : report);
