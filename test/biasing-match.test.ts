import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PieceTable } from '../src/biasing/alphabet.js';
import type { VocabularyEntry } from '../src/biasing/entry.js';
import { replayBias } from '../src/biasing/match.js';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { entry, NaiveBias, SMALL_PIECES, smallEntries, smallTokens } from './biasing-support.js';

const test = suite('biasing: match');

/** Bias of words, spelled letter by letter, with a gain of 1 per symbol (`▁` included). */
function bias(entries: VocabularyEntry[], text: string): { value: number; finalValue: number } {
  const pieces = Array.from("▁'abcdefghijklmnopqrstuvwxyz");
  const tokens = Array.from(text, (letter) => pieces.indexOf(letter));
  const { graph } = PrefixGraph.build(entries);
  return replayBias(graph, new PieceTable(pieces), tokens, new Array(tokens.length).fill(1));
}

const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} instead of ${expected}`);

test('it is what the definition over plain strings says, for nested, overlapping and mixed-weight entries', () => {
  fc.assert(
    fc.property(
      smallEntries,
      smallTokens,
      fc.infiniteStream(fc.double({ min: 0.1, max: 2, noNaN: true })),
      fc.constantFrom(0, 0.7, 2.5),
      (entries, tokens, stream, toll) => {
        const gains = [...stream.take(tokens.length)];
        const { graph } = PrefixGraph.build(entries);
        const found = replayBias(graph, new PieceTable(SMALL_PIECES), tokens, gains, toll);
        const expected = new NaiveBias(entries, SMALL_PIECES, tokens, gains, toll);
        close(found.value, expected.value);
        close(found.finalValue, expected.finalValue);
      },
    ),
    { numRuns: 5000 },
  );
});

test('a broken match with no completed entry owns exactly nothing, whatever the weights', () => {
  fc.assert(
    fc.property(
      smallEntries,
      smallTokens,
      fc.infiniteStream(fc.double({ min: 0.1, max: 2, noNaN: true })),
      (entries, tokens, stream) => {
        // words that no entry ends with: a `c` behind each
        const pieces = [...SMALL_PIECES, 'c'];
        const broken = tokens.flatMap((token, i) => {
          const next = pieces[tokens[i + 1] ?? 0]!;
          return /^[▁']/.test(next) ? [token, pieces.length - 1] : [token];
        });
        const gains = [...stream.take(broken.length)];
        const ended = [...broken, pieces.length - 1];
        const result = replayBias(PrefixGraph.build(entries).graph, new PieceTable(pieces), ended, [
          ...gains,
          1,
        ]);
        assert.is(result.value, 0);
        assert.is(result.finalValue, 0);
      },
    ),
  );
});

test('a partial match counts while it lasts and not at the end', () => {
  assert.equal(bias([entry('kubernetes')], '▁kuber'), { value: 6, finalValue: 0 });
  assert.equal(bias([entry('kubernetes')], '▁kubernetes'), { value: 11, finalValue: 11 });
});

test('an entry earns nothing within a longer word', () => {
  assert.equal(bias([entry('art')], '▁artist'), { value: 0, finalValue: 0 });
  assert.equal(bias([entry('art')], '▁start'), { value: 0, finalValue: 0 });
  assert.equal(bias([entry('art')], '▁art▁is'), { value: 4, finalValue: 4 });
});

test('a possessive keeps the gain of the name', () => {
  assert.equal(bias([entry('anna')], "▁anna's▁hat"), { value: 5, finalValue: 5 });
});

test('a completed entry keeps its gain when a longer one then fails', () => {
  const entries = [entry('new york'), entry('new york city')];
  assert.equal(bias(entries, '▁new▁york▁times'), { value: 9, finalValue: 9 });
  assert.equal(bias(entries, '▁new▁york▁ci'), { value: 12, finalValue: 9 });
  assert.equal(bias(entries, '▁new▁york▁city'), { value: 14, finalValue: 14 });
});

test('an entry within a longer one that fails is counted, the begin of the longer one is not', () => {
  const entries = [entry('york'), entry('new york city')];
  assert.equal(bias(entries, '▁new▁york▁times'), { value: 5, finalValue: 5 });
});

test('two entries within a longer one that fails both count', () => {
  const entries = [entry('san'), entry('jose'), entry('san jose del cabo')];
  assert.equal(bias(entries, '▁san▁jose▁del▁mar'), { value: 9, finalValue: 9 });
});

test('a failing match goes on as the longest suffix that is one', () => {
  const entries = [entry('new york city'), entry('york town')];
  assert.equal(bias(entries, '▁new▁york▁tow'), { value: 9, finalValue: 0 });
  assert.equal(bias(entries, '▁new▁york▁town'), { value: 10, finalValue: 10 });
});

test('a token counts once where entries overlap', () => {
  const entries = [entry('new york'), entry('york city')];
  assert.equal(bias(entries, '▁new▁york▁city'), { value: 14, finalValue: 14 });
});

test('the weight of a heavier neighbour on the same prefix does not leak', () => {
  const entries = [entry('anna', 1), entry('annabel', 4)];
  assert.is(bias(entries, '▁anna').value, 20);
  assert.is(bias(entries, '▁anna').finalValue, 5);
  assert.equal(bias(entries, '▁anna▁and'), { value: 5, finalValue: 5 });
});

test('an entry that repeats earns each time', () => {
  assert.is(bias([entry('anna')], '▁anna▁anna▁and▁anna').finalValue, 15);
});

test('a piece that is no text, or holds a character outside the alphabet, ends every match', () => {
  const pieces = ['▁an', 'na', '<unk>', '7', 'a▁b'];
  const { graph } = PrefixGraph.build([entry('anna'), entry('a b')]);
  for (const foreign of [2, 3, 4]) {
    const { value } = replayBias(graph, new PieceTable(pieces), [0, foreign, 1], [1, 1, 1]);
    assert.is(value, 0);
  }
});

test.run();
