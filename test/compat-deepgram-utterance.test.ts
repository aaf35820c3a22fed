import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ListenChannel } from '../src/compat/deepgram-channel.js';
import {
  asked,
  final,
  flushed,
  LINEAR16,
  type ListenTalk,
  listen,
  partial,
  RATE,
  stopped,
} from './compat-deepgram-support.js';

const test = suite('Deepgram: utterance ends');

const QUERY = `${LINEAR16}&utterance_end_ms=1000`;

function mark(talk: ListenTalk, seconds: number): void {
  talk.recogniser.happened.next({ type: 'mark', id: 'utterance', sample: seconds * RATE });
}

function marks(talk: ListenTalk): number {
  return asked(talk).length;
}

test('an utterance ends once the gap behind its last word is decided', async () => {
  const talk = await listen(QUERY);
  talk.audio(1.4);
  talk.recogniser.happened.next(final('endpoint', [['hello', 0.2, 0.5]]));
  talk.audio(0.05);
  assert.is(marks(talk), 0);
  talk.audio(0.05);
  assert.is(marks(talk), 1);
  talk.audio(1);
  assert.is(marks(talk), 1);
  assert.equal(talk.all('UtteranceEnd'), []);
  mark(talk, 1.5);
  assert.equal(talk.all('UtteranceEnd'), [{ type: 'UtteranceEnd', channel: [0, 1], last_word_end: 0.5 }]);
  mark(talk, 2.5);
  assert.is(talk.all('UtteranceEnd').length, 1);
});

test('without utterance_end_ms there is neither a mark nor an end', async () => {
  const talk = await listen(`${LINEAR16}&interim_results=true`);
  talk.recogniser.happened.next(final('endpoint', [['hello', 0.2, 0.5]]));
  talk.audio(30);
  talk.recogniser.happened.next(final('endpoint', [['again', 20, 21]], { segment: 1 }));
  assert.is(marks(talk), 0);
  assert.equal(talk.all('UtteranceEnd'), []);
});

test('speech that goes on within the gap is the same utterance', async () => {
  const talk = await listen(QUERY);
  const { happened } = talk.recogniser;
  happened.next(final('endpoint', [['hello', 0.2, 0.5]]));
  happened.next(partial([['again', 1.2, 1.4]], { segment: 1 }));
  talk.audio(2);
  assert.is(marks(talk), 0);
  happened.next(final('endpoint', [['again', 1.2, 1.4]], { segment: 1 }));
  talk.audio(1);
  mark(talk, 3);
  assert.equal(
    talk.all('UtteranceEnd').map(({ last_word_end }) => last_word_end),
    [1.4],
  );
});

test('the next word tells the end too, before its own results', async () => {
  const talk = await listen(`${QUERY}&interim_results=true&vad_events=true`);
  const { happened } = talk.recogniser;
  happened.next(final('endpoint', [['hello', 0.2, 0.5]]));
  happened.next(partial([['again', 1.6, 1.8]], { segment: 1 }));
  assert.equal(
    talk.sent.map(({ type }) => type),
    ['SpeechStarted', 'Results', 'UtteranceEnd', 'SpeechStarted', 'Results'],
  );
});

test('Finalize and the end of the stream decide the audio, so an utterance may end with them', async () => {
  const talk = await listen(QUERY);
  const { happened } = talk.recogniser;
  happened.next(final('endpoint', [['hello', 0.2, 0.5]]));
  happened.next(flushed(2));
  assert.is(talk.all('UtteranceEnd').length, 1);
  talk.say({ type: 'CloseStream' });
  happened.next(final('stop', [['bye', 3, 3.5]], { segment: 1 }));
  happened.next(stopped(4.5));
  assert.equal(
    talk.sent.slice(-3).map(({ type }) => type),
    ['Results', 'UtteranceEnd', 'Metadata'],
  );
});

test('a mark that is refused is set again, and the client is not bothered', async () => {
  const talk = await listen(QUERY, { limits: { maxPendingRequests: 1 } });
  talk.say({ type: 'Finalize' });
  talk.recogniser.happened.next(final('endpoint', [['hello', 0.2, 0.5]]));
  talk.audio(2);
  assert.is(marks(talk), 1);
  talk.recogniser.happened.next(flushed(1));
  talk.audio(0.1);
  assert.is(marks(talk), 2);
  assert.equal(talk.all('Error'), []);
});

test('every utterance ends once, behind its last word and never within the gap of the next', () => {
  const pauses = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(pauses, (gaps) => {
      const ends: number[] = [];
      const channel = new ListenChannel({ gapMs: 1000, utteranceEnd: (end) => ends.push(end * 1000) });
      const expected: number[] = [];
      let now = 0;
      gaps.forEach((gap, segment) => {
        if (segment > 0 && gap >= 1000) expected.push(now);
        now += gap;
        const { words } = final('endpoint', [['word', now / 1000, (now + 100) / 1000]]);
        now += 100;
        channel.interim(segment, words);
        const { start, duration } = channel.final(segment, words);
        assert.is(Math.round((start + duration) * 1000), now);
        channel.decided(now / 1000);
      });
      channel.decided((now + 1000) / 1000);
      assert.equal(ends.map(Math.round), [...expected, now]);
    }),
  );
});

test.run();
