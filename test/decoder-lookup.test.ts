import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { type Acceptance, EntityLookup, type HeardEntity } from '../src/decoder/entity-lookup.js';
import type { Evidence } from '../src/decoder/evidence.js';
import type { DecodedToken } from '../src/decoder/hypothesis.js';
import { PhoneRows } from '../src/decoder/phone-rows.js';
import { SoundIndex } from '../src/decoder/sound-index.js';

const test = suite('decoder: lookup');
const PIECES = ['▁see', '▁an', '▁ant', '▁now', 'a'];
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** Phones are letters, the blank is 0. */
const HEAD = Uint8Array.from({ length: 27 }, (_, i) => i);

function labels(phones: string): Uint8Array {
  return Uint8Array.from(phones, (phone) => LETTERS.indexOf(phone) + 1);
}

/** Two frames a phone, a point being a blank; the others a long way below. */
function rowsOf(phones: string): PhoneRows {
  const rows = new PhoneRows(HEAD);
  rows.clear(0);
  for (const phone of phones) {
    const row = new Float32Array(27).fill(-4);
    row[phone === '.' ? 0 : LETTERS.indexOf(phone) + 1] = -0.01;
    rows.push(row);
    rows.push(row);
  }
  rows.hearUntil(2 * phones.length);
  return rows;
}

function tokensOf(...pieces: string[]): DecodedToken[] {
  return pieces.map((piece, frame) => ({ token: PIECES.indexOf(piece), frame, logProb: -1 }));
}

function indexOf(entries: Readonly<Record<string, string>>, confusability = 0): SoundIndex {
  const index = new SoundIndex();
  for (const [text, phones] of Object.entries(entries)) {
    index.set({ text, pronunciations: [labels(phones)], confusability });
  }
  return index;
}

interface Case {
  readonly index: SoundIndex;
  readonly heard: string;
  readonly words: readonly string[];
  readonly ended?: boolean;
  readonly kept?: number;
  readonly graph?: PrefixGraph;
  readonly acceptance?: Partial<Acceptance>;
  readonly evidence?: Evidence;
}

function find({ index, heard, words, ended = true, kept = 0, ...rest }: Case): HeardEntity[] {
  const lookup = new EntityLookup({
    index,
    pieces: PIECES,
    pronounce: (word) => [labels(word)],
    ...(rest.acceptance !== undefined && { acceptance: rest.acceptance }),
    evidence: rest.evidence,
  });
  return lookup.find(tokensOf(...words), rowsOf(heard), rest.graph ?? PrefixGraph.empty, { ended, kept });
}

/** "see" and "now" were said, and between them something that was written as "an a nt". */
const SAID = { heard: 'se.antenna.now', words: ['▁see', '▁an', '▁ant', '▁now'] };

test('an entry whose phones were heard takes the place of the words that were written there', () => {
  const index = indexOf({ Antenna: 'antenna', Banana: 'banana' });
  const [heard, ...others] = find({ index, ...SAID });
  assert.equal(others, []);
  assert.is(heard?.text, 'Antenna');
  assert.equal([heard?.from, heard?.to], [1, 3]);
  assert.ok(heard!.gain > 10);
});

test('it need not fit exactly, but must fit better than what was written, and not too badly', () => {
  const near = indexOf({ Antemna: 'antemna' });
  assert.equal(
    find({ index: near, ...SAID }).map(({ text }) => text),
    ['Antemna'],
  );
  assert.equal(find({ index: near, ...SAID, acceptance: { perPhone: -0.5 } }), []);
  // as written so heard
  assert.equal(
    find({ index: indexOf({ Annow: 'antow' }), heard: 'se.ant.now', words: ['▁see', '▁ant', '▁now'] }),
    [],
  );
});

test('short entries, and those that a common word sounds like, are not found so easily', () => {
  assert.equal(
    find({ index: indexOf({ Ante: 'ante' }), heard: 'se.ante.now', words: ['▁see', '▁an', '▁now'] }),
    [],
  );
  const said = { heard: 'se.antsu.now', words: ['▁see', '▁ant', '▁now'] };
  const acceptance = { margin: 0, marginPerConfusion: 20 };
  assert.is(find({ index: indexOf({ Antsu: 'antsu' }), ...said, acceptance }).length, 1);
  assert.is(find({ index: indexOf({ Antsu: 'antsu' }, 2), ...said, acceptance }).length, 0);
});

test('other evidence for an entry, or against it, counts as a better or a worse fit', () => {
  const said = { heard: 'se.antsu.now', words: ['▁see', '▁ant', '▁now'] };
  const index = indexOf({ Antsu: 'antsu' }, 1);
  const found = (ratio: number, margin: number): number =>
    find({
      index,
      ...said,
      acceptance: { margin, marginPerConfusion: 0 },
      evidence: { logRatio: () => ratio },
    }).length;
  const [{ gain }] = find({ index, ...said, acceptance: { margin: 0, marginPerConfusion: 0 } }) as [
    HeardEntity,
  ];
  assert.equal([found(0, gain - 1), found(-4, gain - 1)], [1, 0]);
  assert.equal([found(0, gain + 1), found(4, gain + 1)], [0, 1]);
});

test('the longer the list, the better an entry must fit', () => {
  const many = Object.fromEntries(
    Array.from({ length: 2000 }, (_, i) => [`x${i}`, `q${LETTERS[i % 26]}q${LETTERS[(i >> 5) % 26]}q`]),
  );
  const index = indexOf({ ...many, Antemna: 'antemna' });
  const acceptance = { perPhone: -0.7, perPhonePerDecade: 0.5 };
  assert.is(find({ index: indexOf({ Antemna: 'antemna' }), ...SAID, acceptance }).length, 1);
  assert.is(find({ index, ...SAID, acceptance }).length, 0);
});

test('words that are kept, that are part of an entry as they are spelled, or not complete are left alone', () => {
  const index = indexOf({ Antenna: 'antenna' });
  assert.equal(find({ index, ...SAID, kept: 3 }), []);
  const { graph } = PrefixGraph.build([{ text: 'an ant', weight: 1, soundsLike: [] }]);
  assert.equal(find({ index, ...SAID, graph }), []);
  const open = { heard: 'se.antenna', words: ['▁see', '▁an'] };
  assert.equal(find({ index, ...open, ended: false }), []);
  assert.is(find({ index, ...open }).length, 1);
});

test('a lookup that saw a list change answers as one that knew it from the begin', () => {
  const index = indexOf({ Banana: 'banana' });
  const lookup = new EntityLookup({ index, pieces: PIECES, pronounce: (word) => [labels(word)] });
  const look = (): string[] =>
    lookup
      .find(tokensOf(...SAID.words), rowsOf(SAID.heard), PrefixGraph.empty, { ended: true, kept: 0 })
      .map(({ text }) => text);
  assert.equal(look(), []);
  index.set({ text: 'Antenna', pronunciations: [labels('antenna')], confusability: 0 });
  assert.equal(look(), ['Antenna']);
  index.delete('Antenna');
  assert.equal(look(), []);
});

test('an index has what was set last, however often it changed', () => {
  const index = new SoundIndex();
  for (let round = 0; round < 5; round++) {
    for (const [text, phones] of [
      ['a', 'abcd'],
      ['b', 'bcde'],
      ['c', 'xyzx'],
    ] as const) {
      index.set({ text, pronunciations: [labels(phones)], confusability: round });
    }
    index.delete('b');
    index.delete('b');
  }
  assert.is(index.size, 2);
  const found = index.candidates([...labels('abcd')], 5);
  assert.equal(
    found.map(({ text, confusability }) => [text, confusability]),
    [['a', 4]],
  );
  index.clear();
  assert.equal(index.candidates([...labels('abcd')], 5), []);
});

test.run();
