import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cue, DEFAULT_RULES, type TimedWord, toCues } from '../src/captions/subtitles.js';
import { breakLines } from '../src/captions/subtitles-lines.js';

const test = suite('rules of subtitles');

/** Times are computed in floating point; a microsecond is nothing on a screen. */
const EPSILON = 1e-6;

/** Words of a text, `seconds` each, with a pause where a word is a number: of that many seconds. */
function spoken(text: string, seconds = 0.3, from = 0): TimedWord[] {
  let at = from;
  return text.split(' ').flatMap((word) => {
    if (/^[\d.]+$/.test(word)) {
      at += Number(word);
      return [];
    }
    at += seconds;
    return [{ text: word, start: at - seconds, end: at - 0.1 }];
  });
}

function texts(cues: readonly Cue[]): string[] {
  return cues.map(({ lines }) => lines.join(' / '));
}

/** Speech as recognition dates it: words begin on a grid of 40 ms, no two together. */
const speech: fc.Arbitrary<TimedWord[]> = fc
  .array(
    fc.record({
      text: fc.stringMatching(/^[a-zé']{1,14}[.,]?$/),
      frames: fc.integer({ min: 1, max: 15 }),
      pause: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.nat({ max: 100 }) },
      ),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { maxLength: 120 },
  )
  .map((all) => {
    let frame = 0;
    return all.map(({ text, frames, pause, share }) => {
      const start = (frame + pause) / 25;
      frame += pause + frames;
      return { text, start, end: start + Math.max(0.04, (share * frames) / 25) };
    });
  });

/** Each cue with its words and the begin of the next cue. */
function withWords(
  cues: readonly Cue[],
  words: readonly TimedWord[],
): { readonly cue: Cue; readonly own: readonly TimedWord[]; readonly next: number }[] {
  let at = 0;
  return cues.map((cue, i) => {
    const count = cue.lines.join(' ').split(' ').length;
    const own = words.slice(at, at + count);
    at += count;
    return { cue, own, next: cues[i + 1]?.start ?? Number.POSITIVE_INFINITY };
  });
}

test('every word is in one cue, in order, and its cue is there when it begins', () => {
  fc.assert(
    fc.property(speech, (words) => {
      const cues = toCues(words);
      assert.is(cues.flatMap(({ lines }) => lines).join(' '), words.map(({ text }) => text).join(' '));
      for (const { cue, own } of withWords(cues, words)) {
        assert.is(cue.start, own[0]!.start);
        // a tenth of a second is what the gap takes of a cue that the next one presses
        assert.ok(
          cue.end > Math.min(own.at(-1)!.start - 0.1, cue.start + DEFAULT_RULES.maxSeconds - EPSILON),
        );
      }
    }),
  );
});

test('a cue has at most two lines of at most 42 characters', () => {
  fc.assert(
    fc.property(speech, (words) => {
      for (const { lines } of toCues(words)) {
        assert.ok(lines.length === 1 || lines.length === 2);
        for (const line of lines) assert.ok(line.length > 0 && line.length <= 42, line);
      }
    }),
  );
});

test('cues never overlap, and a gap shows where one follows another', () => {
  fc.assert(
    fc.property(speech, (words) => {
      for (const { cue, next } of withWords(toCues(words), words)) {
        assert.ok(cue.end > cue.start && cue.end <= next);
        const gap = next - cue.end;
        const shown = cue.end - cue.start;
        assert.ok(gap >= DEFAULT_RULES.gapSeconds - EPSILON || shown <= 0.28 + EPSILON);
        // closed up, unless the longest duration forbids it
        assert.ok(
          gap <= DEFAULT_RULES.gapSeconds + EPSILON ||
            gap >= DEFAULT_RULES.chainSeconds - EPSILON ||
            shown >= DEFAULT_RULES.maxSeconds - EPSILON,
        );
      }
    }),
  );
});

test('a cue stays from one to seven seconds, and long enough to be read, unless the next one comes sooner', () => {
  fc.assert(
    fc.property(speech, (words) => {
      for (const { cue, next } of withWords(toCues(words), words)) {
        const seconds = cue.end - cue.start;
        const characters = cue.lines.join(' ').length;
        const needed = Math.max(1, characters / DEFAULT_RULES.maxCharactersPerSecond);
        assert.ok(seconds <= 7 + EPSILON);
        assert.ok(seconds >= needed - EPSILON || next - cue.end <= DEFAULT_RULES.gapSeconds + EPSILON);
      }
    }),
  );
});

test('no cue spans a long pause', () => {
  fc.assert(
    fc.property(speech, (words) => {
      for (const { own } of withWords(toCues(words), words)) {
        own.slice(1).forEach((word, i) => {
          assert.ok(word.start - own[i]!.end < DEFAULT_RULES.pauseSeconds);
        });
      }
    }),
  );
});

test('cues end at pauses rather than between words that belong together', () => {
  const text = 'one two three four five six seven 0.5 eight nine ten eleven twelve thirteen fourteen fifteen';
  assert.equal(texts(toCues(spoken(text))), [
    'one two three four five six seven',
    'eight nine ten eleven twelve / thirteen fourteen fifteen',
  ]);
});

test('a pause of a second parts two words, and one that is shorter does not', () => {
  assert.equal(texts(toCues(spoken('one 1.0 two'))), ['one', 'two']);
  assert.equal(texts(toCues(spoken('one 0.8 two'))), ['one two']);
});

test('speech without a pause is parted evenly', () => {
  const cues = toCues(spoken(Array.from({ length: 20 }, () => 'word').join(' ')));
  assert.equal(
    cues.map(({ lines }) => lines.join(' ').split(' ').length),
    [10, 10],
  );
});

test('fast speech borrows the time of the pause behind it, with the word that follows', () => {
  const words = spoken('one two three four five six seven eight nine ten 0.9 eleven', 0.12);
  assert.is(toCues(words).length, 1);
});

test('text stays a moment behind its last word, and up to the next cue where that is near', () => {
  const line = Array.from({ length: 9 }, () => 'word').join(' ');
  const [far] = toCues(spoken(`${line} 0.9 ${line}`, 0.4));
  // the ninth word ends at 3.5 s, and 3.9 s is more than half a second before the next one
  assert.ok(Math.abs(far!.end - 3.9) < EPSILON);
  const [near, next] = toCues(spoken(`${line} 0.7 ${line}`, 0.4));
  assert.ok(Math.abs(next!.start - 4.3) < EPSILON && Math.abs(near!.end - 4.22) < EPSILON);
});

test('a single word between pauses of less than a second is not left to flicker', () => {
  const cues = toCues(spoken('well 0.5 yes 0.5 but not today'));
  assert.ok(cues.every(({ start, end }) => end - start >= 1));
});

test('a cue ends with a sentence where a recogniser has put a full stop', () => {
  const [first] = toCues(
    spoken(
      'we shall see about that. then there is the other matter of which nobody had ever spoken to us before',
      0.25,
    ),
  );
  assert.is(first!.lines.join(' '), 'we shall see about that.');
});

test('a break does not leave a small word alone at the end of its line', () => {
  const words = 'the cat that lived in the house next door to us'.split(' ');
  assert.equal(breakLines(words, { maxLineLength: 42, prefixWidth: 0 }), [
    'the cat that lived',
    'in the house next door to us',
  ]);
});

test('two lines differ little in length, and the upper one is the shorter', () => {
  const lines = breakLines(
    Array.from({ length: 15 }, () => 'word'),
    { maxLineLength: 42, prefixWidth: 0 },
  )!;
  assert.equal(
    lines.map((line) => line.length),
    [34, 39],
  );
});

test('an entry of several words may be broken between them, with the time shared out by letters', () => {
  const words = [
    { text: 'Sankt Peter im Schwarzwald an der Alten Straße nach Norden hin', start: 0, end: 5.1 },
  ];
  const cues = toCues(words);
  assert.is(cues.length, 1);
  assert.is(cues[0]!.lines.length, 2);
  const [first, second] = toCues(words, { maxLineLength: 16 });
  const before = first!.lines.join('').replaceAll(' ', '').length;
  const letters = words[0]!.text.replaceAll(' ', '').length;
  assert.ok(before > 0 && Math.abs(second!.start - (5.1 * before) / letters) < EPSILON);
});

test('a word longer than a line stands on a line of its own, whole', () => {
  const long = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';
  assert.equal(texts(toCues(spoken(`the ${long} said so`))), [`the / ${long}`, 'said so']);
});

test('each speaker has cues of their own, in the order of their begins', () => {
  const first = spoken('how do you do').map((word) => ({ ...word, speaker: 'A' }));
  const second = spoken('fine thanks', 0.3, 0.5).map((word) => ({ ...word, speaker: 'B' }));
  assert.equal(
    toCues([...second, ...first]).map(({ speaker, lines }) => [speaker, lines.join(' ')]),
    [
      ['A', 'how do you do'],
      ['B', 'fine thanks'],
    ],
  );
});

test('room that is kept for the speaker’s name is not written in', () => {
  const words = spoken(Array.from({ length: 14 }, () => 'word').join(' '), 0.4);
  for (const { lines } of toCues(words, { prefixWidth: 11 })) assert.ok(lines[0]!.length <= 31);
});

test('words that begin together still have cues that last', () => {
  const words = Array.from({ length: 60 }, (_, i) => ({ text: `word${i}`, start: 1, end: 1 }));
  const cues = toCues(words);
  cues.forEach(({ start, end }, i) => {
    assert.ok(end > start && end <= (cues[i + 1]?.start ?? Number.POSITIVE_INFINITY));
  });
});

test('without words there are no cues', () => {
  assert.equal(toCues([]), []);
  assert.equal(toCues([{ text: ' ', start: 0, end: 1 }]), []);
});

test.run();
