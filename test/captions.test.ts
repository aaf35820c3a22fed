import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { annotate } from '../src/biasing/annotate.js';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { type Annotator, CaptionBuilder, textOf } from '../src/captions/caption.js';
import type { Hypothesis } from '../src/decoder/hypothesis.js';
import { spelledWords } from '../src/decoder/words.js';

const PIECES = ['▁san', '▁jo', 'se', '▁', 'a', '▁the', '▁new', '▁york', '▁city', '▁win', "'", 's'];

/** A hypothesis of pieces, one every second frame from frame 10 on. */
function hypothesis(...pieces: string[]): Hypothesis {
  const tokens = pieces.map((piece, i) => ({
    token: PIECES.indexOf(piece),
    frame: 10 + 2 * i,
    logProb: Math.log(0.5),
  }));
  return { tokens, score: 0, acoustic: 0, lm: 0, bias: 0, phonetic: 0 };
}

function annotator(...entries: { text: string; soundsLike?: string[] }[]): Annotator {
  const { graph } = PrefixGraph.build(
    entries.map(({ text, soundsLike = [] }) => ({ text, weight: 1, soundsLike })),
  );
  return (spellings) => annotate(spellings, graph);
}

const none = annotator();

test('pieces become words with the frames from their first piece to behind their last', () => {
  const words = spelledWords(hypothesis('▁san', '▁jo', 'se').tokens, PIECES);
  assert.equal(
    words.map(({ spelling, from, to, token }) => ({ spelling, from, to, token })),
    [
      { spelling: 'san', from: 10, to: 11, token: 0 },
      { spelling: 'jose', from: 12, to: 15, token: 1 },
    ],
  );
  assert.ok(Math.abs(words[1]!.confidence - 0.5) < 1e-9);
});

test('a lone word mark without letters is no word', () => {
  const words = spelledWords(hypothesis('▁the', '▁', '▁', 'a').tokens, PIECES);
  assert.equal(
    words.map(({ spelling }) => spelling),
    ['the', 'a'],
  );
});

test('an entry is written as it was given, over the words that spell it', () => {
  const { words } = new CaptionBuilder(PIECES).final(
    hypothesis('▁the', '▁san', '▁jo', 'se'),
    annotator({ text: 'San José' }),
  );
  assert.is(textOf(words), 'the San José');
  assert.equal(
    words.map(({ entity }) => entity),
    [undefined, 'San José', 'San José'],
  );
});

test('an entry that sounds like something else is one word over the stretch that sounded so', () => {
  const { words } = new CaptionBuilder(PIECES).final(
    hypothesis('▁the', '▁win', '▁san'),
    annotator({ text: 'Nguyen', soundsLike: ['win san'] }),
  );
  assert.equal(words.at(-1), {
    text: 'Nguyen',
    from: 12,
    to: 15,
    confidence: words.at(-1)!.confidence,
    entity: 'Nguyen',
    span: { from: 1, to: 3, text: 'Nguyen', weight: 1, suffix: '' },
    spelled: 2,
  });
});

test('an entry keeps its written form before an apostrophe and s', () => {
  const { words } = new CaptionBuilder(PIECES).final(
    hypothesis('▁san', '▁jo', 'se', "'", 's', '▁the'),
    annotator({ text: 'San José' }),
  );
  assert.is(textOf(words), "San José's the");
});

test('of nested entries the longest is written', () => {
  const both = annotator({ text: 'New York' }, { text: 'New York City' });
  const builder = new CaptionBuilder(PIECES);
  assert.is(textOf(builder.final(hypothesis('▁new', '▁york', '▁city'), both).words), 'New York City');
  assert.is(textOf(builder.final(hypothesis('▁new', '▁york', '▁the'), both).words), 'New York the');
});

test('a word is committed once the next has begun in every hypothesis', () => {
  const builder = new CaptionBuilder(PIECES);
  assert.is(builder.partial(hypothesis('▁the', '▁jo'), 1, none).committed, 0);
  assert.is(builder.partial(hypothesis('▁the', '▁jo'), 2, none).committed, 1);
  assert.is(builder.partial(hypothesis('▁the', '▁jo', 'se'), 3, none).committed, 1);
});

test('words that a longer entry might take in are held back, and let go when it does not come', () => {
  const list = annotator({ text: 'San José' });
  const builder = new CaptionBuilder(PIECES);
  assert.is(builder.partial(hypothesis('▁the', '▁san', '▁'), 3, list).committed, 1);
  assert.is(builder.partial(hypothesis('▁the', '▁san', '▁city', '▁the'), 4, list).committed, 3);
});

test('what is committed stays to the letter when the list changes', () => {
  const builder = new CaptionBuilder(PIECES);
  const spoken = ['▁san', '▁jo', 'se', '▁the'];
  const before = builder.partial(hypothesis(...spoken), 4, none);
  assert.is(before.committed, 2);
  const after = builder.partial(
    hypothesis(...spoken, '▁san', '▁jo', 'se'),
    4,
    annotator({ text: 'San José' }),
  );
  assert.is(textOf(after.words), 'san jose the San José');
  const last = builder.final(hypothesis(...spoken, '▁city'), annotator({ text: 'San José' }));
  assert.is(textOf(last.words), 'san jose the city');
});

test('a final ends the segment: the next one begins with nothing committed', () => {
  const builder = new CaptionBuilder(PIECES);
  builder.partial(hypothesis('▁the', '▁san'), 2, none);
  builder.final(hypothesis('▁the', '▁san'), none);
  assert.equal(builder.partial(hypothesis('▁new'), 1, none), {
    words: [{ text: 'new', from: 10, to: 11, confidence: 0.5, spelled: 1 }],
    committed: 0,
  });
});

test.run();
