import { mock } from 'node:test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LexigateError } from '../src/client/error.js';
import { type LexigateSession, openSession } from '../src/client/session.js';
import type { WebSocketLike } from '../src/client/socket.js';

const test = suite('client');

/** A socket without a network: tests read what was sent and say what comes. */
class FakeSocket implements WebSocketLike {
  bufferedAmount = 0;
  readyState = 1;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly sent: (string | Uint8Array)[] = [];

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(): void {
    this.end(1000, '');
  }

  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) } as never);
  }

  end(code: number, reason: string): void {
    this.readyState = 3;
    this.onclose?.({ code, reason } as never);
  }
}

const START = { audio: { encoding: 's16le', sampleRate: 16_000, channels: 1 } } as const;
const READY = { type: 'ready', protocol: 'lexigate.v1', sessionId: 'x' };

function dial(): { readonly socket: FakeSocket; readonly opened: Promise<LexigateSession> } {
  let socket: FakeSocket | undefined;
  class Dialled extends FakeSocket {
    constructor() {
      super();
      socket = this;
    }
  }
  const opened = openSession(Dialled, 'ws://gateway/v1/stream', START);
  return { socket: socket!, opened };
}

async function connected(): Promise<{ readonly socket: FakeSocket; readonly session: LexigateSession }> {
  const { socket, opened } = dial();
  socket.onopen?.(undefined as never);
  socket.say(READY);
  return { socket, session: await opened };
}

async function failure(promise: Promise<unknown>): Promise<LexigateError> {
  try {
    await promise;
  } catch (error) {
    return error as LexigateError;
  }
  throw new Error('it did not fail');
}

test('a token travels as a subprotocol, and nothing does where there is none', () => {
  const offered: (string | string[])[] = [];
  class Dialled extends FakeSocket {
    constructor(_: string, protocols: string | string[]) {
      super();
      offered.push(protocols);
    }
  }
  void openSession(Dialled, 'ws://gateway/v1/stream', START);
  void openSession(Dialled, 'ws://gateway/v1/stream', START, { token: 'abc' });
  assert.equal(offered, ['lexigate.v1', ['lexigate.v1', 'bearer', 'abc']]);
});

test('an answer that is no connection is told by what it means', async () => {
  const { socket, opened } = dial();
  socket.onerror?.({ message: 'Unexpected server response: 401' } as never);
  assert.match((await failure(opened)).message, /a key or token is needed.*HTTP 401/);
});

test('says start once the socket is open, and is there once the server is ready', async () => {
  const { socket, session } = await connected();
  assert.equal(socket.sent, [JSON.stringify({ type: 'start', ...START, options: { resumable: true } })]);
  assert.is(session.ready.sessionId, 'x');
});

test('a refused start rejects with the code of the server', async () => {
  const { socket, opened } = dial();
  socket.say({ type: 'error', code: 'unsupported_rate', message: 'no', fatal: false });
  assert.is((await failure(opened)).code, 'unsupported_rate');
});

test('a server that closes before it is ready rejects', async () => {
  const { socket, opened } = dial();
  socket.end(1013, 'full');
  assert.match((await failure(opened)).message, /1013 full/);
});

test('what it does not know passes by, and is seen by those who listen to everything', async () => {
  const { socket, session } = await connected();
  const seen: string[] = [];
  session.on('message', ({ type }) => seen.push(type));
  session.on('error', () => seen.push('an error'));
  for (const odd of [{ type: 'weather', id: '1' }, 'no JSON', '7', 'null', {}]) socket.say(odd);
  socket.onmessage?.({ data: new ArrayBuffer(1) } as never);
  socket.say({ type: 'mark', id: 'of nobody', sample: 0 });
  assert.equal(seen, ['weather', 'mark']);
});

test('answers find their requests by id, in whatever order they come', async () => {
  const { socket, session } = await connected();
  const [flushed, marked] = [session.flush(), session.mark()];
  const [flush, mark] = socket.sent.slice(1).map((text) => JSON.parse(text as string) as { id: string });
  socket.say({ type: 'mark', id: mark!.id, sample: 2 });
  socket.say({ type: 'flushed', id: flush!.id, sample: 1 });
  assert.is((await flushed).sample, 1);
  assert.is((await marked).sample, 2);
});

test('an error of a request rejects that request alone; others are events', async () => {
  const { socket, session } = await connected();
  const events: string[] = [];
  session.on('error', ({ code }) => events.push(code));
  const update = session.updateVocabulary({ replace: [''] });
  const { id } = JSON.parse(socket.sent[1] as string) as { id: string };
  socket.say({ type: 'error', code: 'vocabulary_invalid', message: 'no', fatal: false, id });
  socket.say({ type: 'error', code: 'odd_byte_count', message: 'no', fatal: false });
  assert.is((await failure(update)).code, 'vocabulary_invalid');
  assert.equal(events, ['odd_byte_count']);
});

test('stopping twice sends one stop', async () => {
  const { socket, session } = await connected();
  const both = [session.stop(), session.stop()];
  socket.say({ type: 'stopped', audioSeconds: 1 });
  assert.equal(
    (await Promise.all(both)).map(({ audioSeconds }) => audioSeconds),
    [1, 1],
  );
  assert.is(socket.sent.filter((text) => `${text}`.includes('stop')).length, 1);
});

test('when the server gives up, what was asked rejects with its reason', async () => {
  const { socket, session } = await connected();
  const closes: unknown[] = [];
  session.on('close', (event) => closes.push(event));
  const flush = session.flush();
  socket.say({ type: 'error', code: 'idle_timeout', message: 'nothing came', fatal: true });
  socket.end(4408, 'nothing came');
  assert.is((await failure(flush)).code, 'idle_timeout');
  assert.is((await failure(session.mark())).code, 'idle_timeout');
  assert.is((await failure(session.sendAudio(new Uint8Array(2)))).code, 'idle_timeout');
  assert.equal(closes, [{ code: 4408, reason: 'nothing came' }]);
});

test('audio waits while much of it has not left yet, and goes on once it has', async () => {
  const { socket, session } = await connected();
  socket.bufferedAmount = 1_000_000;
  let looked = 0;
  Object.defineProperty(socket, 'bufferedAmount', { get: () => (++looked < 3 ? 1_000_000 : 0) });
  await session.sendAudio(new Uint8Array(3200));
  assert.is(looked, 3);
});

test('a sender that waits is let go when the connection ends', async () => {
  const { socket, session } = await connected();
  socket.bufferedAmount = 1_000_000;
  const sending = session.sendAudio(new Uint8Array(3200));
  socket.end(1006, '');
  await sending;
});

test('a connection on which nothing comes any more, though audio should be acknowledged, is taken for lost', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const sockets: FakeSocket[] = [];
    class Dialled extends FakeSocket {
      constructor() {
        super();
        sockets.push(this);
      }
    }
    const opened = openSession(Dialled, 'ws://gateway/v1/stream', START, { delayMs: () => 0 });
    const limits = { maxFrameBytes: 1_000_000 };
    sockets[0]!.say({ ...READY, limits, resume: { token: 't', seconds: 30 } });
    const session = await opened;
    const lost: string[] = [];
    session.on('reconnecting', ({ reason }) => lost.push(reason));
    const second = new Uint8Array(32_000);
    await session.sendAudio(second);
    // less than what has to be acknowledged by now
    mock.timers.tick(15_000);
    await session.sendAudio(second);
    mock.timers.tick(14_000);
    sockets[0]!.say({ type: 'progress', sample: 16_000 });
    mock.timers.tick(1000);
    await session.sendAudio(second);
    mock.timers.tick(14_999);
    assert.equal(lost, []);
    mock.timers.tick(1);
    assert.equal(lost, ['nothing came for 15 seconds']);
    assert.is(sockets[0]!.readyState, 3);
    session.close();
  } finally {
    mock.timers.reset();
  }
});

test('a listener that was taken off hears nothing more', async () => {
  const { socket, session } = await connected();
  const heard: string[] = [];
  const listener = ({ text }: { readonly text: string }): void => {
    heard.push(text);
  };
  session.on('partial', listener);
  socket.say({ type: 'partial', text: 'a' });
  session.off('partial', listener);
  socket.say({ type: 'partial', text: 'b' });
  assert.equal(heard, ['a']);
});

test.run();
