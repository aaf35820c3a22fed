/** Every limit of the gateway as a whole, crossed. What one session may use: session-limits.test.ts. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ServerMessage } from '../src/protocol/messages.js';
import type { ServerLimits } from '../src/server/limits.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { nativeEndpoint } from '../src/session/native.js';
import { type Attempt, attempt, type Guarded, guard, PROTOCOLS } from './access-support.js';
import { DESCRIPTION, FakeRecogniser } from './session-support.js';

const test = suite('limits of the gateway');

let guarded: Guarded;
test.after.each(() => guarded.stop());

function connect(): Promise<Attempt> {
  return attempt(guarded.gateway.url, { headers: { authorization: `Bearer ${guarded.key}` } });
}

/** A connection below HTTP. */
function tcp(): Socket {
  const { hostname, port } = new URL(guarded.gateway.url);
  return connectTcp(Number(port), hostname).on('error', () => undefined);
}

/** A limit without its crossing does not compile. */
const CROSSINGS: Readonly<Record<keyof ServerLimits, readonly [string, () => Promise<void>]>> = {
  maxConnections: [
    'the next connection gets 503 with Retry-After before the upgrade, and one that leaves makes room',
    async () => {
      guarded = await guard({}, { maxConnections: 2 });
      const open = [await connect(), await connect()];
      const refused = await connect();
      assert.is(refused.status, 503);
      assert.is(refused.headers['retry-after'], '5');
      open[0]!.ws.terminate();
      let next = await connect();
      while (next.status !== 101) next = await connect();
      for (const { ws } of [...open, next]) ws.terminate();
    },
  ],
  maxConnectionsPerKey: [
    'the next connection of a key gets 429 with Retry-After, unless its record says otherwise',
    async () => {
      guarded = await guard({}, { maxConnectionsPerKey: 1 });
      const open = await connect();
      const refused = await connect();
      assert.is(refused.status, 429);
      assert.is(refused.headers['retry-after'], '5');
      assert.match(refused.body, /1 connections open/);
      open.ws.terminate();
      await guarded.stop();
      guarded = await guard({ maxConnections: 2 }, { maxConnectionsPerKey: 1 });
      const two = [await connect(), await connect()];
      assert.equal(
        two.map(({ status }) => status),
        [101, 101],
      );
      for (const { ws } of two) ws.terminate();
    },
  ],
  maxHandshakes: [
    'TCP connections besides the WebSockets are closed at once, and those that there are stay',
    async () => {
      guarded = await guard({}, { maxConnections: 1, maxHandshakes: 1 });
      const { ws } = await connect();
      const idle = tcp();
      await once(idle, 'connect');
      const surplus = tcp();
      await once(surplus, 'close');
      assert.is(ws.readyState, ws.OPEN);
      assert.not(idle.destroyed);
      idle.destroy();
      ws.terminate();
    },
  ],
  handshakeSeconds: [
    'a request that is not complete by then is closed, whether it says nothing or half',
    async () => {
      guarded = await guard({}, { handshakeSeconds: 0.05 });
      for (const half of ['', 'GET /v1/stream HTTP/1.1\r\nHost: x\r\n']) {
        const socket = tcp();
        socket.write(half);
        socket.resume();
        await once(socket, 'close');
      }
    },
  ],
  pingSeconds: [
    'a half-open peer, which answers no ping, is cut off, and one that answers is not',
    async () => {
      guarded = await guard({}, { pingSeconds: 0.05 });
      const [half, whole] = [await connect(), await connect()];
      half.ws.pause();
      let pings = 0;
      const pinged = new Promise<void>((resolve) => {
        whole.ws.on('ping', () => {
          if (++pings === 3) resolve();
        });
      });
      await pinged;
      while (guarded.gateway.sessions > 1) await new Promise((resolve) => setImmediate(resolve));
      assert.is(whole.ws.readyState, whole.ws.OPEN);
      half.ws.terminate();
      whole.ws.terminate();
    },
  ],
};

for (const [limit, [what, cross]] of Object.entries(CROSSINGS)) test(`${limit}: ${what}`, cross);

test('a connection that is given up while its key is looked at holds no place', async () => {
  let goOn = (): void => undefined;
  const going = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let asked = (): void => undefined;
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const authenticate = async () => {
    asked();
    await going;
    return { keyLimits: {}, tokenLimits: {} };
  };
  guarded = await guard({}, { maxConnections: 1, authenticator: { authenticate } });
  const socket = tcp();
  const key = Buffer.alloc(16).toString('base64');
  socket.write(
    'GET /v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  await asking;
  socket.resetAndDestroy();
  // so that it may be noticed
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  goOn();
  let next = await connect();
  while (next.status !== 101) next = await connect();
  next.ws.terminate();
});

test('a client that is refused and never hangs up is hung up on, and holds up no shutdown', async () => {
  guarded = await guard();
  const { hostname, port } = new URL(guarded.gateway.url);
  const socket = connectTcp({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.write('GET /v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 401/);
  await guarded.gateway.stop({ graceMs: 0 });
  socket.destroy();
  guarded = await guard();
});

test('a reader that stands still is closed with 4499 once too much waits, and finds all finals before it', async () => {
  const recogniser = new FakeRecogniser();
  const limits = { ...DEFAULT_LIMITS, maxOutputBytes: 64 * 1024 };
  const environment = { recognisers: { description: DESCRIPTION, open: async () => recogniser }, limits };
  guarded = await guard({}, { endpoints: [nativeEndpoint(environment)] });
  const { ws, messages, closed } = await connect();
  ws.send(PROTOCOLS[0].begin);
  await once(ws, 'message');
  ws.pause();
  const text = 'x'.repeat(10_000);
  let finals = 0;
  while (!recogniser.closed) {
    const where = { channel: 0, segment: finals++, start: 0, end: 0, startSample: 0, endSample: 0 };
    recogniser.happened.next({ type: 'final', ...where, text, words: [], reason: 'endpoint' });
    await new Promise((resolve) => setImmediate(resolve));
  }
  ws.resume();
  assert.is(await closed, 4499);
  const types = messages.map((message) => (JSON.parse(message) as ServerMessage).type);
  assert.equal(types, ['ready', ...Array<string>(finals).fill('final'), 'error']);
  assert.match(messages.at(-1)!, /slow_consumer.*bytes wait to be read/);
});

test.run();
