import { mock } from 'node:test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProtocolError } from '../src/protocol/errors.js';
import { LINEAR16, listen, RATE } from './compat-deepgram-support.js';

const test = suite('Deepgram: faults, limits and idle streams');

test('what is no message is answered with a SchemaError, and the stream goes on', async () => {
  const talk = await listen(LINEAR16);
  for (const wrong of ['audio', '[]', '{"type":"Start"}', '{"type":"Finalize","channel":"one"}', '{}']) {
    talk.connection.text(wrong);
    const error = talk.all('Error').at(-1)!;
    assert.is(error.variant, 'SchemaError');
    assert.is(error.message, wrong);
  }
  talk.audio(1);
  assert.is(talk.recogniser.commands.length, 1);
  assert.equal(talk.closes, []);
});

test('limits are the session: too much audio is not read, too large a frame is refused', async () => {
  const talk = await listen(LINEAR16, { limits: { maxBufferedSeconds: 1, maxFrameBytes: 3 * RATE } });
  talk.audio(2);
  assert.is(talk.all('Error')[0]!.variant, 'frame_too_large');
  talk.connection.text(' '.repeat(3 * RATE + 1));
  assert.is(talk.all('Error')[1]!.variant, 'frame_too_large');
  talk.audio(1.5);
  assert.equal(talk.pauses, [true]);
});

test('a failure of the recogniser is told, then closes with the code of the session', async () => {
  const talk = await listen(LINEAR16);
  talk.recogniser.happened.next({ type: 'failed', code: 'internal', message: 'Recognition failed.' });
  assert.equal(talk.sent, [{ type: 'Error', variant: 'internal', description: 'Recognition failed.' }]);
  assert.equal(talk.closes, [{ code: 1011, reason: 'Recognition failed.' }]);
});

test('a server that shuts down says so, and text that is no UTF-8 is a fault', async () => {
  const stopping = await listen(LINEAR16);
  stopping.connection.shutDown();
  assert.is(stopping.all('Error')[0]!.variant, 'shutting_down');
  assert.is(stopping.closes[0]!.code, 1001);
  const faulty = await listen(LINEAR16);
  faulty.connection.fail(new ProtocolError('invalid_utf8', 'no UTF-8'));
  assert.is(faulty.closes[0]!.code, 1007);
});

test('a client that asks and does not read is given up, whoever answers', async () => {
  let waiting = 0;
  const talk = await listen(LINEAR16, { limits: { maxOutputBytes: 10 }, bufferedBytes: () => waiting });
  talk.connection.text('nonsense');
  assert.equal(talk.closes, []);
  waiting = 11;
  talk.connection.text('nonsense');
  assert.is(talk.closes[0]!.code, 4499);
  assert.is(talk.closes.length, 1);
  assert.ok(talk.recogniser.closed);
});

test('a peer that is gone frees the recogniser', async () => {
  const talk = await listen(LINEAR16);
  talk.connection.disconnected();
  assert.ok(talk.recogniser.closed);
  talk.audio(1);
  assert.equal(talk.recogniser.commands, []);
});

/** A clock that the test moves. */
async function withClock(body: (tick: (seconds: number) => void) => Promise<void>): Promise<void> {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    await body((seconds) => mock.timers.tick(seconds * 1000));
  } finally {
    mock.timers.reset();
  }
}

test('10 s without audio or a message close with 1011 and NET-0001', () =>
  withClock(async (tick) => {
    const talk = await listen(LINEAR16);
    tick(9.9);
    assert.equal(talk.closes, []);
    tick(0.1);
    assert.is(talk.closes[0]!.code, 1011);
    assert.match(talk.closes[0]!.reason, /^NET-0001: .*10 seconds/);
    assert.ok(talk.recogniser.closed);
    assert.equal(talk.sent, []);
  }));

test('audio and KeepAlive keep a stream open beyond the patience of the session', () =>
  withClock(async (tick) => {
    const talk = await listen(LINEAR16, { limits: { idleSeconds: 20 } });
    for (let i = 0; i < 5; i++) {
      tick(9);
      talk.say({ type: 'KeepAlive' });
    }
    tick(9);
    talk.audio(0.1);
    tick(9);
    assert.equal(talk.closes, []);
    assert.is(talk.recogniser.commands.length, 1);
    assert.equal(talk.sent, []);
  }));

test('a client that is not read is not idle', () =>
  withClock(async (tick) => {
    const talk = await listen(LINEAR16, { limits: { maxBufferedSeconds: 1 } });
    talk.audio(2);
    tick(25);
    assert.equal(talk.closes, []);
    talk.recogniser.happened.next({ type: 'progress', sample: 2 * RATE });
    assert.equal(talk.pauses, [true, false]);
    tick(10);
    assert.is(talk.closes[0]!.code, 1011);
  }));

test('a stream that is ending is not idle, however long its last result takes', () =>
  withClock(async (tick) => {
    const talk = await listen(LINEAR16);
    talk.say({ type: 'CloseStream' });
    tick(30);
    assert.equal(talk.closes, []);
  }));

test.run();
