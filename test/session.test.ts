import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { converse, errors, START, started } from './session-support.js';

test('start is answered by ready, with the model, the limits and the latency in force', async () => {
  const { sent } = await started({ maxEntries: 77 });
  const [ready] = sent;
  assert.ok(ready?.type === 'ready');
  assert.is(ready.latencyMs, 640);
  assert.equal(
    ready.model.latencies.map((each) => each.latencyMs),
    [640, 160],
  );
  assert.is(ready.limits.maxEntries, 77);
  assert.is(ready.vocabulary, undefined);
});

test('what start leaves out is filled in, and plain strings become entries', async () => {
  const conversation = converse();
  conversation.say({ ...START, vocabulary: ['Ada', { text: 'Bo', weight: 2 }], options: { latencyMs: 160 } });
  await conversation.settle();
  const [config] = conversation.configs;
  assert.equal(config?.vocabulary, [
    { text: 'Ada', weight: 1, soundsLike: [] },
    { text: 'Bo', weight: 2, soundsLike: [] },
  ]);
  assert.equal(config?.latency, { chunkFrames: 2, lookaheadFrames: 2 });
  assert.is(config?.beam, 64);
  assert.ok(conversation.sent[0]?.type === 'ready' && conversation.sent[0].vocabulary !== undefined);
});

test('a latency that the model does not offer is refused with those it does, and start may be sent again', async () => {
  const conversation = converse();
  conversation.say({ ...START, options: { latencyMs: 500 } });
  const [error] = errors(conversation.sent);
  assert.is(error?.code, 'unsupported_latency');
  assert.match(error!.message, /500.*640, 160/);
  conversation.say(START);
  await conversation.settle();
  assert.is(conversation.sent.at(-1)?.type, 'ready');
});

test('audio before start is an error that the session survives', async () => {
  const conversation = converse();
  conversation.session.binary(new Uint8Array(4));
  assert.is(errors(conversation.sent)[0]?.code, 'not_started');
  conversation.say(START);
  await conversation.settle();
  assert.is(conversation.sent.at(-1)?.type, 'ready');
});

test('a second start is an error', async () => {
  const conversation = await started();
  conversation.say(START);
  assert.is(errors(conversation.sent)[0]?.code, 'already_started');
});

test('malformed JSON and unknown types are errors that the session survives', async () => {
  const conversation = await started();
  conversation.session.text('{"type":');
  conversation.say({ type: 'sing' });
  assert.equal(
    errors(conversation.sent).map(({ code, fatal }) => [code, fatal]),
    [
      ['malformed_json', false],
      ['unknown_type', false],
    ],
  );
  conversation.session.binary(new Uint8Array(4));
  assert.is(conversation.recogniser.commands.length, 1);
});

test('half a sample is dropped with an error, and the clock does not move', async () => {
  const conversation = await started();
  conversation.session.binary(new Uint8Array(3));
  assert.is(errors(conversation.sent)[0]?.code, 'odd_byte_count');
  assert.match(errors(conversation.sent)[0]!.message, /3 bytes/);
  assert.equal(conversation.recogniser.commands, []);
});

test('commands reach the recogniser in the order of the client, also those sent before it was open', async () => {
  const conversation = converse();
  conversation.say(START);
  conversation.session.binary(Uint8Array.of(1, 0));
  conversation.say({ type: 'vocabulary.update', id: 'u', replace: ['Ada'] });
  await conversation.settle();
  conversation.say({ type: 'mark', id: 'm' });
  conversation.say({ type: 'flush' });
  conversation.say({ type: 'stop' });
  assert.equal(
    conversation.recogniser.commands.map((command) =>
      command.type === 'boundary' ? command.boundary.type : command.type,
    ),
    ['audio', 'vocabulary', 'mark', 'flush', 'stop'],
  );
});

test('what comes after stop is refused', async () => {
  const conversation = await started();
  conversation.say({ type: 'stop' });
  conversation.session.binary(new Uint8Array(2));
  conversation.say({ type: 'flush', id: 'f' });
  assert.equal(
    errors(conversation.sent).map(({ code, id }) => [code, id]),
    [
      ['already_stopped', undefined],
      ['already_stopped', 'f'],
    ],
  );
});

test('what comes after stop is refused also while the session still opens', async () => {
  const conversation = converse();
  conversation.say(START);
  conversation.say({ type: 'stop' });
  conversation.say({ type: 'stop' });
  conversation.say({ type: 'mark', id: 'm' });
  assert.equal(
    errors(conversation.sent).map(({ code, id }) => [code, id]),
    [
      ['already_stopped', undefined],
      ['already_stopped', 'm'],
    ],
  );
  await conversation.settle();
  assert.is(conversation.recogniser.commands.length, 1);
});

test('stopped carries the session id and closes normally', async () => {
  const conversation = await started();
  conversation.say({ type: 'stop' });
  conversation.recogniser.happened.next({
    type: 'stopped',
    audioSeconds: 1,
    samples: 16_000,
    segments: 0,
    words: 0,
    vocabularyVersion: 0,
  });
  const last = conversation.sent.at(-1);
  assert.ok(last?.type === 'stopped' && last.sessionId === conversation.session.id);
  assert.is(conversation.closes[0]?.code, 1000);
  assert.ok(conversation.recogniser.closed);
});

test('a list that is too long is refused with the id of its update, and nothing else changes', async () => {
  const conversation = await started();
  conversation.say({ type: 'vocabulary.update', id: 'u', replace: ['Ada'] });
  conversation.recogniser.happened.next({
    type: 'failed',
    code: 'vocabulary_too_large',
    message: 'The vocabulary would have 3 entries; at most 2 are allowed. The list in force stays.',
    id: 'u',
  });
  assert.equal(
    errors(conversation.sent).map(({ code, id, fatal }) => ({ code, id, fatal })),
    [{ code: 'vocabulary_too_large', id: 'u', fatal: false }],
  );
  assert.is(conversation.closes.length, 0);
});

test('an update says when it takes effect, by default now; what contradicts itself is refused', async () => {
  const conversation = await started();
  const replace = ['Ada'];
  conversation.say({ type: 'vocabulary.update', id: 'a', replace });
  conversation.say({ type: 'vocabulary.update', id: 'b', replace, at: 'next_utterance' });
  conversation.say({
    type: 'vocabulary.update',
    id: 'c',
    patch: { set: replace },
    at: 640,
    retroactive: true,
  });
  assert.equal(
    conversation.recogniser.commands.map(
      (command) => command.type === 'vocabulary' && [command.at, command.retroactive],
    ),
    [
      ['now', false],
      ['next_utterance', false],
      [640, true],
    ],
  );
  conversation.say({ type: 'vocabulary.update', id: 'd', replace, at: 'next_utterance', retroactive: true });
  conversation.say({ type: 'vocabulary.update', id: 'e', replace, at: 'later' });
  conversation.say({ type: 'vocabulary.update', id: 'f', replace, at: -1 });
  assert.equal(
    errors(conversation.sent).map(({ code, id, message }) => [code, id, message]),
    [
      [
        'invalid_message',
        'd',
        'In "vocabulary.update", retroactive is true and at is "next_utterance", before which nothing is open; leave one of them out.',
      ],
      [
        'invalid_message',
        'e',
        'In "vocabulary.update", at is "later"; send one of "now", "next_utterance" or a whole number.',
      ],
      ['invalid_message', 'f', 'In "vocabulary.update", at is -1; send at least 0.'],
    ],
  );
});

test('updates that wait for their moment do not hold up the audio, and more than fit are refused', async () => {
  const conversation = await started({ maxFrameBytes: 1000, maxInputBytes: 1000 });
  const replace = ['x'.repeat(90), 'y'.repeat(90), 'z'.repeat(90)];
  const ask = (id: string): void =>
    conversation.say({ type: 'vocabulary.update', id, replace, at: 9_999_999 });
  for (const id of ['a', 'b', 'c']) ask(id);
  assert.equal(conversation.pauses, []);
  assert.equal(
    errors(conversation.sent).map(({ code, id }) => [code, id]),
    [['too_many_requests', 'c']],
  );
  assert.match(
    errors(conversation.sent)[0]!.message,
    /2 updates of \d+ bytes wait.*at most 64 of together 1000 bytes/,
  );
  const { vocabulary } = conversation.recogniser;
  conversation.recogniser.happened.next({ type: 'vocabulary.applied', id: 'a', ...vocabulary });
  ask('d');
  assert.is(errors(conversation.sent).length, 1);
});

test('an error of the recogniser is told in full before the close', async () => {
  const conversation = await started();
  const message = `Recognition failed: ${'x'.repeat(200)}`;
  conversation.recogniser.happened.next({ type: 'failed', code: 'internal', message });
  assert.is(errors(conversation.sent)[0]?.message, message);
  assert.is(conversation.closes[0]?.code, 1011);
  assert.ok(Buffer.byteLength(conversation.closes[0]!.reason) <= 123);
});

test('a recogniser that cannot be opened ends the session with an error', async () => {
  const conversation = converse({}, { open: () => Promise.reject(new Error('secret path')) });
  conversation.say(START);
  await conversation.settle();
  assert.is(errors(conversation.sent)[0]?.code, 'internal');
  assert.not.match(errors(conversation.sent)[0]!.message, /secret/);
  assert.is(conversation.closes.length, 1);
});

test('nothing is sent and nothing is held once the connection is gone', async () => {
  const conversation = await started();
  const count = conversation.sent.length;
  conversation.session.disconnected();
  assert.ok(conversation.recogniser.closed);
  assert.not(conversation.recogniser.happened.observed);
  conversation.session.binary(new Uint8Array(2));
  conversation.session.shutDown();
  assert.is(conversation.sent.length, count);
  assert.is(conversation.closes.length, 0);
});

test('a connection that goes while its recogniser opens leaves none behind', async () => {
  const conversation = converse();
  conversation.say(START);
  conversation.session.disconnected();
  await conversation.settle();
  assert.ok(conversation.recogniser.closed);
  assert.equal(conversation.sent, []);
});

test('shutting down tells the client', async () => {
  const conversation = await started();
  conversation.session.shutDown();
  assert.is(errors(conversation.sent)[0]?.code, 'shutting_down');
  assert.is(conversation.closes[0]?.code, 1001);
});

test.run();
