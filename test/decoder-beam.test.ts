import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BeamDecoder } from '../src/decoder/beam.js';
import { enumerate, greedy, randomRows } from './decoder-support.js';

const test = suite('decoder: beam');
const PIECES = ['▁a', '▁b', 'a', 'b', "'"];
const BLANK = PIECES.length;
const WIDTH = PIECES.length + 1;
const OPEN = { beamThreshold: Infinity, tokenThreshold: Infinity, maxTokens: PIECES.length };

const tokensOf = (hypothesis: { tokens: readonly { token: number }[] }): number[] =>
  hypothesis.tokens.map(({ token }) => token);

test('a beam of one is the greedy best path', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(1, 4, 16),
      (seed, frames, sharpness) => {
        const rows = randomRows(seed, frames, WIDTH, sharpness);
        const decoder = new BeamDecoder({ pieces: PIECES, blank: BLANK, beam: 1 });
        decoder.push(rows, frames);
        assert.equal(tokensOf(decoder.best()), greedy(rows, WIDTH, BLANK));
      },
    ),
  );
});

test('a wide beam finds every sequence with the sum over all its alignments', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(0, 3),
      (seed, frames, sharpness) => {
        const rows = randomRows(seed, frames, WIDTH, sharpness);
        const decoder = new BeamDecoder({ pieces: PIECES, blank: BLANK, beam: 2000, ...OPEN });
        decoder.push(rows, frames);
        const found = decoder.nBest(2000);
        const expected = enumerate(rows, WIDTH, BLANK);
        assert.is(found.length, expected.size);
        for (const hypothesis of found) {
          const score = expected.get(tokensOf(hypothesis).join(' '));
          assert.ok(Math.abs(hypothesis.acoustic - score!) < 1e-6, `${hypothesis.acoustic} ${score}`);
        }
      },
    ),
    { numRuns: 30 },
  );
});

test.run();
