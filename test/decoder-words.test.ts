import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BeamDecoder } from '../src/decoder/beam.js';
import type { LanguageModel } from '../src/decoder/language-model.js';
import { enumerate, randomRows } from './decoder-support.js';

const test = suite('decoder: words');
const PIECES = ['▁a', '▁b', 'a', '▁'];
const BLANK = PIECES.length;
const WIDTH = PIECES.length + 1;

/** A bigram over a handful of words; a state is the last word's id. */
const LISTED = ['a', 'b', 'ba'];
const bigram: LanguageModel = {
  start: 99,
  wordId: (word) => (LISTED.includes(word) ? LISTED.indexOf(word) : undefined),
  score: (state, word) => -1 - ((state * 7 + (word ?? 5) * 3) % 4) / 2,
  advance: (_, word) => word ?? 50,
  end: (state) => -0.1 * (state % 5),
};

/** Language model part of a finished sequence, word by word. */
function scoreOf(tokens: number[], weight: number, bonus: number): number {
  const text = tokens.map((token) => PIECES[token]).join('');
  let state = bigram.start;
  let score = 0;
  for (const word of text.split('▁').filter((part) => part !== '')) {
    const id = bigram.wordId(word);
    score += weight * bigram.score(state, id) + bonus;
    state = bigram.advance(state, id);
  }
  return score + weight * bigram.end(state);
}

test('finished hypotheses carry the language model score of their words, and are ranked with it', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 4 }), (seed, frames) => {
      const rows = randomRows(seed, frames, WIDTH, 2);
      const decoder = new BeamDecoder({
        pieces: PIECES,
        blank: BLANK,
        languageModel: bigram,
        beam: 2000,
        beamThreshold: Infinity,
        tokenThreshold: Infinity,
        lmWeight: 0.6,
        wordBonus: 0.4,
        unlistedLetter: 0,
      });
      decoder.push(rows, frames);
      const found = decoder.finish(2000);
      const expected = [...enumerate(rows, WIDTH, BLANK)].map(([key, acoustic]) => {
        const tokens = key === '' ? [] : key.split(' ').map(Number);
        return acoustic + scoreOf(tokens, 0.6, 0.4);
      });
      expected.sort((a, b) => b - a);
      assert.is(found.length, expected.length);
      for (const [i, { score, acoustic, lm, bias }] of found.entries()) {
        assert.ok(Math.abs(score - expected[i]!) < 1e-6, `${score} ${expected[i]}`);
        assert.ok(Math.abs(score - acoustic - lm - bias) < 1e-9);
      }
    }),
    { numRuns: 30 },
  );
});

test('a word is scored when the next one begins, and asked for once', () => {
  const asked: string[] = [];
  const languageModel: LanguageModel = {
    ...bigram,
    wordId: (word) => {
      asked.push(word);
      return bigram.wordId(word);
    },
  };
  const decoder = new BeamDecoder({ pieces: PIECES, blank: BLANK, languageModel, beam: 4 });
  const floor = -30;
  const rows = (...columns: number[]): Float32Array => {
    const out = new Float32Array(columns.length * WIDTH).fill(floor);
    for (const [frame, column] of columns.entries()) out[frame * WIDTH + column] = -0.01;
    return out;
  };
  decoder.push(rows(1, 2, BLANK, BLANK), 4);
  assert.is(decoder.best().lm, 0);
  assert.equal(asked, []);
  decoder.push(rows(0, BLANK), 2);
  assert.ok(decoder.best().lm !== 0);
  assert.equal(asked, ['ba']);
});

test.run();
