import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PieceTable, symbolOf } from '../src/biasing/alphabet.js';
import type { VocabularyEntry } from '../src/biasing/entry.js';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { entry, smallEntries } from './biasing-support.js';

const test = suite('biasing: prefix graph');

/** Spelling of every node, by node, following the children. */
function textsOf(graph: PrefixGraph): Map<number, string> {
  const texts = new Map([[0, '']]);
  for (const [node, text] of texts) {
    for (const letter of "▁'abcdefghijklmnopqrstuvwxyz") {
      const child = graph.child(node, symbolOf(letter.charCodeAt(0)));
      if (child >= 0) texts.set(child, text + letter);
    }
  }
  return texts;
}

function nodeOf(graph: PrefixGraph, text: string): number {
  return [...textsOf(graph)].find(([, found]) => found === text)![0];
}

const spell = ({ text }: VocabularyEntry): string => `▁${text.replaceAll(' ', '▁')}`;

test('its nodes are exactly the prefixes of the entries', () => {
  fc.assert(
    fc.property(smallEntries, (entries) => {
      const { graph } = PrefixGraph.build(entries);
      const prefixes = new Set(['']);
      for (const text of entries.map(spell)) {
        for (let end = 1; end <= text.length; end++) prefixes.add(text.slice(0, end));
      }
      assert.equal([...textsOf(graph).values()].sort(), [...prefixes].sort());
      assert.is(graph.size, prefixes.size);
    }),
  );
});

test('a node weighs as much as the heaviest entry at or below it (no weight leaks from a prefix into other branches)', () => {
  fc.assert(
    fc.property(smallEntries, (entries) => {
      const { graph } = PrefixGraph.build(entries);
      for (const [node, text] of textsOf(graph)) {
        const below = entries.filter((item) => spell(item).startsWith(text));
        assert.is(graph.weight(node), Math.max(0, ...below.map(({ weight }) => weight)), text);
        const here = entries.filter((item) => spell(item) === text);
        assert.is(graph.terminalWeight(node), Math.max(0, ...here.map(({ weight }) => weight)), text);
        assert.is(graph.ends(node), here.length > 0);
        assert.is(graph.depth(node), text.length);
      }
    }),
  );
});

test('fail links lead to the longest proper suffix in the graph, output links to the longest that is an entry', () => {
  fc.assert(
    fc.property(smallEntries, (entries) => {
      const { graph } = PrefixGraph.build(entries);
      const texts = textsOf(graph);
      for (const [node, text] of texts) {
        const suffixes = Array.from(text, (_, i) => text.slice(i + 1)).filter((rest) => rest !== '');
        const fail = suffixes.find((rest) => [...texts.values()].includes(rest)) ?? '';
        assert.is(texts.get(graph.fail(node)), fail, text);
        const output = suffixes.find((rest) => entries.some((item) => spell(item) === rest)) ?? '';
        assert.is(texts.get(graph.output(node)), output, text);
      }
    }),
  );
});

test('every split of an entry into pieces reaches the same node', () => {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
  const pieces = [
    '▁',
    "'",
    ...letters,
    ...letters.map((letter) => `▁${letter}`),
    '▁san',
    '▁jo',
    'se',
    'an',
    'jos',
    '▁sa',
    'n',
  ];
  const table = new PieceTable(pieces);
  const { graph } = PrefixGraph.build([entry('San José'), entry('Sanjay'), entry('Joseph')]);
  const splits = (rest: string): number[][] =>
    rest === ''
      ? [[]]
      : pieces.flatMap((piece, id) =>
          rest.startsWith(piece) ? splits(rest.slice(piece.length)).map((tail) => [id, ...tail]) : [],
        );
  const all = splits('▁san▁jose');
  assert.ok(all.length > 50, `${all.length} splits`);
  const reached = new Set(
    all.map((tokens) => tokens.reduce((node, token) => graph.walk(node, table, token), 0)),
  );
  assert.is(reached.size, 1);
  assert.is(graph.entryAt([...reached][0]!)?.text, 'San José');
});

test('sounds-like spellings are further ways to the same entry, also where its own text cannot be spelled', () => {
  const { graph, rejected } = PrefixGraph.build([entry('K8s', 2, 'kubernetes', 'cates'), entry('Cates')]);
  assert.equal(rejected, []);
  const written = (text: string): string | undefined => {
    return graph.entryAt(nodeOf(graph, text))?.text;
  };
  assert.is(written('▁kubernetes'), 'K8s');
  // who is spelled so comes before who sounds so, the larger weight holds
  assert.is(written('▁cates'), 'Cates');
  assert.is(graph.terminalWeight(nodeOf(graph, '▁cates')), 2);
});

test('entries that cannot be used come back with reasons, the others are used', () => {
  const { entries, rejected } = PrefixGraph.build([
    entry('x'),
    entry('42'),
    entry('Zoë', 0),
    entry('Zed', Number.NaN),
    entry('y'.repeat(101)),
    entry('Fine', 1, '東'),
    entry('Good'),
  ]);
  assert.equal(
    entries.map(({ text }) => text),
    ['Fine', 'Good'],
  );
  assert.equal(
    rejected.map(({ text }) => text),
    ['x', '42', 'Zoë', 'Zed', 'y'.repeat(101), 'Fine'],
  );
  assert.match(rejected[0]!.reason, /fewer than 2 letters/);
  assert.match(rejected[2]!.reason, /weight 0/);
  assert.match(rejected[4]!.reason, /101 characters; at most 100/);
  assert.match(rejected[5]!.reason, /sounds-like/);
});

test('without usable entries it is the empty graph', () => {
  assert.is(PrefixGraph.build([entry('1')]).graph, PrefixGraph.empty);
  assert.ok(PrefixGraph.empty.isEmpty);
  assert.is(PrefixGraph.empty.walk(0, new PieceTable(['▁a']), 0), 0);
});

test.run();
