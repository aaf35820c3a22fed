/** A real worker dies in the middle of real speech. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readAudioFile } from '../src/cli/audio-file.js';
import type { WorkerSettings } from '../src/cli/worker.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { WorkerPool } from '../src/session/pool.js';
import type { Recogniser, RecogniserEvent } from '../src/session/recogniser.js';
import { RestartingRecognisers } from '../src/session/restarting.js';
import { toConfig } from '../src/session/start.js';
import { packageRoot } from '../src/util/package-root.js';

const test = suite('the death of a worker');

const root = packageRoot();

async function withPool(
  action: (pool: WorkerPool, workers: readonly Worker[]) => Promise<void>,
): Promise<void> {
  const workers: Worker[] = [];
  const workerData: WorkerSettings = {
    model: join(root, 'models', 'en-base'),
    maxBatch: 4,
    languageModel: undefined,
    phonetics: undefined,
  };
  const pool = await WorkerPool.start(
    () => {
      const worker = new Worker(join(root, 'build', 'src', 'cli', 'worker.js'), { workerData });
      workers.push(worker);
      return worker;
    },
    { workers: 2 },
  );
  try {
    await action(pool, workers);
  } finally {
    await pool.stop();
  }
}

/** Resolves with the next event of a type. */
function next(recogniser: Recogniser, type: RecogniserEvent['type']): Promise<RecogniserEvent> {
  return new Promise((resolve) => {
    const subscription = recogniser.events.subscribe((event) => {
      if (event.type !== type) return;
      subscription.unsubscribe();
      resolve(event);
    });
  });
}

test('its sessions are told and miss no word, and those of the other feel nothing', async () => {
  const speech = await readAudioFile(join(root, 'samples', 'after.wav'));
  await withPool(async (pool, workers) => {
    const recognisers = new RestartingRecognisers({
      recognisers: pool,
      replaced: () => pool.replaced(),
      maxReplayBytes: DEFAULT_LIMITS.maxReplayBytes,
    });
    const start = { type: 'start', audio: speech.format } as const;
    const config = toConfig(start, pool.description.latencies[0]!, DEFAULT_LIMITS);
    const sessions = await Promise.all([0, 1].map(() => recognisers.open(config)));
    const told = sessions.map((session) => {
      const events: RecogniserEvent[] = [];
      session.events.subscribe((event) => events.push(event));
      return events;
    });
    const halves = [speech.bytes.slice(0, 80_000), speech.bytes.slice(80_000)];
    const sendAll = (bytes: Uint8Array): void => {
      for (const session of sessions) session.send({ type: 'audio', bytes: bytes.slice() });
    };
    const heard = sessions.map((session) => next(session, 'partial'));
    sendAll(halves[0]!);
    await Promise.all(heard);
    // no message of ours: the worker's thread ends with an uncaught error
    workers[0]!.postMessage(null);
    sendAll(halves[1]!);
    const ended = sessions.map((session) => next(session, 'stopped'));
    for (const session of sessions) session.send({ type: 'boundary', boundary: { type: 'stop' } });
    const totals = await Promise.all(ended);
    const finals = told.map((events) =>
      events.flatMap((event) =>
        event.type === 'final' ? [[event.text, event.startSample, event.endSample]] : [],
      ),
    );
    assert.ok(finals[0]!.length > 0);
    assert.equal(finals[0], finals[1]);
    assert.equal(totals[0], totals[1]);
    assert.equal(
      told.map((events) => events.flatMap((event) => (event.type === 'failed' ? event.code : []))),
      [['recogniser_restarted'], []],
    );
    assert.is(workers.length, 3);
    assert.is(pool.running, 2);
  });
});

test.run();
