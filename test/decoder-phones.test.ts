import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BeamDecoder } from '../src/decoder/beam.js';
import { closedScore, extendFront, frontAt, openScore } from '../src/decoder/phone-front.js';
import { PhoneRows } from '../src/decoder/phone-rows.js';
import { SMALL_PIECES } from './biasing-support.js';
import { random, randomRows } from './decoder-support.js';

const test = suite('decoder: phones');
/** Blank and three phones. */
const LABELS = Uint8Array.of(0, 1, 2, 3);
const WIDTH = LABELS.length;

function heard(rows: Float32Array, frames = rows.length / WIDTH): PhoneRows {
  const phones = new PhoneRows(LABELS);
  phones.clear(0);
  for (let frame = 0; frame < rows.length / WIDTH; frame++) {
    phones.push(rows.subarray(frame * WIDTH, (frame + 1) * WIDTH));
  }
  phones.hearUntil(frames);
  return phones;
}

/** Score of the best alignment of phones over all rows, against the best path: by trying every alignment. */
function bestAlignment(rows: Float32Array, phones: readonly number[]): number {
  const frames = rows.length / WIDTH;
  let best = -Infinity;
  for (let code = 0; code < WIDTH ** frames; code++) {
    const path = Array.from({ length: frames }, (_, frame) => Math.floor(code / WIDTH ** frame) % WIDTH);
    const said = path.filter((label, i) => label !== 0 && label !== path[i - 1]);
    if (said.join() !== phones.join()) continue;
    best = Math.max(
      best,
      path.reduce((sum, label, frame) => sum + rows[frame * WIDTH + label]!, 0),
    );
  }
  let free = 0;
  for (let frame = 0; frame < frames; frame++)
    free += Math.max(...rows.subarray(frame * WIDTH, (frame + 1) * WIDTH));
  return best - free;
}

/** No two neighbours alike across words: those would need a blank, which the trellis of two words does not ask for. */
const spoken = fc
  .array(fc.array(fc.constantFrom(1, 2, 3), { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 })
  .filter(([first, second]) => second === undefined || first!.at(-1) !== second[0]);

test('words aligned one after the other score as the best of all alignments of their phones', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), spoken, (seed, frames, words) => {
      const rows = randomRows(seed, frames, WIDTH, 4);
      const phones = heard(rows);
      let front = frontAt(0);
      for (const word of words) front = extendFront(phones, front, [Uint8Array.from(word)], frames);
      const expected = bestAlignment(rows, words.flat());
      const score = closedScore(phones, front, frames);
      if (expected === -Infinity) assert.is(score, -Infinity);
      else assert.ok(Math.abs(score - expected) < 1e-4, `${score}, not ${expected}`);
    }),
    { numRuns: 60 },
  );
});

test('a word scores as its best pronunciation, and knows which that is and where the word was entered', () => {
  // phones 1, 2 in frames 0 and 2, then 3
  const sure = (label: number): number[] => Array.from(LABELS, (each) => (each === label ? -0.01 : -8));
  const rows = Float32Array.from([1, 0, 2, 3].flatMap(sure));
  const phones = heard(rows);
  const first = extendFront(phones, frontAt(0), [Uint8Array.of(1)], 4);
  const second = extendFront(phones, first, [Uint8Array.of(1, 2), Uint8Array.of(2, 3)], 4);
  const last = second.scores.length - 1;
  assert.is(second.from + last, 4);
  assert.ok(Math.abs(second.scores[last]!) < 1e-6);
  assert.is(second.variant[last], 1);
  assert.ok(second.entered[last] === 1 || second.entered[last] === 2);
  assert.ok(openScore(extendFront(phones, first, [Uint8Array.of(1, 2)], 4)) < -7);
});

test('no words score above the best path, and none of known pronunciation above one that may be anything', () => {
  fc.assert(
    fc.property(fc.integer(), spoken, (seed, words) => {
      const phones = heard(randomRows(seed, 8, WIDTH, 4));
      let front = frontAt(0);
      for (const word of words) {
        const known = extendFront(phones, front, [Uint8Array.from(word)], 8);
        const unknown = extendFront(phones, front, [], 8);
        assert.ok(openScore(known) <= openScore(unknown) && openScore(unknown) <= 0);
        front = known;
      }
    }),
  );
});

test('frames that are not heard yet are not looked at', () => {
  const rows = randomRows(3, 6, WIDTH, 4);
  const word = [Uint8Array.of(1, 2)];
  const early = heard(rows, 4);
  const short = heard(rows.subarray(0, 4 * WIDTH));
  assert.equal(
    extendFront(early, frontAt(0), word, early.frames),
    extendFront(short, frontAt(0), word, short.frames),
  );
});

const BLANK = SMALL_PIECES.length;
const ROW = BLANK + 1;
const pronounce = (word: string): Uint8Array[] => [
  Uint8Array.from(word.slice(0, 3), (letter) => 1 + ((letter.codePointAt(0) ?? 0) % 3)),
];

function decoder(phoneWeight: number): BeamDecoder {
  return new BeamDecoder({
    pieces: SMALL_PIECES,
    blank: BLANK,
    beam: 8,
    phones: { labels: LABELS, pronounce },
    phoneWeight,
  });
}

test('any chunking of rows and phones gives identical hypotheses', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
      (seed, chunks) => {
        const frames = chunks.reduce((a, b) => a + b, 0);
        const rows = randomRows(seed, frames, ROW, 8);
        const phones = randomRows(seed + 1, frames, WIDTH, 4);
        const whole = decoder(0.5);
        const split = decoder(0.5);
        for (let frame = 0; frame < frames; frame++)
          whole.hear(phones.subarray(frame * WIDTH, (frame + 1) * WIDTH));
        whole.push(rows, frames);
        let from = 0;
        for (const chunk of chunks) {
          for (let frame = from; frame < from + chunk; frame++) {
            split.hear(phones.subarray(frame * WIDTH, (frame + 1) * WIDTH));
          }
          split.push(rows.subarray(from * ROW, (from + chunk) * ROW), chunk);
          split.best();
          from += chunk;
        }
        assert.equal(split.finish(8), whole.finish(8));
      },
    ),
  );
});

test('without weight phones change nothing, and the score is the sum of its sources', () => {
  const next = random(11);
  for (let round = 0; round < 20; round++) {
    const rows = randomRows(Math.floor(next() * 1e6), 12, ROW, 8);
    const phones = randomRows(Math.floor(next() * 1e6), 12, WIDTH, 4);
    const plain = new BeamDecoder({ pieces: SMALL_PIECES, blank: BLANK, beam: 8 });
    const silent = decoder(0);
    const weighted = decoder(0.5);
    for (const each of [silent, weighted]) {
      for (let frame = 0; frame < 12; frame++) each.hear(phones.subarray(frame * WIDTH, (frame + 1) * WIDTH));
    }
    for (const each of [plain, silent, weighted]) each.push(rows, 12);
    const tokens = (each: BeamDecoder): number[][] =>
      each.finish(8).map((hypothesis) => hypothesis.tokens.map(({ token }) => token));
    for (const { score, acoustic, lm, bias, phonetic } of weighted.nBest(8)) {
      assert.ok(phonetic <= 0 && Math.abs(score - acoustic - lm - bias - phonetic) < 1e-9);
    }
    assert.equal(tokens(silent), tokens(plain));
  }
});

test.run();
