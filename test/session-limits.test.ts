/** Every limit of a session, crossed: what happens beyond it, and that it does not happen at it. */
import { mock } from 'node:test';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Vocabulary } from '../src/biasing/vocabulary.js';
import type { SessionLimits } from '../src/session/limits.js';
import { RestartingRecognisers } from '../src/session/restarting.js';
import { endpoints, final } from './resume-support.js';
import {
  type Conversation,
  converse,
  DESCRIPTION,
  errors,
  FakeRecogniser,
  START,
  started,
} from './session-support.js';

/** Bytes of a second in the format of START. */
const SECOND = 32_000;

/** Timers that the test moves. */
async function withTimers(body: (tick: (seconds: number) => void) => Promise<void>): Promise<void> {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    await body((seconds) => mock.timers.tick(seconds * 1000));
  } finally {
    mock.timers.reset();
  }
}

function codes({ sent }: Conversation): (readonly [string, string | undefined])[] {
  return errors(sent).map(({ code, id }) => [code, id]);
}

/** A limit without its crossing does not compile. */
const CROSSINGS: Readonly<Record<keyof SessionLimits, readonly [string, () => Promise<void>]>> = {
  maxFrameBytes: [
    'a larger frame is dropped with an error, and the session goes on',
    async () => {
      const conversation = await started({ maxFrameBytes: 1024 });
      conversation.session.binary(new Uint8Array(1024));
      assert.equal(codes(conversation), []);
      conversation.session.binary(new Uint8Array(1026));
      conversation.session.text(' '.repeat(1025));
      assert.equal(codes(conversation), [
        ['frame_too_large', undefined],
        ['frame_too_large', undefined],
      ]);
      assert.equal(conversation.closes, []);
      assert.is(conversation.recogniser.commands.length, 1);
    },
  ],
  maxBufferedSeconds: [
    'the socket is read no further while more audio waits, and again when half of it is decoded',
    async () => {
      const { session, recogniser, pauses } = await started({ maxBufferedSeconds: 2 });
      session.binary(new Uint8Array(2 * SECOND));
      assert.equal(pauses, []);
      session.binary(new Uint8Array(SECOND));
      assert.equal(pauses, [true]);
      recogniser.happened.next({ type: 'progress', sample: 1.5 * 16_000 });
      assert.equal(pauses, [true]);
      recogniser.happened.next({ type: 'progress', sample: 2 * 16_000 });
      assert.equal(pauses, [true, false]);
    },
  ],
  maxInputBytes: [
    'the socket is read no further while more bytes of audio and updates wait',
    async () => {
      const { say, session, recogniser, pauses } = await started({ maxInputBytes: SECOND });
      session.binary(new Uint8Array(SECOND));
      assert.equal(pauses, []);
      say({ type: 'vocabulary.update', id: 'u', replace: ['x'.repeat(100)] });
      assert.equal(pauses, [true]);
      recogniser.happened.next({ type: 'progress', sample: 16_000 });
      assert.equal(pauses, [true, false]);
      for (const id of ['v', 'w']) {
        say({ type: 'vocabulary.update', id, replace: Array<string>(200).fill('x'.repeat(100)) });
      }
      assert.equal(pauses, [true, false, true]);
      recogniser.happened.next({ ...recogniser.vocabulary, type: 'vocabulary.applied', id: 'u' });
      recogniser.happened.next({ type: 'failed', code: 'vocabulary_too_large', message: 'No.', id: 'v' });
      assert.equal(pauses, [true, false, true]);
      recogniser.happened.next({ ...recogniser.vocabulary, type: 'vocabulary.applied', id: 'w' });
      assert.equal(pauses, [true, false, true, false]);
    },
  ],
  burstSeconds: [
    'that much audio comes at any speed, and what is beyond makes the socket wait',
    () =>
      withTimers(async (tick) => {
        const { session, recogniser, pauses } = await started({ burstSeconds: 4, maxSpeed: 2 });
        session.binary(new Uint8Array(4 * SECOND));
        recogniser.happened.next({ type: 'progress', sample: 4 * 16_000 });
        assert.equal(pauses, []);
        session.binary(new Uint8Array(3 * SECOND));
        recogniser.happened.next({ type: 'progress', sample: 7 * 16_000 });
        assert.equal(pauses, [true]);
        tick(1.6);
        assert.equal(pauses, [true, false]);
      }),
  ],
  maxSpeed: [
    'a client that sends faster is slowed to it, one that does not is never held up',
    () =>
      withTimers(async (tick) => {
        let now = 0;
        const limits = { burstSeconds: 1, maxSpeed: 4 };
        const { session, recogniser, pauses } = await started(limits, { now: () => now });
        const send = (seconds: number): void => session.binary(new Uint8Array(seconds * SECOND));
        const pass = (seconds: number): void => {
          now += seconds * 1000;
          tick(seconds);
        };
        for (let i = 1; i <= 20; i++) {
          send(1);
          recogniser.happened.next({ type: 'progress', sample: i * 16_000 });
          pass(0.25);
        }
        assert.equal(pauses, []);
        send(2);
        recogniser.happened.next({ type: 'progress', sample: 22 * 16_000 });
        assert.equal(pauses, [true]);
        pass(0.24);
        assert.equal(pauses, [true]);
        pass(0.02);
        assert.equal(pauses, [true, false]);
      }),
  ],
  maxEntries: [
    'a longer list is refused in start, which may be sent again, and handed on as the bound of updates',
    async () => {
      const conversation = converse({ maxEntries: 1 });
      conversation.say({ ...START, vocabulary: ['Ada', 'Bo'] });
      assert.equal(codes(conversation), [['vocabulary_too_large', undefined]]);
      conversation.say({ ...START, vocabulary: ['Ada'] });
      await conversation.settle();
      assert.is(conversation.sent.at(-1)?.type, 'ready');
      assert.is(conversation.configs[0]!.maxEntries, 1);
    },
  ],
  maxEntryLength: [
    'a longer entry is left out of the list and named with the reason',
    async () => {
      const conversation = await started({ maxEntryLength: 4 });
      const maxLength = conversation.configs[0]!.maxEntryLength;
      const entry = (text: string) => ({ text, weight: 1, soundsLike: [] });
      const { vocabulary, rejected } = Vocabulary.empty({ maxLength }).replace([
        entry('Adas'),
        entry('Boris'),
      ]);
      assert.equal(vocabulary.entries, [entry('Adas')]);
      assert.is(rejected[0]?.text, 'Boris');
      assert.match(rejected[0]!.reason, /4/);
    },
  ],
  maxUpdatesPerSecond: [
    'more updates than that, beyond a burst of twice as many, are refused, and the next second takes them',
    async () => {
      let now = 0;
      const conversation = await started({ maxUpdatesPerSecond: 2 }, { now: () => now });
      const update = (id: string): void => {
        conversation.say({ type: 'vocabulary.update', id, replace: [] });
      };
      for (const id of ['a', 'b', 'c', 'd', 'e']) update(id);
      assert.equal(codes(conversation), [['too_many_requests', 'e']]);
      assert.match(errors(conversation.sent)[0]!.message, /more than 2 updates a second/i);
      now += 500;
      for (const id of ['f', 'g']) update(id);
      assert.equal(codes(conversation).slice(1), [['too_many_requests', 'g']]);
      assert.equal(
        conversation.recogniser.commands.map((command) => 'id' in command && command.id),
        ['a', 'b', 'c', 'd', 'f'],
      );
    },
  ],
  maxPendingRequests: [
    'requests beyond it are refused until some are answered',
    async () => {
      const conversation = await started({ maxPendingRequests: 1 });
      conversation.say({ type: 'mark', id: 'a' });
      conversation.say({ type: 'mark', id: 'b' });
      assert.equal(codes(conversation), [['too_many_requests', 'b']]);
      conversation.recogniser.happened.next({ type: 'mark', id: 'a', sample: 0 });
      conversation.say({ type: 'mark', id: 'c' });
      assert.is(codes(conversation).length, 1);
    },
  ],
  coalesceBytes: [
    'while more waits for the reader only the newest partial is kept, and it comes when the reader has caught up',
    () =>
      withTimers(async (tick) => {
        let waiting = 1001;
        const { sent, recogniser } = await started({ coalesceBytes: 1000 }, { bufferedBytes: () => waiting });
        for (const text of ['a', 'a b', 'a b c']) recogniser.happened.next(partial(text));
        tick(1);
        assert.is(sent.length, 1);
        waiting = 1000;
        tick(0.1);
        assert.equal(sent.slice(1), [partial('a b c')]);
      }),
  ],
  maxOutputBytes: [
    'a reader that does not keep up is told and closed with a code that says so',
    async () => {
      let waiting = 1000;
      const conversation = await started({ maxOutputBytes: 1000 }, { bufferedBytes: () => waiting });
      conversation.recogniser.happened.next({ type: 'mark', id: 'a', sample: 0 });
      assert.equal(conversation.closes, []);
      waiting = 1001;
      conversation.recogniser.happened.next({ type: 'mark', id: 'b', sample: 0 });
      assert.equal(codes(conversation), [['slow_consumer', undefined]]);
      assert.is(conversation.closes[0]?.code, 4499);
      assert.ok(conversation.recogniser.closed);
    },
  ],
  overloadSeconds: [
    'while recognition is further behind, partials come less often and say by how much',
    async () => {
      let now = 0;
      const { session, sent, recogniser } = await started({ overloadSeconds: 1 }, { now: () => now });
      session.binary(new Uint8Array(20 * SECOND));
      now += 1640;
      recogniser.happened.next(partial('a'));
      now += 10;
      recogniser.happened.next(partial('a b'));
      recogniser.happened.next(partial('a b c'));
      // the latency in force, 640 ms, is no lag
      assert.equal(sent.slice(1), [partial('a')]);
      recogniser.happened.next({ type: 'mark', id: 'm', sample: 0 });
      assert.equal(sent.slice(2, 3), [{ ...partial('a b c'), lagMs: 1010 }]);
    },
  ],
  idleSeconds: [
    'a client that sends nothing for longer is told and closed',
    () =>
      withTimers(async (tick) => {
        const conversation = await started({ idleSeconds: 5 });
        tick(4.9);
        conversation.session.binary(new Uint8Array(2));
        tick(4.9);
        assert.equal(conversation.closes, []);
        tick(0.1);
        assert.equal(codes(conversation), [['idle_timeout', undefined]]);
        assert.is(conversation.closes[0]?.code, 4408);
      }),
  ],
  maxSessionSeconds: [
    'a session that lasts longer is told and closed, however busy it is',
    () =>
      withTimers(async (tick) => {
        const conversation = await started({ maxSessionSeconds: 10 });
        for (let i = 0; i < 9; i++) {
          tick(1);
          conversation.session.binary(new Uint8Array(2));
        }
        assert.equal(conversation.closes, []);
        tick(1);
        assert.equal(codes(conversation), [['session_too_long', undefined]]);
        assert.is(conversation.closes[0]?.code, 4410);
      }),
  ],
  startSeconds: [
    'a connection without a start is told and closed',
    () =>
      withTimers(async (tick) => {
        const conversation = converse({ startSeconds: 3 });
        tick(2.9);
        assert.equal(conversation.closes, []);
        tick(0.1);
        assert.equal(codes(conversation), [['idle_timeout', undefined]]);
        assert.match(errors(conversation.sent)[0]!.message, /"start".*3 seconds/);
      }),
  ],
  resumeSeconds: [
    'a session without a connection is kept for so long, and at 0 none can be resumed',
    async () => {
      await withTimers(async (tick) => {
        const { connect, open, recognisers } = endpoints({ resumeSeconds: 30 });
        const first = await open();
        first.cut();
        tick(29);
        const back = connect();
        back.say(first.resume());
        assert.is(back.sent[0]!.type, 'resumed');
        back.cut();
        tick(30);
        assert.ok(recognisers[0]!.closed);
        const late = connect();
        late.say(first.resume());
        assert.match(errors(late.sent)[0]!.message, /more than 30 seconds/);
        const never = endpoints({ resumeSeconds: 0 });
        const peer = await never.open();
        assert.not('resume' in peer.sent[0]!);
        peer.cut();
        assert.ok(never.recognisers[0]!.closed);
      });
    },
  ],
  resumeBytes: [
    'the oldest messages are forgotten, and only who lacks them cannot resume',
    async () => {
      const { connect, open, recognisers } = endpoints({ resumeBytes: 1000 });
      const first = await open();
      for (let segment = 0; segment < 4; segment++) {
        recognisers[0]!.happened.next(final(segment, 'x'.repeat(300)));
      }
      first.cut();
      const answers = [1, 2].map((seq) => {
        const peer = connect();
        peer.say(first.resume(seq));
        return peer.sent.map(({ type }) => type);
      });
      assert.equal(answers, [['error'], ['resumed', 'final', 'final']]);
    },
  ],
  maxReplayBytes: [
    'a session without it ends with its worker',
    async () => {
      const told: string[] = [];
      for (const maxReplayBytes of [0, 1000]) {
        const inner = new FakeRecogniser();
        const recognisers = { description: DESCRIPTION, open: async () => inner };
        const restarting = new RestartingRecognisers({
          recognisers,
          replaced: async () => undefined,
          maxReplayBytes,
        });
        const conversation = converse({}, { open: (config) => restarting.open(config) });
        conversation.say(START);
        await conversation.settle();
        inner.happened.next({ type: 'failed', code: 'internal', message: 'It died.', lost: true });
        await conversation.settle();
        told.push(...errors(conversation.sent).map(({ code }) => code));
        assert.is(conversation.session.closed, maxReplayBytes === 0);
      }
      assert.equal(told, ['internal', 'recogniser_restarted']);
    },
  ],
  maxSuspended: [
    'the session that is longest without a connection ends, and the others can be resumed',
    async () => {
      const { connect, open, recognisers } = endpoints({ maxSuspended: 2 });
      const peers = [await open(), await open(), await open()];
      for (const peer of peers) peer.cut();
      assert.equal(
        recognisers.map(({ closed }) => closed),
        [true, false, false],
      );
      const back = connect();
      back.say(peers[1]!.resume());
      const another = await open();
      another.cut();
      assert.equal(
        recognisers.map(({ closed }) => closed),
        [true, false, false, false],
      );
    },
  ],
};

function partial(text: string) {
  const sample = { type: 'partial', channel: 0, segment: 0, start: 0, end: 1, committed: '' } as const;
  return { ...sample, text, tail: text };
}

for (const [limit, [what, cross]] of Object.entries(CROSSINGS)) test(`${limit}: ${what}`, cross);

test.run();
