import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { soundingEntry } from '../src/phonetics/entity-sounds.js';
import { GraphemeTable } from '../src/phonetics/graphemes.js';
import { Lexicon } from '../src/phonetics/lexicon.js';
import { PHONES, parsePhones } from '../src/phonetics/phones.js';
import { Pronouncer } from '../src/phonetics/pronouncer.js';
import { packageRoot } from '../src/util/package-root.js';

const test = suite('phonetics: graphemes');
const shipped = GraphemeTable.parse(
  readFileSync(join(packageRoot(), 'models', 'en-base', 'graphemes.tsv'), 'utf8'),
);

/** Edge, c-k, k-k, a-æ, t-t: "cat" and "kat" are one word by sound, the former twice as often. */
const SMALL = ['\t\t3\t1:2 2:1', 'c\tk\t2\t3:2', 'k\tk\t1\t3:1', 'a\tæ\t3\t4:3', 't\tt\t3\t0:3'].join('\n');

test('a table spells a sound in all its ways, the likeliest first, with what each is worth', () => {
  const [first, second, third] = GraphemeTable.parse(SMALL).spellings(parsePhones('kæt'), 3);
  assert.equal([first?.value, second?.value, third], ['cat', 'kat', undefined]);
  // discounted: (2 - .7) / 3 + rest * 2 / 12 and (1 - .7) / 3 + rest * 1 / 12 with a rest of 1.4 / 3
  const begin = (count: number): number => (count - 0.7) / 3 + ((1.4 / 3) * count) / 12;
  const behind = (count: number): number => Math.log((2 - 0.7) / 2 + ((0.7 / 2) * count) / 12);
  const kBehind = Math.log((1 - 0.7) / 1 + (0.7 * 3) / 12);
  const difference = Math.log(begin(2)) + behind(3) - Math.log(begin(1)) - kBehind;
  assert.ok(Math.abs(first!.logProb - second!.logProb - difference) < 1e-5);
});

test('letters and phones that the table lacks have no output', () => {
  const table = GraphemeTable.parse(SMALL);
  assert.equal(table.spellings(parsePhones('kit'), 3), []);
  assert.equal(table.pronunciations('dog', 3), []);
  assert.equal(table.pronunciations('', 3), []);
});

test('the shipped table reads and writes names by their sound', () => {
  const spelled = (phones: string): string[] =>
    shipped.spellings(parsePhones(phones), 4).map(({ value }) => value);
  assert.ok(spelled('ʃɪmænski').includes('shimansky'));
  assert.ok(spelled('nIt').includes('night') && spelled('nIt').includes('knight'));
  assert.is(shipped.pronunciations('phone', 1)[0]?.value.join(''), 'fOn');
});

test('every word of letters has a pronunciation, every sound a spelling, and the more are asked for the more begin alike', () => {
  const letters = fc.string({
    unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'),
    minLength: 1,
    maxLength: 12,
  });
  const phones = fc.array(fc.constantFrom(...PHONES), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(letters, phones, (word, sound) => {
      const spoken = shipped.pronunciations(word, 3);
      const written = shipped.spellings(sound, 3);
      assert.ok(spoken.length > 0 && written.length > 0);
      for (const guesses of [spoken, written]) {
        for (const [i, { logProb }] of guesses.entries()) {
          assert.ok(logProb < 0 && (i === 0 || logProb <= guesses[i - 1]!.logProb));
        }
      }
    }),
    { numRuns: 50 },
  );
});

const lexicon = Lexicon.fromBytes(new TextEncoder().encode('cat\tkæt\n'));
const pronouncer = new Pronouncer({ lexicon, graphemes: shipped });

test('an entry is also spelled by its sound, what the user gave first and what it is never twice', () => {
  const entry = { text: 'Szymanski Cat', weight: 1.5, soundsLike: ['shi cat'] };
  const { soundsLike, ...rest } = soundingEntry(entry, pronouncer);
  assert.equal(rest, { text: 'Szymanski Cat', weight: 1.5 });
  assert.is(soundsLike[0], 'shi cat');
  assert.is(soundsLike.length, 2);
  assert.ok(soundsLike.every((spelling) => spelling !== 'szymanski cat'));
  assert.is(new Set(soundsLike).size, soundsLike.length);
});

test('a spelling by sound that is made of listed words is none: those are meant when they are heard', () => {
  const listed = new Set(['shimansky', 'cat', 'szymanski']);
  const words = { isListed: (word: string) => listed.has(word), isCommon: () => false };
  const knowing = new Pronouncer({ lexicon, graphemes: shipped, words });
  const spelled = (text: string, by: Pronouncer): readonly string[] =>
    soundingEntry({ text, weight: 1, soundsLike: [] }, by).soundsLike;
  assert.equal(spelled('Szymanski', pronouncer), ['shimansky']);
  assert.equal(spelled('Szymanski', knowing).length, 1);
  assert.ok(!spelled('Szymanski', knowing).includes('shimansky'));
});

test('an entry without a spelling in letters stays as it is', () => {
  const entry = { text: '4711', weight: 1, soundsLike: ['forty seven'] };
  assert.is(soundingEntry(entry, pronouncer), entry);
});

test('a pronouncer forgets the words that were unused for the longest, and knows them again when asked', () => {
  const small = new Pronouncer({ lexicon, graphemes: shipped, maxWords: 2 });
  const first = small.labels('cat');
  assert.is(small.labels('cat'), first);
  small.labels('dog');
  assert.is(small.labels('cat'), first);
  small.labels('cow');
  small.labels('pig');
  assert.is.not(small.labels('cat'), first);
  assert.equal(small.labels('cat'), first);
});

test.run();
