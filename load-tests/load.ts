/**
 * Many streams at once, paced like microphones, over real sockets from this process.
 *
 *   npm run load -- --streams N --seconds S [--url ws://...] [--vocabulary FILE] [--update-every S] [--churn R] [--json]
 *
 * Without --url a gateway is started in another process, and what it uses is measured. Each stream speaks the bundled
 * sentences over and over, begun at another moment; --update-every replaces its list, --churn cuts and opens R
 * connections a second. The text of every sentence is compared with what the idle gateway made of it.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AudioFile, readAudioFile, sendFile } from '../src/cli/audio-file.js';
import { readVocabularyFile } from '../src/cli/vocabulary-file.js';
import { LexigateClient } from '../src/client/client.js';
import type { EntryObject } from '../src/protocol/messages.js';
import { packageRoot } from '../src/util/package-root.js';
import { serve, usage } from './gateway-process.js';
import { percentiles, round } from './statistics.js';
import { madeUpEntries } from './vocabulary.js';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '20' },
    url: { type: 'string' },
    vocabulary: { type: 'string' },
    'update-every': { type: 'string' },
    churn: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

interface Load {
  readonly streams: number;
  readonly seconds: number;
  readonly vocabulary: readonly EntryObject[];
  readonly updateEverySeconds: number | undefined;
  readonly churnPerSecond: number | undefined;
}

const load: Load = {
  streams: positive('streams', values.streams),
  seconds: positive('seconds', values.seconds),
  vocabulary: values.vocabulary === undefined ? [] : await readVocabularyFile(values.vocabulary),
  updateEverySeconds: optional('update-every', values['update-every']),
  churnPerSecond: optional('churn', values.churn),
};

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} is ${JSON.stringify(text)}; give a number above 0`);
  return value;
}

function optional(name: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : positive(name, text);
}

const samples = await Promise.all(
  ['before.wav', 'after.wav'].map((name) => readAudioFile(join(packageRoot(), 'samples', name))),
);

/** What all streams together saw. */
interface Sightings {
  readonly firstPartialMs: number[];
  readonly partialMs: number[];
  readonly finalMs: number[];
  readonly updateToEffectMs: number[];
  audioSeconds: number;
  textChanged: number;
  lostFinals: number;
}

interface Spoken {
  readonly text: string;
  readonly finals: number;
}

/** Sends a sentence at the speed of speech and flushes; tells what became of it. */
async function sentence(client: LexigateClient, file: AudioFile, seen: Sightings): Promise<Spoken> {
  const finals: string[] = [];
  let first = true;
  const begun = performance.now();
  const remove = onMessages(client, {
    partial: (end) => {
      // how late the newest word is shown after it was spoken
      const late = performance.now() - begun - end * 1000;
      (first ? seen.firstPartialMs : seen.partialMs).push(late);
      first = false;
    },
    final: (text) => finals.push(text),
  });
  await sendFile(file, (packet) => client.sendAudio(packet), { realtime: true });
  const flushed = performance.now();
  await client.flush();
  seen.finalMs.push(performance.now() - flushed);
  seen.audioSeconds += file.seconds;
  remove();
  return { text: finals.join(' '), finals: finals.length };
}

interface MessageHandlers {
  readonly partial: (end: number) => void;
  readonly final: (text: string) => void;
}

/** The client keeps its listeners for good; these stop listening when told to. */
function onMessages(client: LexigateClient, handlers: MessageHandlers): () => void {
  let on = true;
  client.on('partial', ({ end }) => {
    if (on) handlers.partial(end);
  });
  client.on('final', ({ text }) => {
    if (on) handlers.final(text);
  });
  return () => {
    on = false;
  };
}

function connect(url: string): Promise<LexigateClient> {
  return LexigateClient.connect(url, { audio: samples[0]!.format, vocabulary: [...load.vocabulary] });
}

function nothingSeen(): Sightings {
  return {
    firstPartialMs: [],
    partialMs: [],
    finalMs: [],
    updateToEffectMs: [],
    audioSeconds: 0,
    textChanged: 0,
    lostFinals: 0,
  };
}

/** What the idle gateway makes of each sentence, at the begin of a session. */
async function unloaded(url: string): Promise<string[]> {
  const texts: string[] = [];
  for (const file of samples) {
    const client = await connect(url);
    texts.push((await sentence(client, file, nothingSeen())).text);
    await client.stop();
  }
  return texts;
}

/** One stream: a session per sentence, so that each can be compared with the unloaded one. */
async function stream(
  url: string,
  number: number,
  expected: readonly string[],
  seen: Sightings,
  until: number,
): Promise<void> {
  await sleep((number / load.streams) * samples[0]!.seconds * 1000);
  for (let turn = number; performance.now() < until; turn++) {
    const which = turn % samples.length;
    const client = await connect(url);
    const stopUpdating = updateList(client, number, seen);
    const { text, finals } = await sentence(client, samples[which]!, seen);
    if (finals === 0) seen.lostFinals++;
    else if (text !== expected[which]) seen.textChanged++;
    await stopUpdating();
    await client.stop();
  }
}

/** Replaces a stream's list again and again, the given one's entries kept, until told to stop. */
function updateList(client: LexigateClient, number: number, seen: Sightings): () => Promise<void> {
  const every = load.updateEverySeconds;
  if (every === undefined) return async () => undefined;
  let going = true;
  const updating = (async () => {
    for (let i = 0; going; i++) {
      const replace = [...load.vocabulary, ...madeUpEntries(100, number * 1_000_000 + i * 1000)];
      const sent = performance.now();
      await client.updateVocabulary({ replace });
      seen.updateToEffectMs.push(performance.now() - sent);
      await sleep(every * 1000);
    }
  })();
  return async () => {
    going = false;
    await updating;
  };
}

/** Connections that come, say half a sentence and are cut without a word. */
async function churn(url: string, until: number): Promise<void> {
  if (load.churnPerSecond === undefined) return;
  while (performance.now() < until) {
    const client = await connect(url);
    const half = samples[0]!.bytes.slice(0, samples[0]!.bytes.length >> 1);
    await client.sendAudio(half);
    client.close();
    await sleep(1000 / load.churnPerSecond);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const server = values.url === undefined ? await serve() : undefined;
const url = server?.url ?? values.url!;
const expected = await unloaded(url);
const before = server === undefined ? undefined : usage(server.pid);
const seen = nothingSeen();
const until = performance.now() + load.seconds * 1000;
const streams = Array.from({ length: load.streams }, (_, i) => stream(url, i, expected, seen, until));
await Promise.all([...streams, churn(url, until)]);
const after = server === undefined ? undefined : usage(server.pid);
await server?.stop();

const report = {
  streams: load.streams,
  partialLatencyMs: percentiles(seen.partialMs),
  firstPartialMs: percentiles(seen.firstPartialMs),
  finalMs: percentiles(seen.finalMs),
  updateToEffectMs: percentiles(seen.updateToEffectMs),
  cpuSecondsPerAudioSecond:
    after === undefined
      ? null
      : Math.round(((after.cpuSeconds - before!.cpuSeconds) / seen.audioSeconds) * 10_000) / 10_000,
  rssMb: after === undefined ? null : round(after.rssMb),
  sentences: seen.finalMs.length,
  textChanged: seen.textChanged,
  lostFinals: seen.lostFinals,
};
console.log(values.json ? JSON.stringify(report) : report);
