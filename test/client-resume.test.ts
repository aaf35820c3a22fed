/** Connections that are lost, over real sockets: the SDK, a proxy that cuts, and the gateway. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LexigateClient } from '../src/client/client.js';
import type { LexigateError } from '../src/client/error.js';
import type { ConnectOptions } from '../src/client/session.js';
import type { ServerMessage } from '../src/protocol/messages.js';
import { Gateway, type GatewayOptions } from '../src/server/gateway.js';
import { DEFAULT_LIMITS, type SessionLimits } from '../src/session/limits.js';
import { nativeEndpoint } from '../src/session/native.js';
import type { RecogniserFactory } from '../src/session/recogniser.js';
import { CuttingProxy } from './cutting-proxy.js';
import { final } from './resume-support.js';
import { FRAME, scriptedRecognisers, spoken } from './scripted-recognisers.js';
import { DESCRIPTION, FakeRecogniser } from './session-support.js';

const test = suite('a lost connection');

const AUDIO = { encoding: 's16le', sampleRate: 16_000, channels: 1 } as const;

interface World {
  readonly gateway: Gateway;
  readonly proxy: CuttingProxy;
  connect(options?: ConnectOptions): Promise<LexigateClient>;
}

let world: World;
const stopping: (() => Promise<void>)[] = [];
test.after.each(async () => {
  for (const stop of stopping.splice(0)) await stop();
});

async function build(
  recognisers: RecogniserFactory,
  limits: Partial<SessionLimits> = {},
  options: Partial<GatewayOptions> = {},
): Promise<World> {
  const gateway = await Gateway.start({
    endpoints: [nativeEndpoint({ recognisers, limits: { ...DEFAULT_LIMITS, ...limits } })],
    maxPayload: 4 * DEFAULT_LIMITS.maxFrameBytes,
    host: '127.0.0.1',
    port: 0,
    ...options,
  });
  const proxy = await CuttingProxy.start(gateway.url);
  stopping.push(
    () => proxy.stop(),
    () => gateway.stop({ graceMs: 0 }),
  );
  world = {
    gateway,
    proxy,
    connect: (given) => LexigateClient.connect(proxy.url, { audio: AUDIO }, { delayMs: () => 0, ...given }),
  };
  return world;
}

/** A gateway whose recogniser says what the test says. */
async function fake(
  limits?: Partial<SessionLimits>,
  options?: Partial<GatewayOptions>,
): Promise<World & { readonly recogniser: FakeRecogniser }> {
  const recogniser = new FakeRecogniser();
  const open = async (): Promise<FakeRecogniser> => recogniser;
  return { ...(await build({ description: DESCRIPTION, open }, limits, options)), recogniser };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function next<K extends 'reconnecting' | 'resumed' | 'lost' | 'close'>(
  client: LexigateClient,
  type: K,
): Promise<unknown> {
  return new Promise((resolve) => client.on(type, resolve));
}

async function failure(promise: Promise<unknown>): Promise<LexigateError> {
  try {
    await promise;
  } catch (error) {
    return error as LexigateError;
  }
  throw new Error('it did not fail');
}

type Step =
  | { readonly do: 'speak'; readonly pieces: readonly number[] }
  | { readonly do: 'flush' }
  | { readonly do: 'mark' }
  /** Frames behind what was sent before it, where every run comes to it in the same way. */
  | { readonly do: 'update'; readonly in: number };

/** What a client hears in a session of these steps, but for what depends on when it ran. */
async function session(client: LexigateClient, steps: readonly Step[]): Promise<unknown[]> {
  const heard: unknown[] = [];
  client.on('message', (message: ServerMessage) => {
    if (message.type === 'partial' || message.type === 'vocabulary.settled') return;
    const { seq, lagMs, buildMs, sessionId, ...rest } = { ...message } as Record<string, unknown>;
    heard.push(rest);
  });
  const answers: Promise<unknown>[] = [];
  let sent = 0;
  for (const step of steps) {
    if (step.do === 'speak') {
      const bytes = spoken(step.pieces);
      sent += step.pieces.length;
      // packets that cut through frames
      for (let at = 0; at < bytes.length; at += 1000) await client.sendAudio(bytes.subarray(at, at + 1000));
    } else if (step.do === 'flush') answers.push(client.flush());
    else if (step.do === 'mark') answers.push(client.mark());
    else {
      const patch = { set: [`ad${answers.length}`] };
      answers.push(client.updateVocabulary({ patch, at: (sent + step.in) * FRAME }));
    }
  }
  await client.stop();
  await Promise.all(answers);
  return heard;
}

const STEP = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('speak' as const),
      pieces: fc.array(fc.nat(4), { minLength: 1, maxLength: 30 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('flush' as const, 'mark' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('update' as const), in: fc.nat(20) }) },
);

test('wherever connections are cut, in whichever frame and direction, a session is what it is without a cut', async () => {
  const { gateway, proxy } = await build(scriptedRecognisers());
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 5 }),
      async (steps, cuts) => {
        const plain = await LexigateClient.connect(gateway.url, { audio: AUDIO }, { reconnect: false });
        const whole = await session(plain, steps);
        // what the first connection needs to be one; a handshake may be cut in any other
        proxy.cuts.splice(0, Infinity, ...cuts.map((bytes, i) => (i === 0 ? bytes + 3000 : bytes)));
        proxy.connections = 0;
        const client = await LexigateClient.connect(proxy.url, { audio: AUDIO }, { delayMs: () => 0 });
        assert.equal(await session(client, steps), whole);
      },
    ),
    { numRuns: 60 },
  );
});

test('a cut in the middle of a word changes nothing of it', async () => {
  const { proxy, connect } = await build(scriptedRecognisers());
  const steps = [{ do: 'speak', pieces: [0, 1, 1, 4, 0, 2, 2, 0] }] as const;
  const whole = await session(await connect(), steps);
  const client = await connect();
  const events: string[] = [];
  for (const type of ['reconnecting', 'resumed', 'lost'] as const) client.on(type, () => events.push(type));
  const texts: string[] = [];
  client.on('final', ({ text }) => texts.push(text));
  const bytes = spoken(steps[0].pieces);
  await client.sendAudio(bytes.subarray(0, 4000));
  const resumed = next(client, 'resumed');
  proxy.cut();
  await next(client, 'reconnecting');
  assert.ok(client.reconnecting);
  await client.sendAudio(bytes.subarray(4000));
  await resumed;
  await client.stop();
  assert.equal(texts, ['ad b']);
  assert.equal((whole[0] as { text: string }).text, 'ad b');
  assert.equal(events, ['reconnecting', 'resumed']);
});

test('an update that had arrived is answered once, over the next connection, and not made twice', async () => {
  const { proxy, connect, recogniser } = await fake();
  const client = await connect();
  const updated = client.updateVocabulary({ replace: ['Ada'] });
  await until(() => recogniser.commands.length === 1);
  const reconnecting = next(client, 'reconnecting');
  proxy.cut();
  await reconnecting;
  recogniser.happened.next({ ...recogniser.vocabulary, type: 'vocabulary.applied', id: '1', version: 7 });
  assert.is((await updated).version, 7);
  assert.is(recogniser.commands.length, 1);
  client.close();
});

test('an update that had not arrived is sent again, in its place between the audio', async () => {
  const { proxy, connect, recogniser } = await fake();
  const client = await connect();
  await client.sendAudio(new Uint8Array(320));
  await until(() => recogniser.commands.length === 1);
  proxy.deaf = true;
  await client.sendAudio(new Uint8Array(640));
  const updated = client.updateVocabulary({ replace: ['Ada'] });
  await client.sendAudio(new Uint8Array(960));
  proxy.deaf = false;
  proxy.cut();
  await until(() => recogniser.commands.length === 4);
  const lengths = recogniser.commands.map((command) =>
    command.type === 'audio' ? command.bytes.length : command.type,
  );
  assert.equal(lengths, [320, 640, 'vocabulary', 960]);
  recogniser.happened.next({ ...recogniser.vocabulary, type: 'vocabulary.applied', id: '1' });
  await updated;
  client.close();
});

test('a flush is answered behind its final, though both were on their way when the connection went', async () => {
  const { proxy, connect, recogniser } = await fake();
  const client = await connect();
  const order: string[] = [];
  client.on('final', ({ text }) => order.push(text));
  const flushed = client.flush().then(() => order.push('flushed'));
  await until(() => recogniser.commands.length === 1);
  proxy.cut();
  recogniser.happened.next(final(0, 'lost'));
  recogniser.happened.next({ type: 'flushed', id: '1', sample: 0 });
  await flushed;
  assert.equal(order, ['lost', 'flushed']);
  client.close();
});

test('the totals come also where the connection went behind the stop', async () => {
  const { proxy, connect, recogniser } = await fake();
  const client = await connect();
  const stopped = client.stop();
  await until(() => recogniser.commands.length === 1);
  const closed = next(client, 'close');
  proxy.cut();
  const totals = { audioSeconds: 0, samples: 0, segments: 0, words: 3, vocabularyVersion: 0 };
  recogniser.happened.next({ type: 'stopped', ...totals });
  assert.is((await stopped).words, 3);
  assert.is(((await closed) as { code: number }).code, 1000);
});

test('who comes back too late has lost the session, and everything asked fails with that', async () => {
  const { proxy, connect, recogniser } = await fake({ resumeSeconds: 0.05 });
  const client = await connect();
  const updated = failure(client.updateVocabulary({ replace: ['Ada'] }));
  await until(() => recogniser.commands.length === 1);
  const events: string[] = [];
  for (const type of ['lost', 'close'] as const) client.on(type, () => events.push(type));
  const closed = next(client, 'close');
  proxy.refusing = true;
  proxy.cut();
  await until(() => recogniser.closed);
  proxy.refusing = false;
  await closed;
  const { code, message } = await updated;
  assert.is(code, 'connection');
  assert.match(message, /the session is lost: /);
  assert.equal(events, ['lost', 'close']);
  assert.match((await failure(client.sendAudio(new Uint8Array(2)))).message, /the session is lost/);
  assert.match((await failure(client.flush())).message, /the session is lost/);
});

test('whoever needs a credential needs one again, and is asked for it', async () => {
  const asked: (string | undefined)[] = [];
  const authenticate: NonNullable<GatewayOptions['authenticator']>['authenticate'] = async (credential) => {
    asked.push(credential);
    if (credential !== 'good') return { accept: false, status: 401, message: 'No.' };
    return { keyId: 'k', keyLimits: {}, tokenLimits: {} };
  };
  const { proxy, connect } = await fake({ resumeSeconds: 0.05 }, { authenticator: { authenticate } });
  const tokens = ['good', 'good', ...Array<string>(1000).fill('stale')];
  const client = await connect({ token: async () => tokens.shift() });
  const resumed = next(client, 'resumed');
  proxy.cut();
  await resumed;
  const lost = next(client, 'lost');
  proxy.cut();
  assert.match(((await lost) as { message: string }).message, /401/);
  assert.equal(asked.slice(0, 3), ['good', 'good', 'stale']);
});

test('closing while there is no connection ends the waiting, and what was asked fails', async () => {
  const { proxy, connect } = await fake();
  const client = await connect();
  const flushed = failure(client.flush());
  proxy.refusing = true;
  const reconnecting = next(client, 'reconnecting');
  proxy.cut();
  await reconnecting;
  const closed = next(client, 'close');
  client.close();
  await closed;
  assert.is((await flushed).code, 'connection');
  assert.not(client.reconnecting);
});

test('a client that does not want to come back is told of the loss at once, and the server keeps nothing', async () => {
  const { proxy, connect, recogniser } = await fake();
  const client = await connect({ reconnect: false });
  const closed = next(client, 'close');
  proxy.cut();
  assert.is(((await closed) as { code: number }).code, 1006);
  await until(() => recogniser.closed);
});

test('what waits for a connection is bounded: a sender that waits is made to, another is told', async () => {
  const { proxy, connect } = await fake();
  const client = await connect();
  proxy.refusing = true;
  const reconnecting = next(client, 'reconnecting');
  proxy.cut();
  await reconnecting;
  const mebibyte = new Uint8Array(1024 * 1024);
  for (let i = 0; i < 4; i++) await client.sendAudio(mebibyte);
  assert.is(client.bufferedBytes, 4 * mebibyte.length);
  let went = false;
  const waiting = client.sendAudio(mebibyte).then(() => {
    went = true;
  });
  assert.match((await failure(client.sendAudio(mebibyte))).message, /5242880 bytes have not arrived/);
  assert.not(went);
  client.close();
  await waiting;
});

test.run();
