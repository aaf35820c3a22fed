import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Vocabulary } from '../src/biasing/vocabulary.js';
import type { UpdateMoment } from '../src/session/recogniser.js';
import { type UpdateInForce, VocabularySchedule } from '../src/session/vocabulary-schedule.js';
import { entry } from './biasing-support.js';

const test = suite('session: when updates take effect');

/** Two channels that are where a test says. */
class Room {
  readonly answers: UpdateInForce[] = [];
  readonly refused: string[] = [];
  readonly lists: string[][];
  readonly again: number[] = [];
  readonly places: { frame: number; hearing: boolean }[];
  readonly #schedule: VocabularySchedule;
  #vocabulary = Vocabulary.empty({ maxEntries: 5 });

  constructor(channels = 1) {
    this.lists = Array.from({ length: channels }, () => []);
    this.places = Array.from({ length: channels }, () => ({ frame: 0, hearing: false }));
    this.#schedule = new VocabularySchedule(channels, {
      change: (change) => {
        const next =
          'replace' in change
            ? this.#vocabulary.replace(change.replace)
            : this.#vocabulary.patch(change.patch);
        this.#vocabulary = next.vocabulary;
        return next;
      },
      enter: (channel, vocabulary, retroactive) => {
        this.lists[channel] = vocabulary.entries.map(({ text }) => text);
        if (retroactive) this.again.push(channel);
        return this.places[channel]!.frame;
      },
      done: (update) => this.answers.push(update),
      failed: (id) => this.refused.push(id),
    });
  }

  get answered(): string[] {
    return this.answers.map(({ id }) => id);
  }

  add(id: string, at: UpdateMoment, retroactive = false): void {
    const change = { patch: { set: [entry(`name ${id}`)], remove: [] } };
    this.#schedule.add({ id, change, at, retroactive }, (channel) => this.#place(channel));
  }

  /** Goes to a frame of ten samples. */
  go(channel: number, frame: number, hearing: boolean): void {
    this.places[channel] = { frame, hearing };
    this.#schedule.reach(channel, () => this.#place(channel));
  }

  finish(): void {
    this.#schedule.finish();
  }

  #place(channel: number): { sample: number; hearing: boolean } {
    const { frame, hearing } = this.places[channel]!;
    return { sample: frame * 10, hearing };
  }
}

test('now is now', () => {
  const room = new Room(2);
  room.go(0, 3, true);
  room.go(1, 5, true);
  room.add('a', 'now');
  assert.equal(
    room.answers.map(({ id, frame, vocabulary }) => [id, frame, vocabulary.version]),
    [['a', 5, 1]],
  );
  assert.equal(room.lists, [['name a'], ['name a']]);
});

test('the next utterance begins when the one that is spoken ends, or at once in silence', () => {
  const room = new Room();
  room.go(0, 3, true);
  room.add('a', 'next_utterance');
  room.go(0, 4, true);
  assert.equal(room.answered, []);
  room.go(0, 9, false);
  assert.equal(
    room.answers.map(({ frame }) => frame),
    [9],
  );
  room.add('b', 'next_utterance');
  assert.equal(room.answered, ['a', 'b']);
});

test('a sample is met by the first frame that begins there or behind it; one that is past, at once', () => {
  const room = new Room();
  room.add('a', 31);
  for (const frame of [1, 2, 3]) room.go(0, frame, true);
  assert.equal(room.answered, []);
  room.go(0, 4, true);
  assert.equal(
    room.answers.map(({ frame }) => frame),
    [4],
  );
  room.add('b', 12, true);
  assert.equal(room.answered, ['a', 'b']);
  assert.equal(room.again, [0]);
});

test('an update for now overtakes one that waits; that one then changes what it finds', () => {
  const room = new Room();
  room.go(0, 1, true);
  room.add('later', 'next_utterance');
  room.add('now', 'now');
  assert.equal(room.lists[0], ['name now']);
  room.go(0, 2, false);
  assert.equal(
    room.answers.map(({ id, vocabulary }) => [id, vocabulary.version]),
    [
      ['now', 1],
      ['later', 2],
    ],
  );
  assert.equal(room.lists[0], ['name later', 'name now']);
});

test('each channel has its own next utterance, and the answer comes when both have it', () => {
  const room = new Room(2);
  room.go(0, 1, true);
  room.go(1, 1, true);
  room.add('a', 'next_utterance');
  room.go(0, 5, false);
  assert.equal(room.lists, [['name a'], []]);
  assert.equal(room.answered, []);
  room.go(1, 8, false);
  assert.equal(
    room.answers.map(({ id, frame }) => [id, frame]),
    [['a', 8]],
  );
});

test('there is one order of versions: a channel that enters a newer one enters those before it', () => {
  const room = new Room(2);
  room.go(0, 1, true);
  room.go(1, 1, true);
  room.add('a', 'next_utterance');
  room.go(0, 5, false);
  room.add('b', 'now');
  assert.equal(room.answered, ['a', 'b']);
  assert.equal(room.lists[1], ['name a', 'name b']);
});

test('at the end what still waits comes into force, and one that cannot is refused', () => {
  const room = new Room();
  room.go(0, 1, true);
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) room.add(id, 1000);
  room.finish();
  assert.equal(room.answered, ['a', 'b', 'c', 'd', 'e']);
  assert.equal(room.refused, ['f']);
});

test('whatever comes in whatever order, each update is answered once, in the order of versions', () => {
  const moment = fc.oneof(
    fc.constant('now' as const),
    fc.constant('next_utterance' as const),
    fc.nat({ max: 300 }),
  );
  const step = fc.record({ channel: fc.nat({ max: 1 }), frames: fc.nat({ max: 5 }), hearing: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.oneof(step, moment), { maxLength: 40 }), (actions) => {
      const room = new Room(2);
      const asked: string[] = [];
      for (const action of actions) {
        if (typeof action === 'object') {
          room.go(action.channel, room.places[action.channel]!.frame + action.frames, action.hearing);
          continue;
        }
        const id = `${asked.length}`;
        asked.push(id);
        // the same name time and again, or it would be too many
        room.add(`${asked.length % 5}`, action);
        if (action === 'now') assert.equal(room.lists[0], room.lists[1]);
      }
      room.finish();
      assert.is(room.answers.length, asked.length);
      const versions = room.answers.map(({ vocabulary }) => vocabulary.version);
      assert.equal(
        versions,
        versions.toSorted((a, b) => a - b),
      );
      assert.equal(room.lists[0], room.lists[1]);
    }),
  );
});

test.run();
