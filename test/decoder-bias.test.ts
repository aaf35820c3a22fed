import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PieceTable } from '../src/biasing/alphabet.js';
import type { VocabularyEntry } from '../src/biasing/entry.js';
import { replayBias } from '../src/biasing/match.js';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { BeamDecoder, type BeamDecoderOptions } from '../src/decoder/beam.js';
import type { Hypothesis } from '../src/decoder/hypothesis.js';
import { entry, SMALL_PIECES, smallEntries } from './biasing-support.js';
import { randomRows, rowsOf } from './decoder-support.js';

const test = suite('decoder: bias');
const BLANK = SMALL_PIECES.length;
const WIDTH = SMALL_PIECES.length + 1;
const OPEN = { beamThreshold: Infinity, tokenThreshold: Infinity, maxTokens: SMALL_PIECES.length };
const graphOf = (entries: readonly VocabularyEntry[]): PrefixGraph => PrefixGraph.build(entries).graph;
const tokensOf = ({ tokens }: Hypothesis): number[] => tokens.map(({ token }) => token);
const close = (actual: number, expected: number, what = ''): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${what}: ${actual} instead of ${expected}`);

function decoderOf(options: Partial<BeamDecoderOptions> = {}): BeamDecoder {
  return new BeamDecoder({ pieces: SMALL_PIECES, blank: BLANK, beam: 8, ...options });
}

/** Every live hypothesis, by its tokens. */
function live(decoder: BeamDecoder): Map<string, Hypothesis> {
  return new Map(decoder.nBest(10_000).map((hypothesis) => [tokensOf(hypothesis).join(' '), hypothesis]));
}

const rowsCase = fc.record({
  seed: fc.integer(),
  frames: fc.integer({ min: 1, max: 40 }),
  sharpness: fc.constantFrom(3, 8, 16),
});

test('the bias computed step by step is that of a replay from the begin', () => {
  const table = new PieceTable(SMALL_PIECES);
  fc.assert(
    fc.property(rowsCase, smallEntries, ({ seed, frames, sharpness }, entries) => {
      const graph = graphOf(entries);
      // without the adaptive part the gains are known from the tokens alone
      const decoder = decoderOf({ bias: { base: 0.5, lambda: 0, toll: 0.7, freeEntries: 2 } });
      const toll = 0.7 * Math.max(0, Math.log10(graph.entries / 2));
      decoder.setGraph(graph);
      const rows = randomRows(seed, frames, WIDTH, sharpness);
      for (let frame = 0; frame < frames; frame++) {
        decoder.push(rows.subarray(frame * WIDTH), 1);
        for (const hypothesis of decoder.nBest(8)) {
          const tokens = tokensOf(hypothesis);
          const gains = tokens.map((token) => 0.5 * table.length(token));
          close(hypothesis.bias, replayBias(graph, table, tokens, gains, toll).value, 'live');
        }
      }
      for (const hypothesis of decoder.finish(8)) {
        const tokens = tokensOf(hypothesis);
        const gains = tokens.map((token) => 0.5 * table.length(token));
        close(hypothesis.bias, replayBias(graph, table, tokens, gains, toll).finalValue, 'finished');
      }
    }),
    { numRuns: 300 },
  );
});

test('a list that comes in the middle scores every hypothesis as if it had always been there', () => {
  fc.assert(
    fc.property(
      rowsCase,
      fc.array(smallEntries, { minLength: 1, maxLength: 3 }),
      ({ seed, sharpness }, lists) => {
        // all sequences stay alive, so both decoders hold the same ones
        const options = { beam: 3000, ...OPEN, bias: { base: 0.4, lambda: 0.7, gapCap: 5, biasGap: 100 } };
        const rows = randomRows(seed, 3, WIDTH, sharpness);
        const changing = decoderOf(options);
        const constant = decoderOf(options);
        constant.setGraph(graphOf(lists.at(-1)!));
        constant.push(rows, 3);
        for (let frame = 0; frame < 3; frame++) {
          changing.setGraph(graphOf(lists[Math.min(frame, lists.length - 1)]!));
          changing.push(rows.subarray(frame * WIDTH), 1);
        }
        changing.setGraph(PrefixGraph.empty);
        changing.setGraph(graphOf(lists.at(-1)!));
        const expected = live(constant);
        const found = live(changing);
        assert.is(found.size, expected.size);
        for (const [key, { bias, score, acoustic }] of found) {
          close(bias, expected.get(key)!.bias, `bias of ${key}`);
          close(acoustic, expected.get(key)!.acoustic, `acoustic of ${key}`);
          close(score, expected.get(key)!.score, `score of ${key}`);
        }
      },
    ),
    { numRuns: 25 },
  );
});

test('after a removal scores are those of a decoder that never had the entry', () => {
  fc.assert(
    fc.property(rowsCase, smallEntries, smallEntries, ({ seed, frames, sharpness }, kept, removed) => {
      const decoder = decoderOf({ bias: { base: 0.5, lambda: 0 } });
      const never = decoderOf({ bias: { base: 0.5, lambda: 0 }, beam: 8 });
      const rows = randomRows(seed, frames, WIDTH, sharpness);
      decoder.setGraph(graphOf([...kept, ...removed]));
      decoder.push(rows, frames);
      never.setGraph(graphOf(kept));
      never.push(rows, frames);
      decoder.setGraph(graphOf(kept));
      const expected = live(never);
      for (const [key, hypothesis] of live(decoder)) {
        const other = expected.get(key);
        if (other !== undefined) close(hypothesis.bias, other.bias, key);
      }
      decoder.setGraph(PrefixGraph.empty);
      for (const hypothesis of decoder.nBest(8)) {
        assert.is(hypothesis.bias, 0);
        assert.is(hypothesis.score, hypothesis.acoustic);
      }
      const scores = decoder.nBest(8).map(({ score }) => score);
      assert.equal(
        scores,
        scores.toSorted((a, b) => b - a),
      );
    }),
  );
});

test('the acoustic score never contains bias: it is that of a decoder without entries', () => {
  fc.assert(
    fc.property(rowsCase, smallEntries, ({ seed, sharpness }, entries) => {
      const options = { beam: 3000, ...OPEN };
      const rows = randomRows(seed, 3, WIDTH, sharpness);
      const biased = decoderOf(options);
      const plain = decoderOf(options);
      biased.setGraph(graphOf(entries));
      biased.push(rows, 3);
      plain.push(rows, 3);
      const expected = live(plain);
      for (const [key, { acoustic }] of live(biased)) close(acoustic, expected.get(key)!.acoustic, key);
    }),
    { numRuns: 25 },
  );
});

const NAME_PIECES = [
  '▁my',
  '▁an',
  '▁and',
  'na',
  'ya',
  '▁is',
  '▁the',
  's',
  "'",
  '▁a',
  '<unk>',
  'bel',
  '▁name',
];
const piece = (text: string): number => NAME_PIECES.indexOf(text);
const NAME_BLANK = NAME_PIECES.length;
const NAME_WIDTH = NAME_PIECES.length + 1;
const nameRows = (...frames: Record<string, number>[]): Float32Array =>
  rowsOf(
    frames.map((frame) =>
      Object.fromEntries(
        Object.entries(frame).map(([text, logProb]) => [text === '' ? NAME_BLANK : piece(text), logProb]),
      ),
    ),
    NAME_WIDTH,
  );
const nameDecoder = (options: Partial<BeamDecoderOptions> = {}): BeamDecoder =>
  new BeamDecoder({
    pieces: NAME_PIECES,
    blank: NAME_BLANK,
    bias: { base: 0.5, lambda: 0.5, gapCap: 6, biasGap: 8 },
    ...options,
  });
const textOf = (hypothesis: Hypothesis): string =>
  tokensOf(hypothesis)
    .map((token) => NAME_PIECES[token])
    .join('');

test('an entry that acoustic pruning would have lost is found (bias comes before pruning)', () => {
  const rows = nameRows(
    { '▁my': -0.1 },
    { '': -0.1 },
    { '▁an': -0.3, '▁and': -1.5 },
    { ya: -0.1, na: -3 },
    { '': -0.1 },
  );
  const options = { tokenThreshold: 1, maxTokens: 1 };
  const plain = nameDecoder(options);
  plain.push(rows, 5);
  assert.is(textOf(plain.best()), '▁my▁anya');
  const biased = nameDecoder(options);
  biased.setGraph(graphOf([entry('Anna')]));
  biased.push(rows, 5);
  assert.is(textOf(biased.best()), '▁my▁anna');
});

test('a gain is counted once and adapts to the distance from the best symbol', () => {
  const decoder = nameDecoder();
  decoder.setGraph(graphOf([entry('Anna')]));
  decoder.push(nameRows({ '▁an': -0.25 }, { ya: -0.25, na: -1.75 }, { '': 0 }), 3);
  const anna = decoder.finish(8).find((hypothesis) => textOf(hypothesis) === '▁anna')!;
  // five symbols at .5, and .5 of the distance of 1.5
  close(anna.bias, 5 * 0.5 + 0.5 * 1.5);
  close(anna.acoustic, -0.25 - 1.75);
  close(anna.score, anna.acoustic + anna.bias);
});

test('the distance that counts is the smallest over the frames in which a token could have come', () => {
  const biasOf = (...frames: Record<string, number>[]): number => {
    const decoder = nameDecoder();
    decoder.setGraph(graphOf([entry('Anna')]));
    decoder.push(nameRows(...frames), frames.length);
    return decoder.nBest(16).find((hypothesis) => textOf(hypothesis) === '▁an')!.bias;
  };
  close(biasOf({ '': -0.25, '▁an': -2.25 }), 3 * 0.5 + 0.5 * 2);
  close(biasOf({ '': -0.25, '▁an': -2.25 }, { '▁an': -0.1 }), 3 * 0.5);
  close(biasOf({ '▁an': -0.1 }, { '': -0.25, '▁an': -2.25 }), 3 * 0.5);
});

test('an entry is begun also with a piece that acoustic pruning would have lost', () => {
  const options = { tokenThreshold: 1, maxTokens: 1 };
  const rows = nameRows({ '▁my': -0.1 }, { '▁the': -0.3, '▁an': -1.5 }, { na: -0.1 }, { '': -0.1 });
  const decoder = nameDecoder(options);
  decoder.setGraph(graphOf([entry('Anna')]));
  decoder.push(rows, 4);
  assert.is(textOf(decoder.best()), '▁my▁anna');
});

test('the longer the list, the more a match must earn before it counts', () => {
  const biasAmong = (others: number): number => {
    const decoder = nameDecoder({ bias: { base: 0.5, lambda: 0, toll: 0.75, freeEntries: 10 } });
    const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
    const list = Array.from(
      { length: others },
      (_, i) => `zz${letters[i % 26]}${letters[Math.floor(i / 26)]}`,
    );
    decoder.setGraph(graphOf([entry('Anna'), ...list.map((text) => entry(text))]));
    decoder.push(nameRows({ '▁an': -0.1 }, { na: -0.1 }, { '': -0.1 }), 3);
    assert.is(textOf(decoder.best()), '▁anna');
    return decoder.finish()[0]!.bias;
  };
  close(biasAmong(0), 2.5);
  close(biasAmong(9), 2.5);
  close(biasAmong(99), 2.5 - 0.75);
});

test('frames of blank behind an entry neither add to its gain nor take from it', () => {
  const biasAfter = (blanks: number): number => {
    const decoder = nameDecoder();
    decoder.setGraph(graphOf([entry('Anna')]));
    decoder.push(nameRows({ '▁an': -0.1 }, { na: -0.1 }), 2);
    decoder.push(nameRows(...Array.from({ length: blanks }, () => ({ '': -0.01 }))), blanks);
    assert.is(textOf(decoder.best()), '▁anna');
    return decoder.best().bias;
  };
  assert.is(biasAfter(20), biasAfter(1));
});

test('a list that comes between the pieces of a name still makes the name', () => {
  const before = nameRows({ '▁my': -0.1 }, { '▁an': -0.2 });
  const after = nameRows({ ya: -0.4, na: -1.6 }, { '': -0.1 });
  const run = (change: (decoder: BeamDecoder) => void): string => {
    const decoder = nameDecoder();
    decoder.push(before, 2);
    change(decoder);
    decoder.push(after, 2);
    return textOf(decoder.best());
  };
  assert.is(
    run(() => undefined),
    '▁my▁anya',
  );
  assert.is(
    run((decoder) => decoder.setGraph(graphOf([entry('Anna')]))),
    '▁my▁anna',
  );
});

test('a list that comes between the words of a name, or right behind it, corrects what is not committed', () => {
  const rows = nameRows(
    { '▁the': -0.1 },
    { '▁an': -0.2 },
    { ya: -0.4, na: -1.2 },
    { '': -0.1 },
    { '▁is': -0.1 },
  );
  const decoder = nameDecoder();
  decoder.push(rows, 4);
  assert.is(textOf(decoder.best()), '▁the▁anya');
  decoder.setGraph(graphOf([entry('Anna')]));
  assert.is(textOf(decoder.best()), '▁the▁anna');
  decoder.setGraph(PrefixGraph.empty);
  assert.is(textOf(decoder.best()), '▁the▁anya');
  decoder.commit(decoder.best().tokens.slice(0, 3));
  decoder.setGraph(graphOf([entry('Anna', 10)]));
  decoder.push(rows.subarray(4 * NAME_WIDTH), 1);
  assert.is(textOf(decoder.best()), '▁the▁anya▁is');
});

test('decoders that share a graph do not disturb each other', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), smallEntries, (seedA, seedB, entries) => {
      const graph = graphOf(entries);
      const alone = (seed: number): readonly Hypothesis[] => {
        const decoder = decoderOf();
        decoder.setGraph(graph);
        decoder.push(randomRows(seed, 30, WIDTH, 8), 30);
        return decoder.finish(8);
      };
      const both = [seedA, seedB].map((seed) => ({
        decoder: decoderOf(),
        rows: randomRows(seed, 30, WIDTH, 8),
      }));
      for (const { decoder } of both) decoder.setGraph(graph);
      for (let frame = 0; frame < 30; frame++) {
        for (const { decoder, rows } of both) decoder.push(rows.subarray(frame * WIDTH), 1);
      }
      assert.equal(
        both.map(({ decoder }) => decoder.finish(8)),
        [alone(seedA), alone(seedB)],
      );
    }),
    { numRuns: 30 },
  );
});

test('the work per frame is bounded, and does not grow with the list', () => {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
  const pieces = [...letters, ...letters.map((letter) => `▁${letter}`)];
  const names = (count: number): VocabularyEntry[] =>
    Array.from({ length: count }, (_, i) =>
      entry(
        [...i.toString(26)]
          .map((digit) => letters[Number.parseInt(digit, 26)])
          .join('')
          .padStart(5, 'q'),
      ),
    );
  const frames = 200;
  const rows = randomRows(7, frames, pieces.length + 1, 12);
  const cost = (count: number): number => {
    const decoder = new BeamDecoder({ pieces, blank: pieces.length, beam: 8, bias: { biasGap: 5 } });
    decoder.setGraph(graphOf(names(count)));
    decoder.push(rows, frames);
    return decoder.proposals / frames;
  };
  const bound = 8 * pieces.length;
  assert.ok(cost(100) <= bound);
  assert.ok(cost(10_000) <= bound, `${cost(10_000)} proposals a frame`);
  assert.ok(cost(10_000) < 1.5 * cost(100), `${cost(10_000)} against ${cost(100)}`);
});

test('a piece that stands for no text is never emitted', () => {
  const decoder = nameDecoder();
  decoder.push(nameRows({ '▁my': -0.1 }, { '<unk>': -0.01, '▁name': -5 }, { '': -0.1 }), 3);
  assert.is(textOf(decoder.best()), '▁my▁name');
  // nor does it hide what lies far below it
  decoder.reset(0);
  decoder.push(nameRows({ '<unk>': -0.01, '▁name': -12 }, { '': -0.1 }), 2);
  assert.is(textOf(decoder.best()), '▁name');
});

test('the end of a segment takes back what an unfinished entry had', () => {
  const decoder = nameDecoder();
  decoder.setGraph(graphOf([entry('annabel')]));
  decoder.push(nameRows({ '▁an': -0.5, '▁and': -0.7 }, { na: -2, '': -0.2 }, { '': -0.1 }), 3);
  assert.is(textOf(decoder.best()), '▁anna');
  assert.ok(decoder.best().bias > 0);
  const [final] = decoder.finish();
  assert.is(textOf(final!), '▁an');
  assert.is(final!.bias, 0);
});

test.run();
