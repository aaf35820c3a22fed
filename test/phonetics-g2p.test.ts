import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ctcNBest } from '../src/phonetics/ctc-nbest.js';
import { G2p } from '../src/phonetics/g2p.js';
import { packageRoot } from '../src/util/package-root.js';

const model = join(packageRoot(), 'models', 'en-base', 'g2p.onnx');
const fixture = join(packageRoot(), 'test', 'fixtures', 'phonetics-g2p.json');

/** Log-probabilities of steps over three symbols from plain probabilities. */
const steps = (...rows: number[][]): Float32Array => Float32Array.from(rows.flat(), Math.log);

/** Every labelling of an output with its probability, by trying all paths. */
function allLabellings(logProbs: Float32Array, symbols: number): Map<string, number> {
  let paths: { labels: number[]; last: number; logProb: number }[] = [{ labels: [], last: 0, logProb: 0 }];
  for (let offset = 0; offset < logProbs.length; offset += symbols) {
    paths = paths.flatMap(({ labels, last, logProb }) =>
      Array.from({ length: symbols }, (_, symbol) => ({
        labels: symbol === 0 || symbol === last ? labels : [...labels, symbol],
        last: symbol,
        logProb: logProb + logProbs[offset + symbol]!,
      })),
    );
  }
  const sums = new Map<string, number>();
  for (const { labels, logProb } of paths) {
    sums.set(labels.join(' '), (sums.get(labels.join(' ')) ?? 0) + Math.exp(logProb));
  }
  return sums;
}

test('the n best labellings are those of the sum over all paths, with their probabilities', () => {
  const logProbs = steps([0.5, 0.3, 0.2], [0.4, 0.35, 0.25], [0.3, 0.3, 0.4], [0.5, 0.4, 0.1]);
  const all = [...allLabellings(logProbs, 3)].sort((a, b) => b[1] - a[1]);
  const found = ctcNBest(logProbs, 3, 5, 100);
  for (const [rank, { labels, logProb }] of found.entries()) {
    assert.is(labels.join(' '), all[rank]![0]);
    assert.ok(Math.abs(Math.exp(logProb) - all[rank]![1]) < 1e-6);
  }
});

test('a label twice in a row needs a blank between', () => {
  const certain = 1 - 2e-6;
  const one = [1e-6, certain, 1e-6];
  const blank = [certain, 1e-6, 1e-6];
  assert.equal(ctcNBest(steps(one, one), 3, 1)[0]!.labels, [1]);
  assert.equal(ctcNBest(steps(one, blank, one), 3, 1)[0]!.labels, [1, 1]);
});

test('the shipped network says what it said when it was exported, alone, in batches and in any order', async () => {
  const g2p = await G2p.load(readFileSync(model));
  const expected: Record<string, string> = JSON.parse(readFileSync(fixture, 'utf8'));
  const words = Object.keys(expected);
  const together = await g2p.pronounce(words);
  for (const [index, word] of words.entries()) {
    assert.is(together[index]![0]!.phones.join(''), expected[word], word);
  }
  for (const word of words.slice(0, 5)) {
    const [alone] = await g2p.pronounce([word]);
    assert.is(alone![0]!.phones.join(''), expected[word]);
  }
  await g2p.release();
});

test('guesses come best first, are different, and words without letters have none', async () => {
  const g2p = await G2p.load(readFileSync(model));
  const [guesses, none, folded, plain] = await g2p.pronounce(
    ['semacaine', '42', 'anne-marie', 'annemarie'],
    4,
  );
  assert.is(guesses!.length, 4);
  assert.is(new Set(guesses!.map((g) => g.phones.join(''))).size, 4);
  for (let i = 1; i < 4; i++) assert.ok(guesses![i - 1]!.logProb >= guesses![i]!.logProb);
  assert.equal(none, []);
  assert.equal(folded, plain);
  await g2p.release();
});

test.run();
