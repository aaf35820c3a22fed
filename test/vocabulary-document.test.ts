import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { normaliseEntry } from '../src/biasing/normalise.js';
import { Vocabulary } from '../src/biasing/vocabulary.js';
import { toKeyterm } from '../src/compat/deepgram-keyterms.js';
import { parseVocabulary } from '../src/page/vocabulary-text.js';
import { packageRoot } from '../src/util/package-root.js';

const test = suite('vocabulary guide');
const document = readFileSync(join(packageRoot(), 'docs', 'vocabulary.md'), 'utf8');

test('the same entry is read in each of the ways that the guide shows', () => {
  const [, native] = /(\{ "text": "Nguyen".*?\})`/.exec(document)!;
  const entry = JSON.parse(native!) as { text: string; weight: number; soundsLike: string[] };
  const [, line] = /`(Nguyen \\\| .*?)`/.exec(document)!;
  assert.equal(parseVocabulary(line!.replaceAll('\\|', '|')).entries, [entry]);
  const [, keyterm] = /`keyterm=(.*?)`/.exec(document)!;
  const { text, weight } = toKeyterm(keyterm!).entry as { text: string; weight?: number };
  assert.equal({ text, weight }, { text: entry.text, weight: entry.weight });
});

test('what the guide says of accents, digits and spellings is so', () => {
  const [, written, heard] = /`(Zoë[^`]*)` is heard as "([^"]*)"/.exec(document)!;
  assert.is(normaliseEntry(written!), heard!.replace('\n', ' '));
  const [, text, soundsLike] = /write `(\w+)` as an entry with `soundsLike: (\[.*?\])`/.exec(document)!;
  const empty = Vocabulary.empty({ maxEntries: 10, maxLength: 100 });
  const digits = { text: text!, weight: 1, soundsLike: [] };
  assert.is(empty.replace([digits]).rejected.length, 1);
  const spelled = { ...digits, soundsLike: JSON.parse(soundsLike!) as string[] };
  assert.equal(empty.replace([spelled]).rejected, []);
});

test.run();
