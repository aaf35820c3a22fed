import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Lexicon } from '../src/phonetics/lexicon.js';
import {
  ARPABET,
  FOLDED,
  fromArpabet,
  headPhones,
  isVowel,
  PHONES,
  parsePhones,
} from '../src/phonetics/phones.js';
import { packageRoot } from '../src/util/package-root.js';

const file = (...path: string[]): string => join(packageRoot(), ...path);
const shippedFile = file('models', 'en-base', 'lexicon.tsv.gz');

test('the inventory is the one that training uses', () => {
  const table = JSON.parse(readFileSync(file('training', 'language', 'phones.json'), 'utf8'));
  assert.equal([...PHONES], table.phones);
  assert.equal({ ...FOLDED }, table.fold);
  assert.equal({ ...ARPABET }, table.fromArpabet);
});

test('every symbol of the shipped phone head has a phone, and only the blank has none', () => {
  const head = file('models', 'en-base', 'phones.json');
  const symbols: string[] = JSON.parse(readFileSync(head, 'utf8')).phones;
  const phones = headPhones(symbols);
  for (const [index, symbol] of symbols.entries()) assert.is(phones[index] === -1, symbol === '', symbol);
  assert.is(new Set(phones).size, PHONES.length + 1);
});

test("CMU phones become the head's phones, by stress where that decides", () => {
  assert.is(fromArpabet(['B', 'AH1', 'T', 'ER0']).join(''), 'bʌtəɹ');
  assert.is(fromArpabet(['AH0', 'B', 'AW1', 'T']).join(''), 'əbWt');
  assert.is(fromArpabet(['B', 'ER', 'D']).join(''), 'bɜɹd');
  assert.throws(() => fromArpabet(['B', 'XX']), /no CMU phone: XX/);
});

test("a synthesiser's spelling folds to the dictionary's phones", () => {
  assert.is(parsePhones('bˈʌTəɹ').join(''), 'bʌtəɹ');
  assert.is(parsePhones('lˈɪTᵊl').join(''), fromArpabet(['L', 'IH1', 'T', 'AH0', 'L']).join(''));
  assert.ok(isVowel('ə') && isVowel('A') && !isVowel('θ') && !isVowel('b'));
});

const SMALL = 'a\tə A\nan\tæn ən\nandes\tændiz\nant\tænt\nand\tænd ənd\nz\tzi\n';
const sorted = `${SMALL.trim().split('\n').sort().join('\n')}\n`;

test('a lexicon finds its first, middle and last word, packed or not, and no word between', () => {
  for (const bytes of [Buffer.from(sorted), gzipSync(sorted)]) {
    const lexicon = Lexicon.fromBytes(bytes);
    const spoken = (word: string): string =>
      lexicon
        .pronunciations(word)
        .map((p) => p.join(''))
        .join(' ');
    for (const line of SMALL.trim().split('\n')) {
      const [word, phones] = line.split('\t');
      assert.is(spoken(word!), phones);
    }
    for (const word of ['', 'ande', 'anders', 'b', "'", 'zz', 'A']) {
      assert.is(lexicon.has(word), false, word);
      assert.equal(lexicon.pronunciations(word), []);
    }
  }
});

test('a lexicon reads from memory that threads share', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(Buffer.byteLength(sorted)));
  shared.set(Buffer.from(sorted));
  assert.equal(
    Lexicon.fromBytes(shared)
      .pronunciations('and')
      .map((p) => p.join('')),
    ['ænd', 'ənd'],
  );
});

test('the shipped lexicon knows common words, names and their variants, every word of it once and in order', () => {
  const lexicon = Lexicon.fromBytes(readFileSync(shippedFile));
  const spoken = (word: string): string[] => lexicon.pronunciations(word).map((p) => p.join(''));
  assert.equal(spoken('tomato'), ['təmAtO', 'təmɑtO']);
  assert.equal(spoken('johnson'), ['ʤɑnsən']);
  assert.equal(spoken("o'brien"), ['ObɹIɪn']);
  assert.equal(spoken('lexigate'), []);
  const words = Buffer.from(lexicon.bytes)
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t')[0]!);
  assert.ok(words.length > 120_000);
  for (let i = 1; i < words.length; i++) assert.ok(words[i - 1]! < words[i]!, `${words[i - 1]} ${words[i]}`);
  for (let i = 0; i < words.length; i += 97) assert.ok(lexicon.has(words[i]!), words[i]);
});

test.run();
