import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PieceTable, symbolOf } from '../src/biasing/alphabet.js';
import type { VocabularyEntry } from '../src/biasing/entry.js';
import { replayBias } from '../src/biasing/match.js';
import type { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { Vocabulary, VocabularyTooLongError } from '../src/biasing/vocabulary.js';
import { VocabularyCache } from '../src/biasing/vocabulary-cache.js';
import { entry, SMALL_PIECES, smallTokens, soundingEntries } from './biasing-support.js';

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
  assert.is(first.graph.entries, 2);
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

/** All that a graph says, by the texts of its nodes: how they are numbered is nobody's business. */
function contentOf(graph: PrefixGraph): unknown {
  const texts = new Map([[0, '']]);
  for (const [node, text] of texts) {
    for (const letter of "▁'ab") {
      const child = graph.child(node, symbolOf(letter.charCodeAt(0)));
      if (child >= 0) texts.set(child, text + letter);
    }
  }
  const nodes = [...texts].map(([node, text]) => [
    text,
    {
      depth: graph.depth(node),
      weight: graph.weight(node),
      terminalWeight: graph.terminalWeight(node),
      entry: graph.ends(node) ? graph.entryAt(node)?.text : undefined,
      fail: texts.get(graph.fail(node)),
      output: texts.get(graph.output(node)),
    },
  ]);
  const { entries, words, size } = graph;
  return { entries, words, size, nodes: Object.fromEntries(nodes) };
}

const patches = fc.array(fc.record({ set: soundingEntries, remove: fc.array(fc.nat(), { maxLength: 3 }) }), {
  minLength: 1,
  maxLength: 6,
});

/** Removes entries that are there, by their place in the list. */
function patched(
  from: Vocabulary,
  { set, remove }: { set: VocabularyEntry[]; remove: number[] },
): Vocabulary {
  const there = texts(from);
  const gone = there.length === 0 ? [] : remove.map((place) => there[place % there.length]!);
  return from.patch({ set, remove: gone }).vocabulary;
}

test('after any patches graph, scores and hash are those of the list built at once; older versions stay as they were', () => {
  fc.assert(
    fc.property(soundingEntries, patches, smallTokens, (first, changes, tokens) => {
      const versions = [Vocabulary.empty().replace(first).vocabulary];
      const before: unknown[] = [];
      for (const change of changes) {
        before.push(contentOf(versions.at(-1)!.graph));
        versions.push(patched(versions.at(-1)!, change));
      }
      for (const [i, content] of before.entries()) assert.equal(contentOf(versions[i]!.graph), content);
      const last = versions.at(-1)!;
      const whole = Vocabulary.empty().replace([...last.entries].reverse()).vocabulary;
      assert.equal(contentOf(last.graph), contentOf(whole.graph));
      assert.is(last.hash, whole.hash);
      const table = new PieceTable(SMALL_PIECES);
      const gains = tokens.map((_, i) => 1 + (i % 3) / 4);
      assert.equal(
        replayBias(last.graph, table, tokens, gains, 0.7),
        replayBias(whole.graph, table, tokens, gains, 0.7),
      );
    }),
    { numRuns: 500 },
  );
});

test('a list that changes for hours takes no more memory than its changes did at first', () => {
  const names = Array.from(
    { length: 676 },
    (_, i) => `${String.fromCharCode(97 + (i % 26), 97 + i / 26)}ber`,
  );
  const half = names.slice(0, 338).map((text) => entry(text));
  const other = names.slice(338).map((text) => entry(`${text} ${text}`));
  let vocabulary = Vocabulary.empty().replace([...half, ...other]).vocabulary;
  const change = (): void => {
    for (const part of [half, other]) {
      for (const { text } of part) vocabulary = vocabulary.patch({ remove: [text] }).vocabulary;
      for (const each of part) vocabulary = vocabulary.patch({ set: [each] }).vocabulary;
    }
  };
  change();
  const { bytes } = vocabulary.graph;
  for (let round = 0; round < 5; round++) change();
  assert.is(vocabulary.graph.bytes, bytes);
  assert.is(vocabulary.size, names.length);
});

test('equal lists have equal hashes in any order; another weight, spelling or written form has another', () => {
  const hash = (...entries: VocabularyEntry[]): string => Vocabulary.empty().replace(entries).vocabulary.hash;
  assert.is(hash(entry('Anna'), entry('Bert')), hash(entry('Bert'), entry('Anna')));
  assert.is(hash(entry('Anna'), entry('Anna')), hash(entry('Anna')));
  assert.is(hash(entry('Anna'), entry('42')), hash(entry('Anna')));
  const hashes = [
    hash(entry('Anna')),
    hash(entry('anna')),
    hash(entry('Anna', 2)),
    hash(entry('Anna', 1, 'hannah')),
    hash(entry('Anna'), entry('hannah')),
    hash(),
  ];
  assert.is(new Set(hashes).size, hashes.length);
});

test('of entries with one spelling the heavier is written, then the first by code points, in whatever order they came', () => {
  const written = (...entries: VocabularyEntry[]): string | undefined => {
    const { graph } = Vocabulary.empty().replace(entries).vocabulary;
    let node = 0;
    for (const letter of '▁anna') node = graph.child(node, symbolOf(letter.charCodeAt(0)));
    return graph.entryAt(node)?.text;
  };
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const of = (...entries: VocabularyEntry[]): VocabularyEntry[] => order.map((i) => entries[i]!);
    assert.is(written(...of(entry('Anna'), entry('ANNA'), entry('Hannah', 9, 'anna'))), 'ANNA');
    assert.is(written(...of(entry('Anna', 2), entry('ANNA'), entry('Hannah', 9, 'anna'))), 'Anna');
  }
});

test('equal lists are one graph for all who share a cache, however they came to them', () => {
  const cache = new VocabularyCache();
  const list = [entry('Anna'), entry('Bert'), entry('R2D2'), entry('Carl', 1, 'karl', '漢')];
  const first = Vocabulary.empty({}, cache).replace(list);
  const second = Vocabulary.empty({}, cache).replace(list.toReversed());
  assert.is(second.vocabulary.graph, first.vocabulary.graph);
  assert.equal(second.rejected, first.rejected);
  assert.is(first.rejected.length, 2);
  const { vocabulary: shorter } = Vocabulary.empty({}, cache).replace([entry('Anna'), entry('Bert')]);
  const { vocabulary: cut } = first.vocabulary.patch({ remove: ['Carl'] });
  assert.is(cut.graph, shorter.graph);
  // other limits may refuse other entries
  assert.is(
    Vocabulary.empty({ maxLength: 4 }, cache).replace(list).vocabulary.graph === first.vocabulary.graph,
    false,
  );
  assert.is(Vocabulary.empty().replace(list).vocabulary.graph === first.vocabulary.graph, false);
});

test('a cache forgets the lists that were unused for the longest once its memory is full', () => {
  const list = (letter: string): VocabularyEntry[] => [entry(`${letter}nna`)];
  const one = new VocabularyCache();
  Vocabulary.empty({}, one).replace(list('a'));
  const cache = new VocabularyCache({ maxBytes: 2 * one.bytes });
  const graphs = ['a', 'b', 'a', 'c'].map(
    (letter) => Vocabulary.empty({}, cache).replace(list(letter)).vocabulary.graph,
  );
  assert.is(graphs[2], graphs[0]);
  assert.is(cache.bytes, 2 * one.bytes);
  const again = (letter: string): PrefixGraph =>
    Vocabulary.empty({}, cache).replace(list(letter)).vocabulary.graph;
  assert.is(again('a'), graphs[0]);
  assert.is(again('c'), graphs[3]);
  assert.is(again('b') === graphs[1], false);
});

test.run();
