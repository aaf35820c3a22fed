import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NgramModel } from '../src/decoder/ngram.js';
import { LetterTrie, NO_NODE } from '../src/decoder/ngram-trie.js';
import { packageRoot } from '../src/util/package-root.js';

type Row = [string, string, string, number, boolean?];
interface Fixture {
  readonly model?: string;
  readonly sha256?: string;
  readonly scores: readonly Row[];
}

const fixture = (name: string): Fixture =>
  JSON.parse(readFileSync(join(packageRoot(), 'test', 'fixtures', `${name}.json`), 'utf8'));
const shippedFile = join(packageRoot(), 'models', 'en-base', 'lm.bin');

/** A copy of a file in a buffer of its own, as threads would share it. */
function shared(bytes: Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

const tinyFixture = fixture('ngram-tiny');
const tinyBytes = Buffer.from(tinyFixture.model ?? '', 'base64');
const tiny = NgramModel.fromBuffer(shared(tinyBytes));
const shipped = NgramModel.fromBuffer(shared(readFileSync(shippedFile)));

/** Word id of `</s>`: nothing follows it in the models, so that as a state it stands for no history. */
const NO_HISTORY = 2;

/** Score of the last word after the two before it, with states made by `advance`. */
function score(model: NgramModel, first: string, second: string, third: string): number {
  const after = first === '<s>' ? model.start : model.advance(NO_HISTORY, model.wordId(first));
  const state = model.advance(after, model.wordId(second));
  return third === '</s>' ? model.end(state) : model.score(state, model.wordId(third));
}

test('every score of a small model is that of an outside reader of the same ARPA file', () => {
  for (const [first, second, third, expected] of tinyFixture.scores) {
    const got = score(tiny, first, second, third);
    assert.ok(Math.abs(got - expected) < 2e-5, `${first} ${second} ${third}: ${got}, expected ${expected}`);
  }
});

test('the shipped model is the one that its fixture was made from, and scores held-out text as the outside reader', () => {
  const bytes = readFileSync(shippedFile);
  assert.is(createHash('sha256').update(bytes).digest('hex'), fixture('ngram-shipped').sha256);
  let worst = 0;
  let sum = 0;
  const rows = fixture('ngram-shipped').scores.filter(([, , , , listed]) => listed);
  assert.ok(rows.length > 150);
  for (const [first, second, third, expected] of rows) {
    const error = Math.abs(score(shipped, first, second, third) - expected);
    worst = Math.max(worst, error);
    sum += error;
  }
  assert.ok(worst < 0.1, `worst error ${worst} nats`);
  assert.ok(sum / rows.length < 0.02, `mean error ${sum / rows.length} nats`);
});

test('probabilities over the whole word list sum to one after any history', () => {
  for (const history of [['the'], ['at', 'noon'], ['sea', 'sea'], ['unheard', 'of']]) {
    let state = tiny.start;
    for (const word of history) state = tiny.advance(state, tiny.wordId(word));
    let sum = 0;
    for (let id = 0; id < tiny.words; id++) sum += Math.exp(tiny.score(state, id));
    assert.ok(Math.abs(sum - 1) < 1e-3, `${history.join(' ')}: ${sum}`);
  }
});

test('histories that the model cannot tell apart have one state', () => {
  const after = (...words: string[]): number =>
    words.reduce((state, word) => tiny.advance(state, tiny.wordId(word)), tiny.start);
  assert.is(after('noon', 'law', 'sea'), after('captain', 'word', 'sea'));
  assert.is.not(after('at', 'noon'), after('noon', 'noon'));
  assert.ok(Number.isSafeInteger(after('at', 'noon')));
});

test('words outside the list have one probability together and leave a state without history', () => {
  assert.is(tiny.wordId('galleon'), undefined);
  assert.is(tiny.wordId('shi'), undefined);
  assert.is(tiny.wordId('Ship'), undefined);
  assert.is(
    tiny.advance(tiny.start, undefined),
    tiny.advance(tiny.advance(tiny.start, tiny.wordId('the')), undefined),
  );
});

test('the letter trie spells every word to its id, and its bounds fall along the letters down to the word', () => {
  for (const word of ['a', 'at', "captain's", 'sails', 'word']) {
    let node = LetterTrie.ROOT;
    let bound = tiny.lookahead.best(node);
    for (const letter of word) {
      node = tiny.lookahead.step(node, letter.charCodeAt(0));
      assert.ok(tiny.lookahead.best(node) <= bound);
      bound = tiny.lookahead.best(node);
    }
    assert.is(tiny.lookahead.word(node), tiny.wordId(word));
    assert.ok(bound >= tiny.score(NO_HISTORY, tiny.wordId(word)) - 1e-6);
  }
});

test('the bound after a history is the best score of the words that the letters begin, or a little more', () => {
  const words = [...new Set(tinyFixture.scores.flatMap(([, second, third]) => [second, third]))].filter(
    (word) => tiny.wordId(word) !== undefined,
  );
  const states = words.flatMap((word) => {
    const one = tiny.advance(tiny.start, tiny.wordId(word));
    return [one, ...words.map((next) => tiny.advance(one, tiny.wordId(next)))];
  });
  let exact = 0;
  let asked = 0;
  for (const state of [tiny.start, ...states]) {
    for (const letters of ['s', 'sh', 'ship', 'c', "captain'", 'a', 'the']) {
      const below = words.filter((word) => word.startsWith(letters));
      const best = Math.max(...below.map((word) => tiny.score(state, tiny.wordId(word))));
      const bound = tiny.bestAfter(state, tiny.lookahead.walk(LetterTrie.ROOT, letters));
      assert.ok(bound >= best - 1e-6, `${letters}: ${bound} below ${best}`);
      asked++;
      if (bound < best + 1e-6) exact++;
    }
  }
  assert.ok(exact > 0.9 * asked, `exact ${exact} of ${asked}`);
  assert.is(tiny.bestAfter(tiny.start, NO_NODE), Number.NEGATIVE_INFINITY);
});

test('the bound of letters is the best unigram of the words that they begin', () => {
  const unigram = (word: string): number => tiny.score(NO_HISTORY, tiny.wordId(word));
  const bound = (letters: string): number =>
    tiny.lookahead.best(tiny.lookahead.walk(LetterTrie.ROOT, letters));
  assert.ok(Math.abs(bound('sh') - unigram('ship')) < 1e-6);
  const words = ['sails', 'sea', 'ship'];
  assert.ok(Math.abs(bound('s') - Math.max(...words.map(unigram))) < 1e-6);
  assert.is(bound('q'), Number.NEGATIVE_INFINITY);
  assert.is(tiny.lookahead.step(NO_NODE, 'a'.charCodeAt(0)), NO_NODE);
  assert.is(tiny.lookahead.walk(LetterTrie.ROOT, 'Ship'), NO_NODE);
});

test('a file that is cut, foreign or of another version is refused', () => {
  assert.throws(() => NgramModel.fromBuffer(shared(tinyBytes.subarray(0, 40))), /shorter than its header/);
  assert.throws(() => NgramModel.fromBuffer(shared(tinyBytes.subarray(0, 4096))), /expected/);
  const foreign = Uint8Array.from(tinyBytes);
  foreign[0] = 0;
  assert.throws(() => NgramModel.fromBuffer(shared(foreign)), /not an LXLM file/);
  const later = Uint8Array.from(tinyBytes);
  later[4] = 9;
  assert.throws(() => NgramModel.fromBuffer(shared(later)), /version 9/);
});

test('the shipped model is ready in a fraction of a second and scores a word in about a microsecond', () => {
  const begun = performance.now();
  const model = NgramModel.fromBuffer(shared(readFileSync(shippedFile)));
  const ready = performance.now() - begun;
  assert.ok(ready < 1000, `${ready} ms`);
  const words = 'it was the best of times and the ship did not sail because of the captain'.split(' ');
  const ids = words.map((word) => model.wordId(word));
  const rounds = 20_000;
  const from = performance.now();
  let state = model.start;
  let total = 0;
  for (let round = 0; round < rounds; round++) {
    for (const id of ids) {
      total += model.score(state, id);
      state = model.advance(state, id);
    }
  }
  const each = ((performance.now() - from) * 1e6) / (rounds * ids.length);
  assert.ok(total < 0);
  assert.ok(each < 5000, `${each} ns a word`);
  if (process.env['LEXIGATE_TIMES']) console.log(`language model: ready in ${ready} ms, ${each} ns a word`);
});

test.run();
