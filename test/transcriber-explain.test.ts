import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BiasingCounter } from '../src/session/biasing-counter.js';
import { ScriptedRun, type ScriptRow } from './scripted-support.js';

const test = suite('transcriber: explanations');
const PIECES = ['▁my', '▁an', 'na', 'ya', '▁is'];
const blank: ScriptRow = { '': -0.01 };
const NAME: ScriptRow[] = [{ '▁my': -0.1 }, blank, { '▁an': -0.1 }, { ya: -0.3, na: -1.3 }, blank];
const entry = { text: 'Anna', weight: 1, soundsLike: [] };

test('finals tell what biasing did to their words, and the end what it did in all', async () => {
  const run = await ScriptedRun.start(PIECES, { explain: true, vocabulary: [entry] });
  await run.say(NAME);
  await run.boundary('flush');
  await run.say([{ '▁an': -0.1 }, { na: -0.1 }, blank]);
  await run.boundary('flush');
  await run.say([{ '▁is': -0.1 }, blank]);
  await run.boundary('stop');
  const words = run.finals.map((final) => final.words.map(({ word, bias }) => [word, bias]));
  const [my, anna, same, is] = words.flat();
  assert.equal(my, ['my', undefined]);
  // five symbols at 1.2 and half of the distance of 1
  assert.equal(anna, ['Anna', { technique: 'adaptive', gain: 6.5, unbiased: 'anya', changed: true }]);
  assert.equal(same, ['Anna', { technique: 'adaptive', gain: 6, unbiased: 'anna', changed: false }]);
  assert.equal(is, ['is', undefined]);
  const stopped = run.events.at(-1);
  assert.ok(stopped?.type === 'stopped');
  assert.equal(stopped.biasing, { changedFinals: 1, hits: [{ entity: 'Anna', hits: 2 }], otherHits: 0 });
});

test('who does not ask is told nothing', async () => {
  const run = await ScriptedRun.start(PIECES, { vocabulary: [entry] });
  await run.say(NAME);
  await run.boundary('stop');
  assert.equal(
    run.finals[0]?.words.map(({ word, bias }) => [word, bias]),
    [
      ['my', undefined],
      ['Anna', undefined],
    ],
  );
  const stopped = run.events.at(-1);
  assert.ok(stopped?.type === 'stopped' && stopped.biasing === undefined);
});

test('without a list there is nothing to explain, also where decoding has let go of words early', async () => {
  const run = await ScriptedRun.start(PIECES, { explain: true });
  await run.say(NAME);
  await run.boundary('stop');
  assert.ok(run.finals[0]?.words.every(({ bias }) => bias === undefined));
});

test('hits are counted by occurrence and within bounds', () => {
  const counter = new BiasingCounter();
  const word = (text: string, span = { from: 0, to: 1, text, weight: 1, suffix: '' }) => ({
    text,
    from: 0,
    to: 1,
    confidence: 1,
    spelled: 1,
    span,
  });
  const york = { from: 0, to: 2, text: 'New York', weight: 1, suffix: '' };
  counter.count([word('New', york), word('York', york), word('Anna'), word('Anna')], true);
  counter.count([word('New', york), word('York', york)], false);
  assert.equal(counter.totals, {
    changedFinals: 1,
    hits: [
      { entity: 'New York', hits: 2 },
      { entity: 'Anna', hits: 2 },
    ],
    otherHits: 0,
  });
  counter.count(
    Array.from({ length: 2000 }, (_, i) => word(`name ${i}`)),
    false,
  );
  assert.is(counter.totals.hits.length, 100);
  assert.is(
    counter.totals.hits.reduce((sum, { hits }) => sum + hits, counter.totals.otherHits),
    2004,
  );
});

test.run();
