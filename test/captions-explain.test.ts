import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { annotate } from '../src/biasing/annotate.js';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { CaptionBuilder } from '../src/captions/caption.js';
import { type ExplainedCaption, explain } from '../src/captions/explain.js';
import type { BiasGain } from '../src/decoder/explanation.js';
import type { DecodedToken } from '../src/decoder/hypothesis.js';

const test = suite('captions: explanations');
const PIECES = ['▁this', '▁is', '▁new', '▁york', '▁gil', 'bert', '▁bert', '▁you', '▁anna', '▁and', '▁the'];

/** Words with their frames, as `word@frame`; `+` continues the word before. */
function heard(text: string): DecodedToken[] {
  return text
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => {
      const [piece, frame] = part.split('@');
      const token = PIECES.indexOf(piece!.startsWith('+') ? piece!.slice(1) : `▁${piece}`);
      return { token, frame: Number(frame), logProb: -0.1 };
    });
}

function explained(
  entries: string[],
  biased: string,
  unbiased: string,
  gains: BiasGain[] = [],
): ExplainedCaption['words'] {
  const { graph } = PrefixGraph.build(entries.map((text) => ({ text, weight: 1, soundsLike: [] })));
  const tokens = heard(biased);
  const hypothesis = { tokens, score: 0, acoustic: 0, lm: 0, bias: 0, phonetic: 0 };
  const { words } = new CaptionBuilder(PIECES).final(hypothesis, (spellings) => annotate(spellings, graph));
  return explain(words, tokens, { gains, unbiased: heard(unbiased) }, PIECES).words;
}

const gain = (technique: string, from: number, to: number, value: number): BiasGain => ({
  technique,
  from,
  to,
  gain: value,
});

test('words outside entries that are the same without a list have nothing to explain', () => {
  assert.equal(explained(['Gil'], 'this@1 is@5', 'this@1 is@5'), [undefined, undefined]);
});

test("an entry's words say together what stood there, which technique gave most and what all gave", () => {
  const words = explained(['New York'], 'this@1 new@5 york@9 is@13', 'this@1 you@6 bert@8 is@13', [
    gain('adaptive', 1, 2, 2),
    gain('adaptive', 2, 3, 2.5),
    gain('unigram', 2, 3, 1),
    gain('adaptive', 3, 4, 7),
  ]);
  const both = { technique: 'adaptive', gain: 5.5, unbiased: 'you bert', changed: true };
  assert.equal(words, [undefined, both, both, undefined]);
});

test('an entry that would be heard anyway is no change', () => {
  assert.equal(explained(['Anna'], 'this@1 anna@5', 'this@2 anna@6', [gain('unigram', 1, 2, 0.5)]), [
    undefined,
    { technique: 'unigram', gain: 0.5, unbiased: 'anna', changed: false },
  ]);
});

test('a word that only stands beside an entry and came out otherwise is explained too', () => {
  assert.equal(explained(['Anna'], 'and@1 anna@5', 'you@1 the@5', [gain('adaptive', 1, 2, 3)]), [
    { unbiased: 'you', changed: true },
    { technique: 'adaptive', gain: 3, unbiased: 'the', changed: true },
  ]);
});

test('an entry in whose place nothing would stand says so; one more word goes to the nearest', () => {
  assert.equal(explained(['Anna'], 'this@1 anna@5 is@9', 'this@1 is@9'), [
    undefined,
    { unbiased: '', changed: true },
    undefined,
  ]);
  assert.equal(explained(['Gilbert'], 'this@1 gil@5 +bert@7 is@30', 'this@1 you@4 the@6 bert@8 is@30'), [
    undefined,
    { unbiased: 'you the bert', changed: true },
    undefined,
  ]);
});

test('the same word at another time is another word', () => {
  const [first, second] = explained(['Anna'], 'this@1 anna@40', 'this@1 anna@5');
  assert.is(first, undefined);
  assert.is(second?.changed, true);
});

test('an entry written in more words than were spelled is one place', () => {
  const words = explained(['New-York'], 'this@1 new@5 york@9', 'this@1 you@6 bert@8');
  assert.equal(words, [undefined, { unbiased: 'you bert', changed: true }]);
});

test('the same entry twice in a row is explained twice', () => {
  const words = explained(['Anna'], 'anna@1 anna@9', 'and@1 anna@9');
  assert.equal(
    words.map((word) => word?.unbiased),
    ['and', 'anna'],
  );
});

test('whether the text would be another one is told also where only words are gone', () => {
  const { graph } = PrefixGraph.build([]);
  const tokens = heard('this@1 is@9');
  const hypothesis = { tokens, score: 0, acoustic: 0, lm: 0, bias: 0, phonetic: 0 };
  const { words } = new CaptionBuilder(PIECES).final(hypothesis, (spellings) => annotate(spellings, graph));
  const changed = (unbiased: string): boolean =>
    explain(words, tokens, { gains: [], unbiased: heard(unbiased) }, PIECES).changed;
  assert.is(changed('this@1 the@5 is@9'), true);
  assert.is(changed('this@2 is@9'), false);
  assert.is(changed(''), true);
});

test.run();
