import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AudioClock } from '../src/page/audio-clock.js';
import { lineOf } from '../src/page/caption-line.js';
import { LiveSender } from '../src/page/live-sender.js';
import { Transcript } from '../src/page/transcript.js';
import { parseVocabulary } from '../src/page/vocabulary-text.js';
import type { FinalMessage, PartialMessage, Word } from '../src/protocol/messages.js';
import { parseSubtitles } from './subtitle-parser.js';

const test = suite('page');

function word(text: string, start = 0, end = start + 0.3): Word {
  return { word: text, start, end, startSample: 0, endSample: 0, confidence: 1 };
}

function partial(committed: string, words: readonly string[]): PartialMessage {
  const text = words.join(' ');
  return {
    type: 'partial',
    channel: 0,
    segment: 3,
    start: 0,
    end: 1,
    text,
    committed,
    tail: text.slice(committed.length).trimStart(),
    words: words.map((each) => word(each)),
  };
}

function final(words: readonly Word[]): FinalMessage {
  const text = words.map((each) => each.word).join(' ');
  const samples = { startSample: 0, endSample: 0 };
  return {
    type: 'final',
    channel: 0,
    segment: 3,
    start: 0,
    end: 1,
    ...samples,
    text,
    words: [...words],
    reason: 'stop',
  };
}

test('an entry is a line with an optional weight and optional spellings', () => {
  const { entries, faults } = parseVocabulary(
    '# people\nSiobhan Kowalczyk\n\n Nguyen | 1.5 | win, nwin \r\nAda||aida\nTab\t2\tone\ttwo',
  );
  assert.equal(faults, []);
  assert.equal(entries, [
    { text: 'Siobhan Kowalczyk' },
    { text: 'Nguyen', weight: 1.5, soundsLike: ['win', 'nwin'] },
    { text: 'Ada', soundsLike: ['aida'] },
    { text: 'Tab', weight: 2, soundsLike: ['one', 'two'] },
  ]);
});

test('a line that is no entry is told by its number, and the others count', () => {
  const { entries, faults } = parseVocabulary(
    `| 2\nAda | twelve\nBob | 11\n${'x'.repeat(101)}\nEve||${'a,'.repeat(9)}\nMae`,
  );
  assert.equal(entries, [{ text: 'Mae' }]);
  assert.equal(
    faults.map(({ line }) => line),
    [1, 2, 3, 4, 5],
  );
  assert.match(faults[1]!.reason, /twelve.*above 0/);
});

test('the committed words of a partial are those of its committed text', () => {
  assert.is(lineOf(partial('', ['is', 'this']), '0', 1).committed, 0);
  assert.is(lineOf(partial('is', ['is', 'this']), '0', 1).committed, 1);
  assert.is(lineOf(partial('is', ['is']), '0', 1).committed, 1);
  assert.is(lineOf(partial('is New York', ['is', 'New York', 'far']), '0', 1).committed, 2);
});

test('a final has the key of its partials, and all of its words are committed', () => {
  const line = lineOf(final([word('a'), word('b')]), '2', 1);
  assert.is(line.committed, 2);
  assert.is(line.key, lineOf(partial('', ['a']), '2', 1).key);
  assert.is.not(line.key, lineOf(partial('', ['a']), '1', 1).key);
});

test('with two channels each line says who speaks, with one none does', () => {
  assert.is(lineOf({ ...final([]), channel: 1 }, '0', 2).speaker, 'Speaker 2');
  assert.not('speaker' in lineOf(final([]), '0', 1));
});

test('two speakers are told apart in every format', async () => {
  const transcript = new Transcript();
  transcript.add(final([word('yes', 0.5)]), 'Speaker 1');
  transcript.add(final([word('no', 2)]), 'Speaker 2');
  assert.is(transcript.write('txt'), 'Speaker 1: yes\nSpeaker 2: no\n');
  assert.match(transcript.write('vtt'), /<v Speaker 1>yes/);
  const cues = await parseSubtitles(transcript.write('srt'), 'srt');
  assert.equal(
    cues.map(({ text }) => text),
    ['Speaker 1: yes', 'Speaker 2: no'],
  );
});

test('the clock tells when a moment of the audio was heard, between packets too', () => {
  const clock = new AudioClock(1000);
  clock.sent(100, 5000);
  clock.sent(100, 5130);
  assert.is(clock.heardAt(100), 5000);
  assert.is(clock.heardAt(40), 4940);
  assert.is(clock.heardAt(150), 5080);
  assert.is(clock.heardAt(201), undefined);
});

test('the clock forgets what is long ago rather than telling it wrong', () => {
  const clock = new AudioClock(1000);
  for (let i = 1; i <= 400; i++) clock.sent(100, i * 100);
  assert.is(clock.heardAt(50), undefined);
  assert.is(clock.heardAt(39_950), 39_950);
});

test('what a slow connection cannot take is left out and told, and has no place on the clock', () => {
  const sent: Uint8Array[] = [];
  const dropped: number[] = [];
  const session = {
    bufferedBytes: 0,
    sendAudio: async (bytes: Uint8Array) => {
      sent.push(bytes);
    },
  };
  const sender = new LiveSender({ session, sampleRate: 1000, onDropped: (seconds) => dropped.push(seconds) });
  const say = (heardAt: number): void => {
    sender.send({ bytes: new Uint8Array(200), samples: 100, level: 0 }, heardAt);
  };
  say(100);
  session.bufferedBytes = 3_000_000;
  say(200);
  say(300);
  session.bufferedBytes = 0;
  say(400);
  assert.is(sent.length, 2);
  assert.equal(dropped, [0.1, 0.2]);
  assert.is(sender.seconds, 0.2);
  assert.is(sender.heardAt(0.2), 400);
});

test('a connection that has ended is no error of the sender', async () => {
  const session = { bufferedBytes: 0, sendAudio: () => Promise.reject(new Error('over')) };
  const sender = new LiveSender({ session, sampleRate: 1000, onDropped: () => assert.unreachable() });
  sender.send({ bytes: new Uint8Array(2), samples: 1, level: 0 }, 0);
  await Promise.resolve();
  assert.is(sender.seconds, 0.001);
});

test('a transcript of two sessions is one timeline, in every format', async () => {
  const transcript = new Transcript();
  assert.ok(transcript.empty);
  transcript.add(final([word('one', 0.5), word('two', 1)]));
  transcript.endSession(10);
  transcript.add(final([word('three', 0.5)]));
  assert.not(transcript.empty);
  assert.is(transcript.write('txt'), 'one two\nthree\n');
  for (const type of ['srt', 'vtt'] as const) {
    const cues = await parseSubtitles(transcript.write(type), type);
    assert.equal(
      cues.map(({ startTime, text }) => [startTime, text]),
      [
        [0.5, 'one two'],
        [10.5, 'three'],
      ],
    );
  }
});

test('a cleared transcript begins anew', () => {
  const transcript = new Transcript();
  transcript.add(final([word('one')]));
  transcript.endSession(10);
  transcript.clear();
  assert.ok(transcript.empty);
  transcript.add(final([word('two', 1)]));
  assert.match(transcript.write('vtt'), /00:00:01\.000 -->/);
});

test.run();
