/**
 * What one gateway costs and how fast it answers, measured over real sockets from this process against `lexigate serve`
 * in another: start-up, latency of partials, finals and vocabulary updates, real-time factor, memory per session.
 *
 *   npm run basics -- [--json] [--sessions 20] [--updates 100]
 *
 * Absolute times are of the machine they were taken on; compare runs only within one.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readAudioFile, sendFile } from '../src/cli/audio-file.js';
import { LexigateClient, type VocabularyUpdate } from '../src/client/client.js';
import type { EntryObject, PartialMessage } from '../src/protocol/messages.js';
import { packageRoot } from '../src/util/package-root.js';
import { type GatewayProcess, serve, usage } from './gateway-process.js';
import { type Percentiles, percentiles, round } from './statistics.js';
import { madeUpEntries } from './vocabulary.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    sessions: { type: 'string', default: '20' },
    updates: { type: 'string', default: '100' },
  },
});
const sessions = Number(values.sessions);
const updates = Number(values.updates);
const speech = await readAudioFile(join(packageRoot(), 'samples', 'after.wav'));
const start = { audio: speech.format };

/** One paced utterance: how long after the first word's end its partial comes, and the final after the flush. */
async function utterance(url: string): Promise<{ firstPartialMs: number; finalMs: number }> {
  const client = await LexigateClient.connect(url, start);
  let first: { readonly at: number; readonly message: PartialMessage } | undefined;
  client.on('partial', (message) => {
    first ??= { at: performance.now(), message };
  });
  const begun = performance.now();
  await sendFile(speech, (packet) => client.sendAudio(packet), { realtime: true });
  const flushed = performance.now();
  await client.flush();
  const finalMs = performance.now() - flushed;
  await client.stop();
  const wordEnd = first!.message.words![0]!.end * 1000;
  return { firstPartialMs: first!.at - begun - wordEnd, finalMs };
}

/** From sending an update to its answer, while audio runs. */
async function updateLatency(
  url: string,
  update: (i: number) => VocabularyUpdate,
  vocabulary: EntryObject[] = [],
): Promise<Percentiles> {
  const client = await LexigateClient.connect(url, { ...start, vocabulary });
  let speaking = true;
  const audio = (async () => {
    while (speaking) await sendFile(speech, (packet) => client.sendAudio(packet), { realtime: true });
  })();
  const times: number[] = [];
  for (let i = 0; i < updates; i++) {
    const changed = update(i);
    const sent = performance.now();
    await client.updateVocabulary(changed);
    times.push(performance.now() - sent);
    // a session may send ten a second
    await new Promise((resolve) => setTimeout(resolve, 120));
  }
  speaking = false;
  await audio;
  await client.stop();
  return percentiles(times);
}

/** Another entry in the place of the one before. */
function replaceOne(i: number): VocabularyUpdate {
  const [entry] = madeUpEntries(1, 7_000_000 + i);
  const before = madeUpEntries(1, 7_000_000 + i - 1).map(({ text }) => text);
  return { patch: { set: [entry!], ...(i > 0 && { remove: before }) } };
}

/** Audio seconds per processor second, one stream as fast as it goes. */
async function throughput(server: GatewayProcess, repeats: number): Promise<number> {
  const before = usage(server.pid).cpuSeconds;
  const client = await LexigateClient.connect(server.url, start);
  for (let i = 0; i < repeats; i++) {
    await sendFile(speech, (packet) => client.sendAudio(packet), { realtime: false });
  }
  await client.stop();
  return round((speech.seconds * repeats) / (usage(server.pid).cpuSeconds - before));
}

/** Resident memory that each further session adds, all of them in the middle of an utterance. */
async function memoryPerSession(server: GatewayProcess): Promise<number> {
  const open = async (): Promise<LexigateClient> => {
    const client = await LexigateClient.connect(server.url, start);
    await sendFile(speech, (packet) => client.sendAudio(packet), { realtime: false });
    await client.flush();
    return client;
  };
  // the first sixteen fill a batch and grow the runtime's own buffers, which later ones share
  const warm = await Promise.all(Array.from({ length: 16 }, open));
  const before = usage(server.pid).rssMb;
  const clients = await Promise.all(Array.from({ length: sessions }, open));
  const perSession = (usage(server.pid).rssMb - before) / sessions;
  await Promise.all([...warm, ...clients].map((client) => client.stop()));
  return round(perSession);
}

// the gateway's own pace, not that of its limits
const limits = ['--max-updates-per-second', '1000', '--max-speed', '1000'];
const server = await serve('--workers', '1', ...limits);
await utterance(server.url);
const utterances = [];
for (let i = 0; i < 10; i++) utterances.push(await utterance(server.url));
const report = {
  startMs: round(server.startMs),
  firstPartialAfterWordMs: percentiles(utterances.map(({ firstPartialMs }) => firstPartialMs)),
  finalAfterFlushMs: percentiles(utterances.map(({ finalMs }) => finalMs)),
  update1000Ms: await updateLatency(server.url, (i) => ({ replace: madeUpEntries(1000, i * 100_000) })),
  update10000Ms: await updateLatency(server.url, (i) => ({ replace: madeUpEntries(10_000, i * 100_000) })),
  patchOneOf10000Ms: await updateLatency(server.url, replaceOne, madeUpEntries(9999, 0)),
  audioSecondsPerCpuSecond: await throughput(server, 20),
  memoryPerSessionMb: await memoryPerSession(server),
  rssMb: round(usage(server.pid).rssMb),
};
await server.stop();
console.log(values.json ? JSON.stringify(report) : report);
