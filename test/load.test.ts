import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findMax } from '../load-tests/load/find-max.js';
import { readSpeech } from '../load-tests/load/speech.js';
import { tracksOf } from '../load-tests/load/track.js';
import { VocabularyUpdates } from '../load-tests/load/vocabulary-updates.js';
import { parseClientMessage } from '../src/protocol/validate.js';

const test = suite('load tests: streams');

test('the greatest number of streams is found to within 5 %, in few trials, whatever a stream costs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 1, max: 64 }),
      // where the limit lies, as a share of a full machine: less where something else than processor time is short
      fc.double({ min: 0.3, max: 1, noNaN: true }),
      async (limit, from, busyAtLimit) => {
        let trials = 0;
        const found = await findMax(from, async (streams) => {
          trials++;
          return {
            holds: streams <= limit,
            busy: Math.min(1, (busyAtLimit * streams) / limit),
            result: streams,
          };
        });
        assert.ok(found !== undefined && found.streams <= limit);
        assert.is(found.result, found.streams);
        assert.ok(limit - found.streams <= Math.max(1, found.streams * 0.05), `${found.streams} of ${limit}`);
        assert.ok(trials <= 18, `${trials} trials`);
      },
    ),
  );
});

test('where not even one stream holds, none is found', async () => {
  const found = await findMax(16, async () => ({ holds: false, busy: 1, result: 0 }));
  assert.is(found, undefined);
});

test('a track is whole utterances in turn, and streams begin with different ones', async () => {
  const speech = await readSpeech('microphone');
  const tracks = tracksOf(speech, 150);
  assert.equal(
    tracks.map(({ utterances }) => utterances.slice(0, 3)),
    [
      [0, 1, 0],
      [1, 0, 1],
    ],
  );
  for (const { packets, ends, utterances } of tracks) {
    assert.ok(packets.length >= 150);
    assert.is(ends.at(-1), packets.length);
    const lengths = ends.map((end, i) => end - (ends[i - 1] ?? 0));
    assert.equal(
      lengths,
      utterances.map((which) => speech.utterances[which]!.packets.length),
    );
  }
});

test('every line has packets of a tenth of a second', async () => {
  const bytes = { microphone: 3200, float: 6400, telephone: 1600 } as const;
  for (const line of ['microphone', 'float', 'telephone'] as const) {
    const { format, utterances } = await readSpeech(line);
    assert.is(format.channels, line === 'telephone' ? 2 : 1);
    for (const { packets } of utterances) {
      assert.ok(packets.length > 30);
      for (const packet of packets) assert.is(packet.length, bytes[line]);
    }
  }
});

test('a patch says only what is new', () => {
  const message = parseClientMessage(new VocabularyUpdates([{ text: 'Ada Lovelace' }], true).next('a'));
  assert.is('patch' in message ? message.patch.set?.length : 0, 1);
});

test('every update is a valid message with a list that no other has', () => {
  const updates = new VocabularyUpdates([{ text: 'Ada Lovelace' }, { text: 'Nguyen', weight: 1.2 }]);
  const messages = ['a', 'b'].map((id) => parseClientMessage(updates.next(id)));
  const lists = messages.map((message) => ('replace' in message ? message.replace : []));
  for (const list of lists)
    assert.equal(list.slice(1), [{ text: 'Ada Lovelace' }, { text: 'Nguyen', weight: 1.2 }]);
  assert.is.not(JSON.stringify(lists[0]), JSON.stringify(lists[1]));
});

test.run();
