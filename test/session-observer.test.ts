import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SessionEvent } from '../src/observability/session-event.js';
import type { FinalMessage, PartialMessage, Word } from '../src/protocol/messages.js';
import type { RecogniserFactory } from '../src/session/recogniser.js';
import { endpoints } from './resume-support.js';
import { type Conversation, converse, START, started } from './session-support.js';

const test = suite('session: what observers are told');

/** A session's conversation and what was observed of it, but for how long sending took. */
async function observed(
  limits: Parameters<typeof converse>[0] = {},
  { open, begin = START }: { open?: RecogniserFactory['open']; begin?: object } = {},
): Promise<Conversation & { readonly events: SessionEvent[] }> {
  const events: SessionEvent[] = [];
  const watch = () => (event: SessionEvent) => {
    if (event.type !== 'sent') events.push(event);
  };
  const conversation = converse(limits, { watch, ...(open !== undefined && { open }) });
  conversation.say(begin);
  await conversation.settle();
  return { ...conversation, events };
}

const WORD: Word = { word: 'secret', start: 0, end: 1, startSample: 0, endSample: 16_000, confidence: 1 };
const FINAL: FinalMessage = {
  type: 'final',
  channel: 0,
  segment: 0,
  start: 0,
  end: 1,
  startSample: 0,
  endSample: 16_000,
  text: 'secret plans',
  words: [
    { ...WORD, entity: 'Secret' },
    { ...WORD, word: 'plans' },
  ],
  reason: 'stop',
};
const PARTIAL: PartialMessage = {
  type: 'partial',
  channel: 0,
  segment: 0,
  start: 0,
  end: 1,
  text: 'secret',
  committed: '',
  tail: 'secret',
  words: [WORD],
};

test('from start to end, in order, and nothing of what was said or listed', async () => {
  const begin = { ...START, vocabulary: ['Secret'] };
  const { session, recogniser, events, say } = await observed({}, { begin });
  session.binary(new Uint8Array(3200));
  recogniser.happened.next({ type: 'progress', sample: 800 });
  recogniser.happened.next(PARTIAL);
  say({ type: 'vocabulary.update', id: 'u', patch: { set: [{ text: 'Secret plans' }] } });
  const applied = { version: 2, hash: 'x', entries: 2, sample: 0, buildMs: 1, rejected: [] };
  recogniser.happened.next({ type: 'vocabulary.applied', id: 'u', ...applied });
  recogniser.happened.next(FINAL);
  say({ type: 'stop' });
  const hits = [{ entity: 'Secret', hits: 1 }];
  recogniser.happened.next({
    type: 'stopped',
    audioSeconds: 0.1,
    samples: 1600,
    segments: 1,
    words: 2,
    vocabularyVersion: 2,
    biasing: { changedFinals: 1, hits, otherHits: 0 },
  });
  session.disconnected();
  assert.equal(
    events.map(({ type }) => type),
    [
      'started',
      'opened',
      'received',
      'decoded',
      'partial',
      'updateAsked',
      'updateApplied',
      'final',
      'stopped',
      'closed',
    ],
  );
  assert.equal(events.slice(2, 4), [
    { type: 'received', seconds: 0.1 },
    { type: 'decoded', seconds: 0.05 },
  ]);
  assert.equal(events.at(-1), { type: 'closed', code: 1000 });
  const final = events.find(({ type }) => type === 'final');
  assert.ok(final?.type === 'final' && final.words === 2 && final.entityWords === 1);
  assert.not.match(JSON.stringify(events).toLowerCase(), /secret|plans/);
});

test('each message that is sent is told with the time it took', async () => {
  const times: number[] = [];
  const watch = () => (event: SessionEvent) => {
    if (event.type === 'sent') times.push(event.seconds);
  };
  const { sent } = await started({}, { watch });
  assert.is(times.length, sent.length);
  assert.ok(times.length > 0 && times.every((seconds) => seconds >= 0));
});

test('errors are told by their code, those of the server with their cause', async () => {
  const open = () => Promise.reject(new Error('out of memory'));
  const { events } = await observed({}, { open });
  const error = events.find(({ type }) => type === 'error');
  assert.ok(error?.type === 'error' && error.code === 'internal');
  assert.is(String(error.cause), 'Error: out of memory');
  assert.equal(events.at(-1), { type: 'closed', code: 1011 });
  const client = await observed();
  client.say({ type: 'nonsense' });
  assert.equal(client.events.at(-1), { type: 'error', code: 'unknown_type' });
});

test('a peer that is gone is the end, once', async () => {
  const { session, events } = await observed();
  session.disconnected();
  session.disconnected();
  assert.equal(
    events.filter(({ type }) => type === 'closed'),
    [{ type: 'closed', code: undefined }],
  );
});

test('each limit that stops the reading is told by its name', async () => {
  for (const [limit, limits] of [
    ['maxBufferedSeconds', { maxBufferedSeconds: 1 }],
    ['maxInputBytes', { maxInputBytes: 10_000 }],
    ['maxSpeed', { burstSeconds: 1, maxSpeed: 1 }],
  ] as const) {
    const { session, events } = await observed(limits);
    session.binary(new Uint8Array(64_000));
    const paused = events.filter(({ type }) => type === 'paused');
    assert.equal(paused, [{ type: 'paused', limit }]);
    session.disconnected();
  }
});

test('a partial that gives way to a newer one or to its final is told', async () => {
  let full = 1e6;
  const events: string[] = [];
  const watch = () => (event: SessionEvent) => events.push(event.type);
  const { recogniser, session } = await started({}, { watch, bufferedBytes: () => full });
  for (const text of ['a', 'b']) recogniser.happened.next({ ...PARTIAL, text });
  full = 0;
  recogniser.happened.next(FINAL);
  assert.is(events.filter((type) => type === 'coalesced').length, 2);
  assert.is(events.filter((type) => type === 'final').length, 1);
  session.disconnected();
});

test('a session that loses its connection, is taken up again and ends is told as one', async () => {
  const told: SessionEvent[][] = [];
  const watch = () => {
    const events: SessionEvent[] = [];
    told.push(events);
    return (event: SessionEvent) => {
      if (event.type !== 'sent') events.push(event);
    };
  };
  const { connect, open, recognisers } = endpoints({}, watch);
  const first = await open();
  first.cut();
  const second = connect();
  second.say(first.resume());
  second.say({ type: 'stop' });
  const totals = { audioSeconds: 0, samples: 0, segments: 0, words: 0, vocabularyVersion: 0 };
  recognisers[0]!.happened.next({ type: 'stopped', ...totals });
  second.connection.disconnected();
  const types = told.map((events) => events.map(({ type }) => type));
  assert.equal(types[0], ['started', 'opened', 'suspended', 'resumed', 'stopped', 'closed']);
  assert.equal(told[0]!.at(-1), { type: 'closed', code: 1000 });
  // the connection that came for it had a session of its own until then
  assert.equal(types[1], ['closed']);
});

test.run();
