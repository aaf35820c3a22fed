import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { align } from '../src/evaluation/alignment.js';
import { TermFinder } from '../src/evaluation/occurrences.js';
import { add, rates, score } from '../src/evaluation/score.js';
import { normaliseText } from '../src/evaluation/text.js';
import { packageRoot } from '../src/util/package-root.js';

const test = suite('evaluation: scoring');
const words = (text: string): string[] => (text === '' ? [] : text.split(' '));
const count = (
  reference: string,
  hypothesis: string,
  entities: string[] = [],
  distractors: string[] = [],
): ReturnType<typeof score> => score(words(reference), words(hypothesis), { entities, distractors });

interface WerFixture {
  readonly wer: number;
  readonly pairs: readonly { reference: string; hypothesis: string; wer: number; errors: number }[];
}

const fixture = JSON.parse(
  readFileSync(join(packageRoot(), 'test', 'fixtures', 'evaluation', 'wer.json'), 'utf8'),
) as WerFixture;

test('word error rates equal those of jiwer, pair by pair and together', () => {
  assert.ok(fixture.pairs.length >= 20);
  const all = fixture.pairs.map(({ reference, hypothesis, wer, errors }) => {
    const counts = count(reference, hypothesis);
    assert.is(counts.unbiasedErrors, errors, `${reference} / ${hypothesis}`);
    assert.ok(Math.abs(rates(counts).wer - wer) < 1e-12, `${reference} / ${hypothesis}`);
    return counts;
  });
  assert.ok(Math.abs(rates(add(all)).wer - fixture.wer) < 1e-12);
});

const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 7 });

test('an alignment covers both texts in order, and no shorter edit exists', () => {
  fc.assert(
    fc.property(text, text, (reference, hypothesis) => {
      const steps = align(reference, hypothesis);
      const refs = steps.flatMap((step) => ('ref' in step ? [step.ref] : []));
      const hyps = steps.flatMap((step) => ('hyp' in step ? [step.hyp] : []));
      assert.equal(refs, [...reference.keys()]);
      assert.equal(hyps, [...hypothesis.keys()]);
      for (const step of steps) {
        if (step.type === 'match') assert.is(reference[step.ref], hypothesis[step.hyp]);
        if (step.type === 'substitution') assert.is.not(reference[step.ref], hypothesis[step.hyp]);
      }
      assert.is(steps.filter(({ type }) => type !== 'match').length, distance(reference, hypothesis));
    }),
  );
});

/** Levenshtein's distance by its recursive definition. */
function distance(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return a.length + b.length;
  if (a[0] === b[0]) return distance(a.slice(1), b.slice(1));
  return 1 + Math.min(distance(a.slice(1), b.slice(1)), distance(a.slice(1), b), distance(a, b.slice(1)));
}

test('among alignments of the same distance the one with more matches is taken', () => {
  const types = align(words('x the'), words('the y')).map(({ type }) => type);
  assert.equal(types, ['deletion', 'match', 'insertion']);
});

test('biased and unbiased errors and words add up to all of them, whatever the list', () => {
  fc.assert(
    fc.property(text, text, fc.array(text), (reference, hypothesis, lists) => {
      const entities = lists.filter((list) => list.length > 0).map((list) => list.join(' '));
      const counts = score(reference, hypothesis, { entities, distractors: [] });
      assert.is(counts.biasedWords + counts.unbiasedWords, reference.length);
      assert.is(counts.biasedErrors + counts.unbiasedErrors, distance(reference, hypothesis));
      const said = new TermFinder(entities).find(reference).length;
      assert.is(counts.truePositives + counts.falseNegatives, said);
    }),
  );
});

test('a text recognised without error has recall and precision 1 and no error', () => {
  fc.assert(
    fc.property(text, fc.array(text, { minLength: 1 }), (reference, lists) => {
      const entities = lists.filter((list) => list.length > 0).map((list) => list.join(' '));
      const counts = score(reference, reference, { entities, distractors: [] });
      assert.is(counts.falsePositives + counts.falseNegatives, 0);
      assert.is(counts.biasedErrors + counts.unbiasedErrors, 0);
    }),
  );
});

test('errors on the words of an entity are biased, those beside it are not', () => {
  const counts = count('call gilberto duque now', 'call gilbert duke no', ['gilberto duque']);
  assert.equal(
    [counts.biasedWords, counts.biasedErrors, counts.unbiasedWords, counts.unbiasedErrors],
    [2, 2, 2, 1],
  );
});

test('an entity word elsewhere in the reference is an ordinary word', () => {
  const counts = count('the duque and gilberto duque', 'the duke and gilberto duque', ['gilberto duque']);
  assert.equal([counts.biasedErrors, counts.unbiasedErrors], [0, 1]);
});

test('an inserted word of an own entity is a biased error, an inserted distractor is not', () => {
  const own = count('say lisinopril', 'say lisinopril lisinopril', ['lisinopril'], ['naproxen']);
  assert.equal([own.biasedErrors, own.unbiasedErrors], [1, 0]);
  const other = count('say lisinopril', 'say lisinopril naproxen', ['lisinopril'], ['naproxen']);
  assert.equal([other.biasedErrors, other.unbiasedErrors], [0, 1]);
});

test('an entity counts as found only where all its words stand side by side', () => {
  const found = (hypothesis: string): number =>
    count('in new york today', hypothesis, ['new york']).truePositives;
  assert.is(found('in new york today'), 1);
  assert.is(found('new york'), 1);
  assert.is(found('in new big york today'), 0);
  assert.is(found('in new yorker today'), 0);
});

test('a listed term that was heard and not said is a false positive', () => {
  const counts = count('he took an aspirin', 'he took naproxen', ['aspirin'], ['naproxen']);
  assert.equal([counts.truePositives, counts.falsePositives, counts.falseNegatives], [0, 1, 1]);
});

test('an entity that is heard a second time where it was not said is a false positive', () => {
  const counts = count('anna met him', 'anna met anna', ['anna']);
  assert.equal([counts.truePositives, counts.falsePositives, counts.falseNegatives], [1, 1, 0]);
});

test('the longest of several listed terms is the one that stands in a text', () => {
  const finder = new TermFinder(['new', 'new york', 'new york city', 'city']);
  const found = finder.find(words('new york city new york city'.replace('city new', 'new')));
  assert.equal(
    found.map(({ term, from, to }) => [term, from, to]),
    [
      ['new york', 0, 2],
      ['new york city', 2, 5],
    ],
  );
});

test('rates are fractions of the sums, and nothing of nothing is 0', () => {
  const figures = rates(
    add([
      count('a b c d', 'a b c d', ['a']),
      count('a b', 'x y', ['a']),
      count('c d', 'c d a', ['d'], ['a']),
    ]),
  );
  assert.is(figures.wer, 3 / 8);
  assert.is(figures.bWer, 1 / 3);
  assert.is(figures.uWer, 2 / 5);
  assert.is(figures.precision, 2 / 3);
  assert.is(figures.recall, 2 / 3);
  assert.ok(Math.abs(figures.f1 - 2 / 3) < 1e-12);
  assert.equal(new Set(Object.values(rates(add([])))), new Set([0]));
});

test('texts are scored in lower case, without diacritics and punctuation, apostrophes kept', () => {
  assert.is(normaliseText('  Señor Müller,  don’t “go” — yet! '), "senor muller don't go yet");
  assert.is(normaliseText('Well-known O’Brien'), "well known o'brien");
});

test('what the alphabet lacks stays and counts, so that it is not silently dropped', () => {
  assert.is(normaliseText('Room 42, 50%'), 'room 42 50');
});

test.run();
