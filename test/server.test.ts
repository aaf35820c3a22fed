import { request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import WebSocket from 'ws';
import { LexigateClient } from '../src/client/client.js';
import type { ErrorMessage, ServerMessage } from '../src/protocol/messages.js';
import { Gateway, type GatewayOptions } from '../src/server/gateway.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { nativeEndpoint } from '../src/session/native.js';
import type { RecogniserCommand, RecogniserFactory } from '../src/session/recogniser.js';
import { DESCRIPTION, FakeRecogniser, START } from './session-support.js';

const test = suite('server');

let gateway: Gateway;
let recognisers: FakeRecogniser[];

/** Answers what a client waits for, at once. */
class ObligingRecogniser extends FakeRecogniser {
  override send(command: RecogniserCommand): void {
    super.send(command);
    if (command.type === 'vocabulary') {
      const { vocabulary } = this;
      this.happened.next({ type: 'vocabulary.applied', id: command.id, ...vocabulary });
    } else if (command.type === 'boundary' && command.boundary.type === 'flush') {
      this.happened.next({ type: 'flushed', id: command.boundary.id!, sample: 0 });
    } else if (command.type === 'boundary' && command.boundary.type === 'stop') {
      this.happened.next({
        type: 'stopped',
        audioSeconds: 0,
        samples: 0,
        segments: 0,
        words: 0,
        vocabularyVersion: 0,
      });
    }
  }
}

async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
  recognisers = [];
  const factory: RecogniserFactory = {
    description: DESCRIPTION,
    open: async () => {
      const recogniser = new ObligingRecogniser();
      recognisers.push(recogniser);
      return recogniser;
    },
  };
  gateway = await Gateway.start({
    endpoints: [nativeEndpoint({ recognisers: factory, limits: DEFAULT_LIMITS })],
    maxPayload: 4 * DEFAULT_LIMITS.maxFrameBytes,
    host: '127.0.0.1',
    port: 0,
    maxConnections: 2,
    ...options,
  });
}

test.before.each(() => start());
test.after.each(() => gateway.stop({ graceMs: 0 }));

function get(path: string): Promise<{ status: number | undefined; body: string }> {
  const url = gateway.url.replace('ws:', 'http:').replace('/v1/stream', path);
  return new Promise((resolve, reject) => {
    request(url, (response) => {
      let body = '';
      response.on('data', (part: Buffer) => {
        body += part.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });
}

interface Raw {
  readonly ws: WebSocket;
  readonly messages: ServerMessage[];
  readonly closed: Promise<number>;
}

function connect(protocol = 'lexigate.v1', url = gateway.url): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, protocol);
    const messages: ServerMessage[] = [];
    ws.on('message', (raw: Buffer) => messages.push(JSON.parse(raw.toString()) as ServerMessage));
    const closed = new Promise<number>((done) => ws.on('close', done));
    ws.on('open', () => resolve({ ws, messages, closed }));
    ws.on('error', reject);
    ws.on('unexpected-response', (_, response) => {
      reject(new Error(`${response.statusCode} ${response.headers['retry-after']}`));
    });
  });
}

test('speaks the subprotocol that is asked for', async () => {
  const { ws } = await connect();
  assert.is(ws.protocol, 'lexigate.v1');
  ws.terminate();
});

test('a session over a real socket: ready, audio, update, flush, stop', async () => {
  const client = await LexigateClient.connect(gateway.url, {
    audio: { encoding: 's16le', sampleRate: 16_000, channels: 1 },
  });
  await client.sendAudio(new Uint8Array(640));
  assert.is((await client.updateVocabulary({ replace: ['Ada'] })).version, 1);
  await client.flush();
  const closed = new Promise<number>((resolve) => client.on('close', ({ code }) => resolve(code)));
  await client.stop();
  assert.is(await closed, 1000);
  assert.equal(
    recognisers[0]!.commands.map(({ type }) => type),
    ['audio', 'vocabulary', 'boundary', 'boundary'],
  );
  assert.ok(recognisers[0]!.closed);
});

test('a refused update rejects its promise, with the code, and nothing else', async () => {
  const client = await LexigateClient.connect(gateway.url, {
    audio: { encoding: 's16le', sampleRate: 16_000, channels: 1 },
  });
  try {
    await client.updateVocabulary({ replace: [{ text: '' }] });
    assert.unreachable();
  } catch (error) {
    assert.is((error as { code?: string }).code, 'vocabulary_invalid');
  }
  await client.stop();
});

test('connections above the bound get 503 with Retry-After before the upgrade', async () => {
  const open = [await connect(), await connect()];
  try {
    await connect();
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /503 5/);
  }
  for (const { ws } of open) ws.terminate();
});

test('a WebSocket at another path is 404 with the right path', async () => {
  try {
    await connect('lexigate.v1', gateway.url.replace('/v1/stream', '/elsewhere'));
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /404/);
  }
  const { status, body } = await get('/elsewhere');
  assert.is(status, 404);
  assert.match(body, /\/v1\/stream/);
});

test('says that it is healthy, and how many sessions are open', async () => {
  const { ws } = await connect();
  const { status, body } = await get('/healthz');
  assert.is(status, 200);
  assert.equal(JSON.parse(body), { status: 'ok', sessions: 1 });
  ws.terminate();
});

test('a path that is no path is answered, and the server lives on', async () => {
  const { hostname, port } = new URL(gateway.url);
  const reply = await new Promise<string>((resolve) => {
    const socket = connectTcp(Number(port), hostname, () => {
      socket.write('GET // HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    socket.on('data', (data) => resolve(data.toString()));
  });
  assert.match(reply, /^HTTP\/1\.1 404/);
  assert.is((await get('/healthz')).status, 200);
});

test('a subprotocol that is not spoken is refused with the one that is', async () => {
  try {
    await connect('graphql-ws');
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /400/);
  }
});

test('headers of an endpoint stand in both answers, and quote no line break of the request', async () => {
  await gateway.stop({ graceMs: 0 });
  const native = nativeEndpoint({
    recognisers: { description: DESCRIPTION, open: async () => new FakeRecogniser() },
    limits: DEFAULT_LIMITS,
  });
  await start({
    endpoints: [
      {
        ...native,
        handshake: ({ url }) => {
          const headers = { 'X-Heard': url.searchParams.get('say') ?? '' };
          const accept = url.searchParams.get('say') === 'yes';
          return accept ? { accept, headers } : { accept, status: 400, message: 'no', headers };
        },
      },
    ],
  });
  const heard = (say: string): Promise<string> =>
    new Promise((resolve) => {
      const ws = new WebSocket(`${gateway.url}?say=${encodeURIComponent(say)}`);
      ws.on('upgrade', ({ headers }) => resolve(`${headers['x-heard']}`));
      ws.on('unexpected-response', (_, { headers }) => resolve(`${headers['x-heard']} ${headers['x-made']}`));
      ws.on('error', () => undefined);
      ws.on('open', () => ws.terminate());
    });
  assert.is(await heard('yes'), 'yes');
  assert.is(await heard('no\r\nX-Made: by the client'), 'no??X-Made: by the client undefined');
});

test('text that is no UTF-8 is told in a frame before the close', async () => {
  const { ws, messages, closed } = await connect();
  ws.send(Uint8Array.of(0x7b, 0xff, 0xfe), { binary: false });
  assert.is(await closed, 1007);
  assert.is((messages[0] as ErrorMessage).code, 'invalid_utf8');
});

test('a peer that is gone frees its session', async () => {
  const { ws } = await connect();
  ws.send(JSON.stringify(START));
  await new Promise((resolve) => ws.once('message', resolve));
  ws.terminate();
  while (gateway.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(recognisers[0]!.closed);
});

test('a half-open peer that answers no ping is cut off', async () => {
  await gateway.stop({ graceMs: 0 });
  await start({ pingSeconds: 0.02 });
  const { ws } = await connect();
  ws.pause();
  while (gateway.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
  ws.terminate();
});

test('stopping waits for open sessions and takes no new ones', async () => {
  const { ws, closed } = await connect();
  let stopped = false;
  const stopping = gateway.stop({ graceMs: 60_000 }).then(() => {
    stopped = true;
  });
  await connect().then(
    () => assert.unreachable(),
    () => undefined,
  );
  assert.not(stopped);
  ws.close();
  await closed;
  await stopping;
  await start();
});

test('sessions left after the grace are told that the server shuts down', async () => {
  const { ws, messages, closed } = await connect();
  ws.send(JSON.stringify(START));
  await new Promise((resolve) => ws.once('message', resolve));
  await gateway.stop({ graceMs: 0 });
  assert.is(await closed, 1001);
  assert.is((messages.at(-1) as ErrorMessage).code, 'shutting_down');
  await start();
});

test('a port that is taken is an error', async () => {
  const port = Number(new URL(gateway.url).port);
  const first = gateway;
  try {
    await start({ port });
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /EADDRINUSE/);
  }
  gateway = first;
});

test.run();
