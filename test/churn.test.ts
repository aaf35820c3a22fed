/** The shorter form of `npm run soak`: connections that come and go leave nothing behind on the main thread. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import WebSocket from 'ws';
import type { ServerMessage } from '../src/protocol/messages.js';
import { Gateway } from '../src/server/gateway.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { nativeEndpoint } from '../src/session/native.js';
import { RestartingRecognisers } from '../src/session/restarting.js';
import { ByteRecogniser } from './byte-recogniser.js';
import { DESCRIPTION } from './session-support.js';

const test = suite('churn');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const SESSIONS = 200;

/** Megabytes that are reachable. */
async function reachable(): Promise<number> {
  // what buffers hold outside the heap is given back a turn later
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

/** Says 20 kB and is cut, or stops, or is cut before it begins. */
function session(url: string, number: number): Promise<void> {
  const start = {
    type: 'start',
    audio: { encoding: 'mulaw', sampleRate: 8000, channels: 1 },
    vocabulary: [`name ${number}`],
    options: { resumable: number % 2 === 0 },
  };
  return new Promise((resolve) => {
    const socket = new WebSocket(url, 'lexigate.v1');
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.on('open', () => {
      if (number % 5 === 0) socket.terminate();
      else socket.send(JSON.stringify(start));
    });
    socket.on('message', (data: Buffer) => {
      if ((JSON.parse(data.toString()) as ServerMessage).type !== 'ready') return;
      socket.send(new Uint8Array(20_000).fill(1));
      if (number % 3 === 0) socket.send('{"type":"stop"}');
      else socket.send('{"type":"mark","id":"m"}', () => socket.terminate());
    });
  });
}

test('the memory of 200 sessions that were cut, stopped or never began is free again', async () => {
  const byBytes = { description: DESCRIPTION, open: async (config: never) => new ByteRecogniser(config) };
  const recognisers = new RestartingRecognisers({
    recognisers: byBytes,
    replaced: async () => undefined,
    maxReplayBytes: DEFAULT_LIMITS.maxReplayBytes,
  });
  const gateway = await Gateway.start({
    // those that may come back are kept for that, and no more of them
    endpoints: [nativeEndpoint({ recognisers, limits: { ...DEFAULT_LIMITS, maxSuspended: 2 } })],
    maxPayload: 4 * DEFAULT_LIMITS.maxFrameBytes,
    host: '127.0.0.1',
    port: 0,
  });
  const churn = async (from: number): Promise<void> => {
    for (let i = from; i < from + SESSIONS; i++) await session(gateway.url, i);
    while (gateway.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
  };
  await churn(0);
  const before = await reachable();
  await churn(SESSIONS);
  const left = (await reachable()) - before;
  await gateway.stop({ graceMs: 0 });
  // kept, their audio alone would be 3 MB
  assert.ok(left < 1, `${left.toFixed(2)} MB are left`);
});

test.run();
