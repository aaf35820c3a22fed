/** A session that outlives its connection, from the server's side; over real sockets: client-resume.test.ts. */
import { mock } from 'node:test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ServerMessage } from '../src/protocol/messages.js';
import { endpoints, final, type Peer, partial, RESUMABLE } from './resume-support.js';
import { errors, START } from './session-support.js';

const test = suite('a session that is resumed');

/** Bytes of a second in the format of START. */
const SECOND = 32_000;

function types({ sent }: Peer): string[] {
  return sent.map(({ type }) => type);
}

function refusal({ sent }: Peer): string {
  return errors(sent)
    .map(({ code, message }) => `${code}: ${message}`)
    .join();
}

function seqs(sent: readonly ServerMessage[]): (number | undefined)[] {
  return sent.map((message) => ('seq' in message ? message.seq : undefined));
}

test('only who asks for it is offered to come back, and has messages numbered and audio acknowledged', async () => {
  const { connect, open, recognisers } = endpoints();
  const plain = connect();
  plain.say(START);
  for (let i = 0; i < 5; i++) await Promise.resolve();
  plain.connection.binary(new Uint8Array(2 * SECOND));
  recognisers[0]!.happened.next(final(0));
  assert.not('resume' in plain.sent[0]!);
  assert.equal(types(plain), ['ready', 'final']);
  assert.equal(seqs(plain.sent), [undefined, undefined]);
  plain.cut();
  assert.ok(recognisers[0]!.closed);

  const kept = await open();
  kept.connection.binary(new Uint8Array(SECOND - 2));
  assert.equal(types(kept), ['ready']);
  kept.connection.binary(new Uint8Array(2));
  recognisers[1]!.happened.next(partial(0, 'a'));
  recognisers[1]!.happened.next(final(0));
  kept.say({ type: 'nothing' });
  assert.equal(types(kept), ['ready', 'progress', 'partial', 'final', 'error']);
  assert.equal(seqs(kept.sent), [undefined, undefined, undefined, 1, 2]);
  kept.cut();
  assert.not(recognisers[1]!.closed);
});

test('it goes on over another connection: what arrived is told, and what was missed comes once, the newest partial last', async () => {
  const { connect, open, recognisers } = endpoints();
  const first = await open();
  const [recogniser] = recognisers;
  first.connection.binary(new Uint8Array(640));
  first.say({ type: 'mark', id: 'm' });
  first.say({ type: 'ack', seq: 0 });
  first.connection.text('no JSON');
  recogniser!.happened.next(final(0));
  first.cut();
  recogniser!.happened.next({ type: 'mark', id: 'm', sample: 320 });
  recogniser!.happened.next(partial(1, 'a'));
  recogniser!.happened.next(partial(1, 'a b'));
  const second = connect();
  // the client has the error, which came first, and not the final
  second.say(first.resume(1));
  const [resumed, ...missed] = second.sent;
  const { sessionId } = first.resume() as { sessionId: string };
  assert.equal(resumed, { type: 'resumed', sessionId, sample: 320, requests: 2 });
  assert.equal(missed, [
    { ...final(0), seq: 2 },
    { type: 'mark', id: 'm', sample: 320, seq: 3 },
    partial(1, 'a b'),
  ]);
  second.connection.binary(new Uint8Array(640));
  assert.is(recogniser!.commands.filter(({ type }) => type === 'audio').length, 2);
  recogniser!.happened.next(final(1));
  assert.equal(second.sent.at(-1), { ...final(1), seq: 4 });
});

test('a partial whose final came is not told again', async () => {
  const { connect, open, recognisers } = endpoints();
  const first = await open();
  recognisers[0]!.happened.next(partial(0, 'a'));
  recognisers[0]!.happened.next(final(0));
  first.cut();
  const second = connect();
  second.say(first.resume(1));
  assert.equal(types(second), ['resumed']);
});

test('it may be resumed many times, each from where the client is', async () => {
  const { connect, open, recognisers } = endpoints();
  const first = await open();
  let peer: Peer = first;
  for (let i = 0; i < 4; i++) {
    peer.cut();
    recognisers[0]!.happened.next(final(i));
    peer = connect();
    peer.say(first.resume(i));
    assert.equal(types(peer), ['resumed', 'final']);
    peer.say({ type: 'ack', seq: i + 1 });
  }
  peer.cut();
  const last = connect();
  last.say(first.resume(0));
  assert.match(refusal(last), /not_resumable.*not kept/);
});

test('who comes back before the loss is noticed takes over, and the old connection has no say any more', async () => {
  const { connect, open, recognisers } = endpoints();
  const first = await open();
  const second = connect();
  second.say(first.resume());
  assert.match(refusal(first), /^replaced/);
  assert.equal(first.closes, [4409]);
  first.connection.binary(new Uint8Array(640));
  first.say({ type: 'stop' });
  first.cut();
  first.connection.disconnected();
  recognisers[0]!.happened.next(final(0));
  assert.equal(recognisers[0]!.commands, []);
  assert.equal(types(second), ['resumed', 'final']);
  assert.not(recognisers[0]!.closed);
});

test('a wrong token, another key and a session that never was are refused in the same words, and a start may follow', async () => {
  const { connect, open, recognisers } = endpoints();
  const first = await open('key-1');
  first.cut();
  const tries = [
    [connect('key-1'), { ...(first.resume() as object), token: 'guessed' }],
    [connect('key-2'), first.resume()],
    [connect(), first.resume()],
    [connect('key-1'), { ...(first.resume() as object), sessionId: 'another' }],
  ] as const;
  const answers = tries.map(([peer, message]) => {
    peer.say(message);
    return refusal(peer).replace(/"[^"]*"/, '"…"');
  });
  assert.match(answers[0]!, /^not_resumable: The session "…" cannot be resumed: /);
  assert.is(new Set(answers).size, 1);
  const [peer] = tries[0];
  peer.say(RESUMABLE);
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assert.is(peer.sent.at(-1)!.type, 'ready');
  assert.is(recognisers.length, 2);
  const second = connect('key-1');
  second.say(first.resume());
  assert.equal(types(second), ['resumed']);
});

test('a client that closes, and a session that the server gives up, do not come back', async () => {
  const { connect, open, recognisers } = endpoints();
  const left = await open();
  left.connection.disconnected(false);
  assert.ok(recognisers[0]!.closed);
  const failed = await open();
  recognisers[1]!.happened.next({ type: 'failed', code: 'internal', message: 'No.' });
  failed.cut();
  for (const peer of [left, failed]) {
    const second = connect();
    second.say(peer.resume());
    assert.match(refusal(second), /not_resumable/);
  }
});

test('what was said last is there for who lost the connection before it came, until they have confirmed it', async () => {
  const { connect, open, recognisers } = endpoints();
  const first = await open();
  first.say({ type: 'stop' });
  first.say({ type: 'ack', seq: 0 });
  assert.equal(refusal(first), '');
  first.cut();
  const totals = { audioSeconds: 0, samples: 0, segments: 1, words: 0, vocabularyVersion: 0 };
  recognisers[0]!.happened.next(final(0));
  recognisers[0]!.happened.next({ type: 'stopped', ...totals });
  assert.ok(recognisers[0]!.closed);
  for (const finish of [true, false]) {
    const peer = connect();
    peer.say(first.resume());
    assert.equal(types(peer), ['resumed', 'final', 'stopped']);
    assert.equal(peer.closes, [1000]);
    peer.connection.disconnected(finish);
  }
  const late = connect();
  late.say(first.resume());
  assert.match(refusal(late), /not_resumable/);
});

test('a pause of the socket holds for the next one', async () => {
  const { connect, open } = endpoints({ maxBufferedSeconds: 1 });
  const first = await open();
  first.connection.binary(new Uint8Array(2 * SECOND));
  assert.equal(first.pauses, [true]);
  first.cut();
  const second = connect();
  second.say(first.resume());
  assert.equal(second.pauses, [true]);
});

test('resume is the first message of a connection or none', async () => {
  const { open } = endpoints();
  const first = await open();
  first.say(first.resume());
  assert.match(refusal(first), /^already_started/);
});

test('while there is no connection, silence is not the idleness that ends a session', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { connect, open } = endpoints({ idleSeconds: 5, resumeSeconds: 30 });
    const first = await open();
    first.cut();
    mock.timers.tick(20_000);
    const second = connect();
    second.say(first.resume());
    mock.timers.tick(4000);
    assert.equal(types(second), ['resumed']);
    mock.timers.tick(1000);
    assert.match(refusal(second), /^idle_timeout/);
  } finally {
    mock.timers.reset();
  }
});

test.run();
