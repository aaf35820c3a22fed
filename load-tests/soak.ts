/**
 * Sessions that come and go for a long time, and what memory is left behind by them: most say half a second and are cut,
 * some of them resumable, every tenth speaks a sentence with a list of its own and stops.
 *
 *   npm run soak -- [--sessions 10000 | --minutes 30] [--at-once 20] [--growth 0.05] [--json]
 *
 * Compared are the medians of the gateway's resident memory over the second tenth of the time (by then all that is kept
 * for good is there) and over the last. Exits with 1 where it grew by more than --growth, or a final was lost.
 */
import { parseArgs } from 'node:util';
import type { ServerMessage } from '../src/protocol/messages.js';
import { serve, usage } from './gateway-process.js';
import { readSpeech, type Speech } from './load/speech.js';
import { dialStream } from './load/stream.js';
import { percentiles, round } from './statistics.js';
import { madeUpEntries } from './vocabulary.js';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '10000' },
    minutes: { type: 'string' },
    'at-once': { type: 'string', default: '20' },
    growth: { type: 'string', default: '0.05' },
    json: { type: 'boolean', default: false },
  },
});

/** Every so many sessions one is spoken to its end; of the others every so many may be resumed. */
const WHOLE_EVERY = 10;
const RESUMABLE_EVERY = 3;

/** Packets that a session gets that is cut. */
const CUT_PACKETS = 5;

interface Soak {
  readonly url: string;
  readonly speech: Speech;
  /** Numbers of the sessions that were begun. */
  begun: number;
  lostFinals: number;
  failed: number;
}

/** One session from its begin to its end, whichever that is. */
function session(soak: Soak, number: number): Promise<void> {
  const whole = number % WHOLE_EVERY === 0;
  const { packets } = soak.speech.utterances[number % soak.speech.utterances.length]!;
  const start = {
    type: 'start',
    audio: soak.speech.format,
    vocabulary: madeUpEntries(20, number * 20),
    options: { resumable: !whole && number % RESUMABLE_EVERY === 0 },
  };
  return new Promise((resolve) => {
    const socket = dialStream({ url: soak.url });
    let finals = 0;
    let ended = false;
    socket.on('error', () => soak.failed++);
    socket.on('close', () => {
      if (whole && !(ended && finals > 0)) soak.lostFinals++;
      resolve();
    });
    socket.on('open', () => socket.send(JSON.stringify(start)));
    socket.on('message', (data: Buffer) => {
      const { type } = JSON.parse(data.toString()) as ServerMessage;
      if (type === 'final') finals++;
      if (type === 'stopped') ended = true;
      if (type !== 'ready') return;
      for (const packet of whole ? packets : packets.slice(0, CUT_PACKETS)) socket.send(packet);
      if (whole) socket.send('{"type":"stop"}');
      else setImmediate(() => socket.terminate());
    });
  });
}

const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
const server = await serve('--log-level', 'error', '--max-connections', '1000');
const begun = performance.now();
const soak: Soak = {
  url: server.url,
  speech: await readSpeech('microphone'),
  begun: 0,
  lostFinals: 0,
  failed: 0,
};

/** From 0 to 1. */
function progress(): number {
  if (minutes === undefined) return soak.begun / Number(values.sessions);
  return (performance.now() - begun) / (minutes * 60_000);
}

const samples: { readonly at: number; readonly rssMb: number }[] = [];
const watching = setInterval(() => samples.push({ at: progress(), rssMb: usage(server.pid).rssMb }), 250);
await Promise.all(
  Array.from({ length: Number(values['at-once']) }, async () => {
    while (progress() < 1) await session(soak, ++soak.begun);
  }),
);
clearInterval(watching);
await server.stop();

function median(from: number, to: number): number {
  const within = samples.filter(({ at }) => at >= from && at < to).map(({ rssMb }) => rssMb);
  return percentiles(within).p50;
}

const early = median(0.1, 0.2);
const late = median(0.9, 1.01);
const growth = late / early - 1;
const report = {
  sessions: soak.begun,
  minutes: round((performance.now() - begun) / 60_000),
  rssMb: { early: round(early), late: round(late) },
  growth: Math.round(growth * 1000) / 1000,
  lostFinals: soak.lostFinals,
  failed: soak.failed,
};
console.log(values.json ? JSON.stringify(report) : report);
if (!(growth <= Number(values.growth)) || soak.lostFinals + soak.failed > 0) process.exitCode = 1;
