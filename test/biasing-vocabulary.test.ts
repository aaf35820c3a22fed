import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Vocabulary, VocabularyTooLongError } from '../src/biasing/vocabulary.js';
import { entry, smallEntries } from './biasing-support.js';

const test = suite('biasing: vocabulary');
const texts = (vocabulary: Vocabulary): string[] => vocabulary.entries.map(({ text }) => text);

test('each change makes the next version and leaves the old one as it was', () => {
  const empty = Vocabulary.empty();
  const { vocabulary: first } = empty.replace([entry('Anna'), entry('Bert')]);
  const { vocabulary: second } = first.patch({ set: [entry('Carl')], remove: ['Anna'] });
  assert.equal([empty.version, first.version, second.version], [0, 1, 2]);
  assert.equal(texts(empty), []);
  assert.equal(texts(first), ['Anna', 'Bert']);
  assert.equal(texts(second), ['Bert', 'Carl']);
  assert.is(first.graph.entries.length, 2);
});

test('an entry set again is replaced, by its text as given', () => {
  const { vocabulary } = Vocabulary.empty().replace([entry(' Anna '), entry('Anna', 2), entry('anna', 1)]);
  assert.equal(
    vocabulary.entries.map(({ text, weight }) => [text, weight]),
    [
      ['Anna', 2],
      ['anna', 1],
    ],
  );
});

test('what is refused comes back with its reason and is not in the list', () => {
  const { vocabulary, rejected } = Vocabulary.empty().replace([entry('Anna'), entry('R2D2')]);
  assert.equal(texts(vocabulary), ['Anna']);
  assert.is(rejected.length, 1);
  const patched = vocabulary.patch({ remove: ['R2D2', ' Anna'] });
  assert.match(patched.rejected[0]!.reason, /not in the list/);
  assert.is(patched.vocabulary.size, 0);
  assert.ok(patched.vocabulary.graph.isEmpty);
});

test('a list beyond the limit is an error that says both numbers; the list stays in force', () => {
  const { vocabulary } = Vocabulary.empty({ maxEntries: 2 }).replace([entry('Anna'), entry('Bert')]);
  const tooLong = (error: unknown): boolean =>
    error instanceof VocabularyTooLongError && error.entries === 3 && error.limit === 2;
  assert.throws(() => vocabulary.patch({ set: [entry('Carl')] }), tooLong);
  assert.throws(() => vocabulary.replace([entry('Anna'), entry('Bert'), entry('Carl')]), tooLong);
  assert.equal(texts(vocabulary), ['Anna', 'Bert']);
  // room is made before it is filled
  assert.equal(texts(vocabulary.patch({ remove: ['Anna'], set: [entry('Carl')] }).vocabulary), [
    'Bert',
    'Carl',
  ]);
});

test('patches lead to the same graph as the whole list', () => {
  fc.assert(
    fc.property(smallEntries, smallEntries, (before, after) => {
      const patched = Vocabulary.empty()
        .replace(before)
        .vocabulary.patch({ remove: before.map(({ text }) => text), set: after }).vocabulary;
      assert.is(patched.hash, Vocabulary.empty().replace(after).vocabulary.hash);
    }),
  );
});

test.run();
