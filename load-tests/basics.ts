/**
 * What one gateway costs and how fast it answers, measured over real sockets from this process against `lexigate serve`
 * in another: start-up, latency of partials, finals and vocabulary updates, real-time factor, memory per session.
 *
 *   npm run basics -- [--json] [--sessions 20] [--updates 100]
 *
 * Absolute times are of the machine they were taken on; compare runs only within one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readAudioFile, sendFile } from '../src/cli/audio-file.js';
import { LexigateClient } from '../src/client/client.js';
import type { EntryObject, PartialMessage } from '../src/protocol/messages.js';
import { packageRoot } from '../src/util/package-root.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    sessions: { type: 'string', default: '20' },
    updates: { type: 'string', default: '100' },
  },
});
const sessions = Number(values.sessions);
const updates = Number(values.updates);
const root = packageRoot();
const speech = await readAudioFile(join(root, 'samples', 'after.wav'));
const start = { audio: speech.format };

interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

function percentiles(samples: readonly number[]): Percentiles {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!);
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
  /** From the command to the first client's `ready`. */
  readonly startMs: number;
}

async function serve(workers: number): Promise<Server> {
  const begun = performance.now();
  const main = join(root, 'build', 'src', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', '--workers', `${workers}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const found = /listens on (\S+)/.exec(out);
      if (found !== null) resolve(found[1]!);
    });
    child.on('exit', () => reject(new Error('the gateway did not start')));
  });
  const client = await LexigateClient.connect(url, start);
  const startMs = round(performance.now() - begun);
  await client.stop();
  return { process: child, url, startMs };
}

/** Resident memory and processor time of the server, from the kernel. */
function usage(pid: number): { readonly rssMb: number; readonly cpuSeconds: number } {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  // user and system time in ticks of 10 ms
  return { rssMb: (pages * 4096) / 1e6, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
}

/** One paced utterance: how long after the first word's end its partial comes, and the final after the flush. */
async function utterance(url: string): Promise<{ firstPartialMs: number; finalMs: number }> {
  const client = await LexigateClient.connect(url, start);
  let begun = 0;
  let first: { readonly at: number; readonly message: PartialMessage } | undefined;
  client.on('partial', (message) => {
    first ??= { at: performance.now(), message };
  });
  begun = performance.now();
  await sendFile(speech, (packet) => client.sendAudio(packet), { realtime: true });
  const flushed = performance.now();
  await client.flush();
  const finalMs = performance.now() - flushed;
  await client.stop();
  const wordEnd = first!.message.words![0]!.end * 1000;
  return { firstPartialMs: first!.at - begun - wordEnd, finalMs };
}

function list(size: number, salt: number): EntryObject[] {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const word = (seed: number): string => {
    let state = seed;
    let out = '';
    for (let i = 0; i < 8; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      out += letters[(state >>> 16) % 26];
    }
    return out;
  };
  return Array.from({ length: size }, (_, i) => ({ text: `${word(i + salt)} ${word(i + salt + 7919)}` }));
}

/** From sending a whole new list to its answer, while audio runs. */
async function updateLatency(url: string, size: number): Promise<Percentiles> {
  const client = await LexigateClient.connect(url, start);
  let speaking = true;
  const audio = (async () => {
    while (speaking) await sendFile(speech, (packet) => client.sendAudio(packet), { realtime: true });
  })();
  const times: number[] = [];
  for (let i = 0; i < updates; i++) {
    const replace = list(size, i * 100_000);
    const sent = performance.now();
    await client.updateVocabulary({ replace });
    times.push(performance.now() - sent);
  }
  speaking = false;
  await audio;
  await client.stop();
  return percentiles(times);
}

/** Audio seconds per processor second, one stream as fast as it goes. */
async function throughput(server: Server, repeats: number): Promise<number> {
  const before = usage(server.process.pid!).cpuSeconds;
  const client = await LexigateClient.connect(server.url, start);
  for (let i = 0; i < repeats; i++) {
    await sendFile(speech, (packet) => client.sendAudio(packet), { realtime: false });
  }
  await client.stop();
  return round((speech.seconds * repeats) / (usage(server.process.pid!).cpuSeconds - before));
}

/** Resident memory that each further session adds, all of them in the middle of an utterance. */
async function memoryPerSession(server: Server): Promise<number> {
  const open = async (): Promise<LexigateClient> => {
    const client = await LexigateClient.connect(server.url, start);
    await sendFile(speech, (packet) => client.sendAudio(packet), { realtime: false });
    await client.flush();
    return client;
  };
  // the first sessions grow the runtime's own buffers, which later ones share
  const warm = await Promise.all(Array.from({ length: 4 }, open));
  const before = usage(server.process.pid!).rssMb;
  const clients = await Promise.all(Array.from({ length: sessions }, open));
  const perSession = (usage(server.process.pid!).rssMb - before) / sessions;
  await Promise.all([...warm, ...clients].map((client) => client.stop()));
  return round(perSession);
}

const server = await serve(1);
await utterance(server.url);
const utterances = [];
for (let i = 0; i < 10; i++) utterances.push(await utterance(server.url));
const report = {
  startMs: server.startMs,
  firstPartialAfterWordMs: percentiles(utterances.map(({ firstPartialMs }) => firstPartialMs)),
  finalAfterFlushMs: percentiles(utterances.map(({ finalMs }) => finalMs)),
  update1000Ms: await updateLatency(server.url, 1000),
  update10000Ms: await updateLatency(server.url, 10_000),
  audioSecondsPerCpuSecond: await throughput(server, 20),
  memoryPerSessionMb: await memoryPerSession(server),
  rssMb: round(usage(server.process.pid!).rssMb),
};
server.process.kill('SIGTERM');
console.log(values.json ? JSON.stringify(report) : report);
