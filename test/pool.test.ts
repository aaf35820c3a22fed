import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sum } from '../src/observability/snapshot.js';
import type { ProtocolError } from '../src/protocol/errors.js';
import { WorkerPool } from '../src/session/pool.js';
import type { Recogniser, RecogniserConfig, RecogniserEvent } from '../src/session/recogniser.js';
import { DESCRIPTION } from './session-support.js';

const test = suite('worker pool');

/**
 * A worker that speaks the border's messages: it opens sessions, answers each mark with the number of audio bytes that
 * it got and its thread as the id, refuses a beam of 63 and dies of a flush. It counts its sessions and says so, unless it
 * was opened with a beam of 62: then never again.
 */
const WORKER = `
  const { parentPort, threadId } = require('node:worker_threads');
  const bytes = new Map();
  let sessions = 0;
  let mute = false;
  const metric = (name, type, value) =>
    ({ name, help: name, type, aggregator: 'sum', values: [{ labels: {}, value }] });
  parentPort.on('message', (message) => {
    const { session } = message;
    if (message.type === 'stop') parentPort.close();
    else if (message.type === 'metrics') {
      const snapshot = [metric('opened_total', 'counter', sessions), metric('open', 'gauge', sessions)];
      if (!mute) parentPort.postMessage({ type: 'metrics', snapshot });
    } else if (message.type === 'open') {
      sessions++;
      mute ||= message.config.beam === 62;
      if (message.config.beam === 63) parentPort.postMessage({ type: 'refused', session, message: 'too wide' });
      else {
        bytes.set(session, 0);
        const vocabulary = { version: 0, hash: '', entries: 0, sample: 0, buildMs: 0, rejected: [] };
        parentPort.postMessage({ type: 'opened', session, vocabulary });
      }
    } else if (message.type === 'command') {
      const { command } = message;
      if (command.type === 'audio') bytes.set(session, bytes.get(session) + command.bytes.length);
      else if (command.boundary.type === 'flush') throw new Error('out of memory');
      else {
        const event = { type: 'mark', id: String(threadId), sample: bytes.get(session) };
        parentPort.postMessage({ type: 'event', session, event });
      }
    }
  });
  parentPort.postMessage({ type: 'ready', description: ${JSON.stringify(DESCRIPTION)} });
`;

let pool: WorkerPool;
let spawned: number;

test.before.each(async () => {
  spawned = 0;
  const spawn = (): Worker => {
    spawned++;
    return new Worker(WORKER, { eval: true });
  };
  pool = await WorkerPool.start(spawn, { workers: 2 });
});
test.after.each(() => pool.stop());

const CONFIG = { beam: 1 } as RecogniserConfig;

function nextEvent(recogniser: Recogniser): Promise<RecogniserEvent> {
  return new Promise((resolve) => {
    const subscription = recogniser.events.subscribe((event) => {
      subscription.unsubscribe();
      resolve(event);
    });
  });
}

/** What a mark tells: the worker's thread, and the bytes that came before it. */
async function mark(recogniser: Recogniser): Promise<{ thread: string; bytes: number }> {
  const answered = nextEvent(recogniser);
  recogniser.send({ type: 'boundary', boundary: { type: 'mark', id: 'm' } });
  const event = await answered;
  assert.ok(event.type === 'mark');
  return { thread: event.id, bytes: event.sample };
}

test('describes the model that its workers loaded', () => {
  assert.equal(pool.description, DESCRIPTION);
});

test('a new session goes to the worker with the fewest', async () => {
  const first = await pool.open(CONFIG);
  const second = await pool.open(CONFIG);
  const [a, b] = [await mark(first), await mark(second)];
  assert.is.not(a.thread, b.thread);
  first.close();
  const third = await pool.open(CONFIG);
  assert.is((await mark(third)).thread, a.thread);
});

test('audio arrives whole, also where its bytes share a buffer with others', async () => {
  const recogniser = await pool.open(CONFIG);
  const shared = Uint8Array.from({ length: 100 }, (_, i) => i);
  recogniser.send({ type: 'audio', bytes: shared.subarray(10, 30) });
  recogniser.send({ type: 'audio', bytes: Uint8Array.from({ length: 8 }) });
  assert.is((await mark(recogniser)).bytes, 28);
  assert.is(shared.length, 100);
});

test('a session that the worker refuses is an error, and takes no place', async () => {
  await pool.open({ beam: 63 } as RecogniserConfig).then(
    () => assert.unreachable(),
    (error: ProtocolError) => {
      assert.is(error.code, 'internal');
      assert.match(error.message, /too wide/);
    },
  );
  assert.is.not((await mark(await pool.open(CONFIG))).thread, (await mark(await pool.open(CONFIG))).thread);
});

test('a worker that dies fails its own sessions, with the reason, and is replaced', async () => {
  const doomed = await pool.open(CONFIG);
  const other = await pool.open(CONFIG);
  const failed = nextEvent(doomed);
  doomed.send({ type: 'boundary', boundary: { type: 'flush' } });
  const event = await failed;
  assert.ok(event.type === 'failed' && event.code === 'internal');
  assert.match(event.message, /out of memory/);
  assert.is((await mark(other)).bytes, 0);
  assert.is(spawned, 3);
  // the survivor takes what comes until the new worker is there, and then that one does
  let thread = (await mark(other)).thread;
  const survivor = thread;
  while (thread === survivor) thread = (await mark(await pool.open(CONFIG))).thread;
});

test('nothing is heard of a session that was closed', async () => {
  const recogniser = await pool.open(CONFIG);
  let completed = false;
  let heard = 0;
  recogniser.events.subscribe({ next: () => heard++, complete: () => (completed = true) });
  recogniser.send({ type: 'boundary', boundary: { type: 'mark', id: 'm' } });
  recogniser.close();
  assert.ok(completed);
  await mark(await pool.open(CONFIG));
  await mark(await pool.open(CONFIG));
  assert.is(heard, 0);
});

test('workers end what they compute before the pool has stopped', async () => {
  const ended = new Int32Array(new SharedArrayBuffer(4));
  const slow = WORKER.replace(
    'parentPort.close()',
    'setImmediate(() => { ended[0] = 1; parentPort.close(); })',
  );
  const code = `const ended = require('node:worker_threads').workerData;${slow}`;
  const spawn = (): Worker => new Worker(code, { eval: true, workerData: ended });
  const other = await WorkerPool.start(spawn, { workers: 1 });
  await other.stop();
  assert.is(ended[0], 1);
});

/** What the pool counts in all, by name. */
async function totals(): Promise<Readonly<Record<string, number>>> {
  const metrics = await sum(await pool.snapshots());
  return Object.fromEntries(metrics.map(({ name, values }) => [name, values[0]!.value]));
}

test('what the workers count is fetched from each', async () => {
  for (let i = 0; i < 3; i++) await pool.open(CONFIG);
  assert.equal(await totals(), { opened_total: 3, open: 3 });
  assert.is(pool.running, 2);
});

test('what a worker counted that died stays, as far as it was known, and how full it was does not', async () => {
  const doomed = await pool.open(CONFIG);
  await pool.open(CONFIG);
  assert.equal(await totals(), { opened_total: 2, open: 2 });
  const failed = nextEvent(doomed);
  doomed.send({ type: 'boundary', boundary: { type: 'flush' } });
  await failed;
  assert.equal(await totals(), { opened_total: 2, open: 1 });
});

test('of a worker that does not answer counts what it said before', async () => {
  await totals();
  await pool.open({ beam: 62 } as RecogniserConfig);
  await pool.open(CONFIG);
  assert.equal(await totals(), { opened_total: 1, open: 1 });
});

test.run();
