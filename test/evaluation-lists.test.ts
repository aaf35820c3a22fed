import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseConfigurations } from '../src/evaluation/configurations.js';
import { drawDistractors, poolOfEntities, readPool } from '../src/evaluation/distractors.js';
import { parseManifest, type Utterance } from '../src/evaluation/manifest.js';
import { inTemporaryFolder } from './temporary-folder.js';

const test = suite('evaluation: lists');

const utterance = (path: string, text: string, ...entities: string[]): Utterance => ({
  path,
  words: text.split(' '),
  entities,
});
const POOL = Array.from({ length: 500 }, (_, i) => `term${String.fromCharCode(97 + (i % 26))}${i}`).sort();

test('the same seed draws the same distractors, another seed or utterance others', () => {
  const draw = (path: string, seed: number): string[] =>
    drawDistractors(POOL, utterance(path, 'hello'), { n: 50, seed });
  assert.equal(draw('a.wav', 1), draw('a.wav', 1));
  assert.not.equal(draw('a.wav', 1), draw('a.wav', 2));
  assert.not.equal(draw('a.wav', 1), draw('b.wav', 1));
  assert.equal(draw('a.wav', 1).slice(0, 3), ['termn117', 'termc314', 'termh215']);
});

test('a list for fewer distractors is the begin of one for more, all different', () => {
  fc.assert(
    fc.property(fc.nat({ max: 600 }), fc.nat({ max: 600 }), fc.nat(), (n, m, seed) => {
      const [few, many] = [Math.min(n, m), Math.max(n, m)].map((size) =>
        drawDistractors(POOL, utterance('a.wav', 'hello'), { n: size, seed }),
      );
      assert.equal(many!.slice(0, few!.length), few);
      assert.is(new Set(many).size, Math.min(POOL.length, Math.max(n, m)));
    }),
  );
});

test('no distractor is an own entity or occurs in what is said, however short the pool gets', () => {
  const pool = ['alpha', 'beta', 'beta gamma', 'delta', 'gamma delta'];
  const drawn = drawDistractors(pool, utterance('a.wav', 'say beta gamma', 'alpha'), { n: 9, seed: 1 });
  assert.equal(new Set(drawn), new Set(['delta', 'gamma delta']));
});

test('distractors from the manifest are the entities of all utterances, whatever the limit and the order', () => {
  const all = [utterance('a', 'x', 'anna', 'bert'), utterance('b', 'y', 'carl'), utterance('c', 'z', 'anna')];
  assert.equal(poolOfEntities(all), ['anna', 'bert', 'carl']);
  assert.equal(poolOfEntities(all.toReversed()), poolOfEntities(all));
  assert.equal(drawDistractors(poolOfEntities(all), all[0]!, { n: 5, seed: 1 }), ['carl']);
});

test('a file of distractors is read plain and gzipped, normalised and without repetitions', async () => {
  await inTemporaryFolder(async (folder) => {
    const text = 'Müller\r\n\nmuller\nNew York\n';
    await writeFile(join(folder, 'plain.txt'), text);
    await writeFile(join(folder, 'packed.gz'), gzipSync(text));
    assert.equal(await readPool(join(folder, 'plain.txt')), ['muller', 'new york']);
    assert.equal(await readPool(join(folder, 'packed.gz')), ['muller', 'new york']);
  });
});

test('an empty or missing file of distractors is refused with its name', async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, 'empty.txt');
    await rejects(readPool(path), /distractors cannot be read.*empty\.txt/);
    await writeFile(path, '\n\n');
    await rejects(readPool(path), /empty\.txt has no entries/);
  });
});

async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const message = await promise.then(
    () => 'no error',
    (reason: Error) => reason.message,
  );
  assert.match(message, pattern);
}

test('a manifest is read by the names of its columns, in any order, others passed over', () => {
  const text = 'entities\tseconds\ttranscript\tpath\r\nNew York|Anna |\t2\tAnna is in New York.\ta.wav\r\n';
  assert.equal(parseManifest(text, 'm.tsv'), [
    { path: 'a.wav', words: ['anna', 'is', 'in', 'new', 'york'], entities: ['new york', 'anna'] },
  ]);
});

test('a manifest without entities has utterances without entities', () => {
  assert.equal(parseManifest('path\ttranscript\na.wav\thello\n', 'm.tsv')[0]!.entities, []);
});

test('a manifest that cannot be read says which line or column is wrong', () => {
  assert.throws(() => parseManifest('a.wav\thello\n', 'm.tsv'), /m\.tsv.*no column "path"/);
  assert.throws(() => parseManifest('path\ttext\na.wav\thello\n', 'm.tsv'), /no column "transcript"/);
  assert.throws(() => parseManifest('path\ttranscript\n', 'm.tsv'), /no utterances/);
  assert.throws(() => parseManifest('path\ttranscript\na.wav\tb\n\tb\n', 'm.tsv'), /m\.tsv:3: the path/);
  assert.throws(() => parseManifest('path\ttranscript\na.wav\tb\tc\td\n', 'm.tsv'), /m\.tsv:2: 4 fields/);
});

test('configurations are chosen by name, and an unknown name is answered with those there are', () => {
  const [none, adaptive] = chooseConfigurations(['none', 'adaptive', 'none']);
  assert.equal([none!.vocabulary, adaptive!.vocabulary], [false, true]);
  assert.throws(
    () => chooseConfigurations(['nome']),
    /"nome"; known are greedy, beam, none, unigram, adaptive/,
  );
});

test.run();
