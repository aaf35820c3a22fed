import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explainRejection, normaliseEntry } from '../src/biasing/normalise.js';

const test = suite('biasing: normalise');

test('entries are spelled in lower case, without diacritics, with single spaces', () => {
  const cases: Record<string, string> = {
    Kubernetes: 'kubernetes',
    '  San   José ': 'san jose',
    Łódź: 'lodz',
    Straße: 'strasse',
    'Ærø Øystein': 'aero oystein',
    'O’Brien': "o'brien",
    'Jean-Luc': 'jean luc',
    'U.S.A.': 'u s a',
    'AT&T': 'at and t',
    'Lexigate™': 'lexigate',
    '‘Quoted’': 'quoted',
    "the Joneses'": "the joneses'",
    'Đặng Thị': 'dang thi',
    ﬁnch: 'finch',
    İzmir: 'izmir',
    'soft\u00adhyphen': 'softhyphen',
    "l'Hôpital": "l'hopital",
  };
  for (const [text, spelling] of Object.entries(cases)) assert.is(normaliseEntry(text), spelling, text);
});

test('what has no spelling is refused with a reason that names it and says what to do', () => {
  const cases: [string, RegExp][] = [
    ['B2B', /digit "2".*numbers as words.*sounds-like/],
    ['東京', /"東".*sounds-like/],
    ['I ❤ tests', /"❤".*word that is spoken/],
    ['50%', /digit "5"/],
    ['sales@example', /"@"/],
    ['C++', /"\+"/],
    ['', /no letters/],
    ['---', /no letters/],
    ['Москва', /"м".*a to z/],
  ];
  for (const [text, reason] of cases) {
    assert.is(normaliseEntry(text), undefined, text);
    assert.match(explainRejection(text), reason);
  }
});

test('a spelling is its own spelling', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (text) => {
      const spelling = normaliseEntry(text);
      if (spelling === undefined) return;
      assert.match(spelling, /^[a-z']+( [a-z']+)*$/);
      assert.is(normaliseEntry(spelling), spelling);
    }),
    { numRuns: 2000 },
  );
});

test.run();
