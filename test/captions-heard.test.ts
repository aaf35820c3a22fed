import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { annotate } from '../src/biasing/annotate.js';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { type Annotator, CaptionBuilder, textOf } from '../src/captions/caption.js';
import { explain } from '../src/captions/explain.js';
import { addHeard } from '../src/captions/heard.js';
import type { HeardEntity } from '../src/decoder/entity-lookup.js';
import type { Hypothesis } from '../src/decoder/hypothesis.js';

const test = suite('captions: heard entries');
const PIECES = ['▁ask', '▁dora', '▁tour', 'sin', '▁of', '▁now'];

function hypothesis(...pieces: string[]): Hypothesis {
  const tokens = pieces.map((piece, i) => ({ token: PIECES.indexOf(piece), frame: 2 * i, logProb: -0.5 }));
  return { tokens, score: 0, acoustic: 0, lm: 0, bias: 0, phonetic: 0 };
}

const SAID = hypothesis('▁ask', '▁dora', '▁tour', 'sin', '▁of', '▁now');
const TURCINOV: HeardEntity = { from: 2, to: 5, text: 'Turcinov', gain: 12 };

function annotator(heard: readonly HeardEntity[], ...spelled: string[]): Annotator {
  const { graph } = PrefixGraph.build(spelled.map((text) => ({ text, weight: 1, soundsLike: [] })));
  return (spellings, words) => addHeard(annotate(spellings, graph), words, heard);
}

test('an entry that was heard is written in the place of the words, over their time', () => {
  const { words } = new CaptionBuilder(PIECES).final(SAID, annotator([TURCINOV], 'Dora'));
  assert.is(textOf(words), 'ask Dora Turcinov now');
  const [, , written] = words;
  assert.equal([written?.from, written?.to, written?.entity, written?.spelled], [4, 9, 'Turcinov', 2]);
});

test('an entry that the words spell comes before one that was heard', () => {
  const { words } = new CaptionBuilder(PIECES).final(SAID, annotator([TURCINOV], 'Toursin'));
  assert.is(textOf(words), 'ask dora Toursin of now');
});

test('the words of an entry that was heard are committed together or not at all', () => {
  const builder = new CaptionBuilder(PIECES);
  const before = builder.partial(SAID, 5, annotator([TURCINOV]));
  assert.equal([textOf(before.words), before.committed], ['ask dora Turcinov now', 2]);
  const then = builder.partial(SAID, 6, annotator([TURCINOV]));
  assert.is(textOf(then.words), 'ask dora Turcinov now');
  assert.is(textOf(builder.final(SAID, annotator([TURCINOV])).words), 'ask dora Turcinov now');
});

test('what is committed stays when an entry is heard there later', () => {
  const builder = new CaptionBuilder(PIECES);
  assert.is(builder.partial(SAID, 6, annotator([])).committed, 4);
  assert.is(textOf(builder.final(SAID, annotator([TURCINOV])).words), 'ask dora toursin of now');
});

test('a word that was heard is explained as changed, by the technique that found it', () => {
  const { words } = new CaptionBuilder(PIECES).final(SAID, annotator([TURCINOV]));
  const gains = [{ technique: 'lexicon', from: 2, to: 5, gain: 12 }];
  const explained = explain(words, SAID.tokens, { gains, unbiased: SAID.tokens }, PIECES);
  assert.is(explained.changed, true);
  assert.equal(explained.words[2], { technique: 'lexicon', gain: 12, unbiased: 'toursin of', changed: true });
  assert.equal(explained.words[0], undefined);
});

test.run();
