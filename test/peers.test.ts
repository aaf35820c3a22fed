import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concatenate, type Sample } from '../load-tests/peers/log-probs.js';
import { decodeOurs } from '../load-tests/peers/ours.js';

const test = suite('load tests: peers');

const PIECES = ['▁jo', '▁joe', '▁hi'];
const MODEL = { pieces: PIECES, blank: PIECES.length, beam: 8 };
const WEIGHTS = { alpha: 0.5, beta: 1, unlisted: -4, entry: 0.5, tokens: -8 };

/** "hi", then what is rather "jo" than "joe". */
const SAMPLE: Sample = {
  utterance: { path: 'a.wav', words: ['hi', 'joe'], entities: ['joe'] },
  distractors: ['ann', 'bert'],
  rows: concatenate(
    [
      [0.01, 0.01, 0.97, 0.01],
      [0.01, 0.01, 0.01, 0.97],
      [0.55, 0.4, 0.01, 0.04],
      [0.01, 0.01, 0.01, 0.97],
    ].map((row) => Float32Array.from(row, Math.log)),
  ),
};

test('an utterance is decoded with its own entities and the first distractors, or with no list', () => {
  const job = { decoder: 'lexigate', weights: WEIGHTS, samples: [0], seconds: 60 };
  assert.equal(decodeOurs([SAMPLE], { ...job, n: null }, MODEL).texts, ['hi jo']);
  assert.equal(decodeOurs([SAMPLE], { ...job, n: 0 }, MODEL).texts, ['hi joe']);
  const without = { ...WEIGHTS, entry: -9 };
  assert.equal(decodeOurs([SAMPLE], { ...job, weights: without, n: 0 }, MODEL).texts, ['hi jo']);
});

test('a job whose time is up keeps what it has', () => {
  const job = { decoder: 'lexigate', weights: WEIGHTS, samples: [0, 0, 0], n: 2 };
  assert.is(decodeOurs([SAMPLE], { ...job, seconds: 60 }, MODEL).texts.length, 3);
  assert.is(decodeOurs([SAMPLE], { ...job, seconds: -1 }, MODEL).texts.length, 1);
});

test.run();
