import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { BeamDecoder, type BeamDecoderOptions } from '../src/decoder/beam.js';
import type { Hypothesis } from '../src/decoder/hypothesis.js';
import { entry, SMALL_PIECES, smallEntries } from './biasing-support.js';
import { randomRows, rowsOf } from './decoder-support.js';

const test = suite('decoder: stream');
const BLANK = SMALL_PIECES.length;
const WIDTH = SMALL_PIECES.length + 1;
const tokensOf = ({ tokens }: Hypothesis): number[] => tokens.map(({ token }) => token);

function decoderOf(options: Partial<BeamDecoderOptions> = {}): BeamDecoder {
  return new BeamDecoder({ pieces: SMALL_PIECES, blank: BLANK, beam: 8, ...options });
}

test('any chunking of the rows gives identical hypotheses, scores and times', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      smallEntries,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
      (seed, entries, chunks) => {
        const frames = chunks.reduce((a, b) => a + b, 0);
        const rows = randomRows(seed, frames, WIDTH, 8);
        const { graph } = PrefixGraph.build(entries);
        const whole = decoderOf();
        whole.setGraph(graph);
        whole.push(rows, frames);
        const split = decoderOf();
        split.setGraph(graph);
        let from = 0;
        for (const chunk of chunks) {
          split.push(rows.subarray(from * WIDTH, (from + chunk) * WIDTH), chunk);
          from += chunk;
          // looking must not change anything
          split.best();
          split.stableTokens();
        }
        assert.equal(split.nBest(8), whole.nBest(8));
        assert.equal(split.finish(8), whole.finish(8));
        assert.is(split.frame, frames);
      },
    ),
  );
});

test('what is stable or committed never changes, whatever comes and whichever list', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(smallEntries, { minLength: 4, maxLength: 4 }),
      fc.array(fc.nat({ max: 3 }), { minLength: 60, maxLength: 60 }),
      (seed, lists, actions) => {
        const rows = randomRows(seed, 60, WIDTH, 8);
        const graphs = lists.map((entries) => PrefixGraph.build(entries).graph);
        const decoder = decoderOf();
        let stable: number[] = [];
        for (const [frame, action] of actions.entries()) {
          if (action === 0) decoder.setGraph(graphs[frame % graphs.length]!);
          decoder.push(rows.subarray(frame * WIDTH), 1);
          if (action === 1) {
            const tokens = tokensOf(decoder.best()).length - 2;
            if (tokens > 0) decoder.commit(decoder.best().tokens.slice(0, tokens));
            assert.ok(decoder.stableTokens() >= tokens);
          }
          const best = tokensOf(decoder.best());
          assert.equal(best.slice(0, stable.length), stable);
          for (const hypothesis of decoder.nBest(8)) {
            assert.equal(
              tokensOf(hypothesis).slice(0, decoder.stableTokens()),
              best.slice(0, decoder.stableTokens()),
            );
          }
          stable = best.slice(0, decoder.stableTokens());
        }
        assert.equal(tokensOf(decoder.finish()[0]!).slice(0, stable.length), stable);
      },
    ),
  );
});

test('stable tokens are all that the live hypotheses share, no fewer', () => {
  const decoder = decoderOf({ beam: 2 });
  decoder.push(rowsOf([{ 0: -0.1 }, { [BLANK]: -0.1 }, { 2: -0.5, 3: -0.9 }], WIDTH), 3);
  assert.equal(decoder.nBest(2).map(tokensOf), [
    [0, 2],
    [0, 3],
  ]);
  assert.is(decoder.stableTokens(), 1);
  assert.is(decoder.commit(decoder.best().tokens.slice(0, 2)), true);
  assert.is(decoder.stableTokens(), 2);
  assert.is(decoder.nBest(2).length, 1);
});

test('a token is dated by the frame where it peaks, and tokens never run backwards', () => {
  const decoder = decoderOf();
  decoder.reset(100);
  const frames = [
    { [BLANK]: -0.1 },
    { 0: -1, [BLANK]: -0.5 },
    { 0: -0.1 },
    { 0: -0.7 },
    { [BLANK]: -0.1 },
    { 2: -0.2 },
    { [BLANK]: -0.1 },
  ];
  decoder.push(rowsOf(frames, WIDTH), frames.length);
  assert.equal(
    decoder.best().tokens.map(({ token, frame, logProb }) => [token, frame, Math.round(logProb * 10) / 10]),
    [
      [0, 102, -0.1],
      [2, 105, -0.2],
    ],
  );
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(3, 8, 16), (seed, sharpness) => {
      const random = decoderOf();
      random.reset(1000);
      random.push(randomRows(seed, 60, WIDTH, sharpness), 60);
      for (const { tokens } of random.nBest(8)) {
        for (const [i, { frame }] of tokens.entries()) {
          assert.ok(frame >= 1000 && frame < 1060);
          assert.ok(i === 0 || tokens[i - 1]!.frame < frame, `${tokens.map((token) => token.frame)}`);
        }
      }
    }),
  );
});

test('a token is dated by a later frame that makes it likelier, be it held or come anew', () => {
  const dateOf = (...frames: Record<number, number>[]): number => {
    const decoder = decoderOf();
    decoder.push(rowsOf(frames, WIDTH), frames.length);
    const hypothesis = decoder.nBest(8).find((found) => tokensOf(found).join() === '0');
    return hypothesis!.tokens[0]!.frame;
  };
  // held: that it came only then is less likely
  assert.is(dateOf({ 0: -0.5, [BLANK]: -5 }, { 0: -0.1, [BLANK]: -2 }), 1);
  assert.is(dateOf({ 0: -0.1, [BLANK]: -5 }, { 0: -0.5, [BLANK]: -2 }), 0);
  // anew: behind blanks
  assert.is(dateOf({ 0: -3, [BLANK]: -0.1 }, { [BLANK]: -0.1 }, { 0: -0.1, [BLANK]: -3 }), 2);
  // the whole alignment decides, not the token's own peak
  assert.is(dateOf({ 0: -1, [BLANK]: -0.5 }, { [BLANK]: -0.1 }, { 0: -1.2, [BLANK]: -2 }), 2);
});

test('an alignment of a shorter hypothesis that moves does not move the dates within a longer one', () => {
  const frames = [
    { 0: -0.1 },
    { [BLANK]: -0.1 },
    { [BLANK]: -0.1 },
    { [BLANK]: -0.1 },
    { 2: -0.1 },
    { 3: -0.1, 2: -60 },
    { 0: -0.1, 2: -60, [BLANK]: -25 },
    { 2: -0.1 },
    { [BLANK]: -0.1 },
  ];
  const decoder = decoderOf({ beam: 40, beamThreshold: Infinity });
  decoder.push(rowsOf(frames, WIDTH), frames.length);
  const longer = decoder.nBest(40).find((hypothesis) => tokensOf(hypothesis).join() === '0,2,3');
  assert.equal(
    longer?.tokens.map(({ frame }) => frame),
    [0, 4, 5],
  );
});

test('a blip of the same piece in a later word does not move the date of the earlier one', () => {
  const frames = [
    { 0: -0.3 },
    { [BLANK]: -0.1 },
    { [BLANK]: -0.1 },
    { [BLANK]: -0.2, 0: -0.25 },
    { [BLANK]: -0.1 },
    { 2: -0.1 },
  ];
  const decoder = decoderOf();
  decoder.push(rowsOf(frames, WIDTH), frames.length);
  const single = decoder.nBest(8).find((hypothesis) => tokensOf(hypothesis).join() === '0,2');
  assert.is(single?.tokens[0]?.frame, 0);
});

test('trailing blank counts the frames since the last token in which blank is best', () => {
  const decoder = decoderOf();
  decoder.reset(50);
  const push = (...frames: Record<number, number>[]): number => {
    decoder.push(rowsOf(frames, WIDTH), frames.length);
    return decoder.trailingBlankFrames();
  };
  assert.is(push({ [BLANK]: -0.1 }, { [BLANK]: -0.1 }), 2);
  assert.is(push({ 0: -0.1 }), 0);
  assert.is(push({ [BLANK]: -0.1 }, { [BLANK]: -0.1 }, { [BLANK]: -0.1 }), 3);
  assert.is(push({ 0: -0.1 }, { [BLANK]: -0.1 }), 1);
  // a token that is held has been emitted before, but is no blank
  assert.is(push({ 0: -0.1 }, { 0: -0.3 }, { [BLANK]: -0.1 }), 1);
  decoder.reset(60);
  assert.is(decoder.trailingBlankFrames(), 0);
  // a token that only bias made best came in a frame of blank
  decoder.setGraph(PrefixGraph.build([entry('bab')]).graph);
  assert.is(push({ [BLANK]: -0.1 }, { [BLANK]: -0.1 }, { [BLANK]: -0.5, 1: -0.9 }, { [BLANK]: -0.1 }), 1);
  assert.is(decoder.best().tokens.length, 1);
});

test('a new segment knows nothing of the last one', () => {
  fc.assert(
    fc.property(fc.integer(), smallEntries, (seed, entries) => {
      const { graph } = PrefixGraph.build(entries);
      const rows = randomRows(seed, 40, WIDTH, 8);
      const used = decoderOf();
      const fresh = decoderOf();
      used.push(randomRows(seed + 1, 40, WIDTH, 8), 40);
      used.setGraph(graph);
      used.finish(3);
      used.reset(7);
      fresh.setGraph(graph);
      fresh.reset(7);
      used.push(rows, 40);
      fresh.push(rows, 40);
      assert.equal(used.finish(8), fresh.finish(8));
    }),
    { numRuns: 50 },
  );
});

test('memory is bounded by the beam and the live hypotheses, however long it runs', () => {
  const decoder = decoderOf();
  const { graph } = PrefixGraph.build([]);
  decoder.setGraph(graph);
  for (let round = 0; round < 50; round++) {
    decoder.push(randomRows(round + 1, 100, WIDTH, 6), 100);
    const longest = Math.max(...decoder.nBest(8).map(({ tokens }) => tokens.length));
    assert.ok(decoder.nodes <= 1 + longest + 8 * 64, `${decoder.nodes} nodes for ${longest} tokens`);
    decoder.reset(decoder.frame);
    assert.is(decoder.nodes, 1);
  }
});

test('the blank may be any column', () => {
  const blanks = [0, 3, BLANK];
  const frames = 30;
  const rows = randomRows(3, frames, WIDTH, 8);
  const results = blanks.map((blank) => {
    const moved = new Float32Array(rows.length);
    for (let frame = 0; frame < frames; frame++) {
      const row = Array.from(rows.subarray(frame * WIDTH, frame * WIDTH + BLANK));
      row.splice(blank, 0, rows[frame * WIDTH + BLANK]!);
      moved.set(row, frame * WIDTH);
    }
    const decoder = decoderOf({ blank });
    decoder.push(moved, frames);
    return decoder.finish(8);
  });
  assert.equal(results[1], results[0]);
  assert.equal(results[2], results[0]);
});

test('a row of nonsense numbers is passed over', () => {
  const decoder = decoderOf();
  decoder.push(rowsOf([{ 0: -0.1 }], WIDTH), 1);
  decoder.push(new Float32Array(WIDTH).fill(Number.NaN), 1);
  decoder.push(rowsOf([{ [BLANK]: -0.1 }, { 2: -0.1 }], WIDTH), 2);
  assert.equal(tokensOf(decoder.best()), [0, 2]);
  assert.is(decoder.frame, 4);
});

test.run();
