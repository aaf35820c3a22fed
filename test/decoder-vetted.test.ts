import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { annotate } from '../src/biasing/annotate.js';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { BeamDecoder } from '../src/decoder/beam.js';
import { ctcLogProb } from '../src/decoder/ctc-score.js';
import type { Hypothesis } from '../src/decoder/hypothesis.js';
import { VettedDecoder } from '../src/decoder/vetted-decoder.js';
import { spelledWords } from '../src/decoder/words.js';
import { entry, SMALL_PIECES, smallEntries } from './biasing-support.js';
import { enumerate, randomRows, rowsOf } from './decoder-support.js';

const test = suite('decoder: acceptance test');
const BLANK = SMALL_PIECES.length;
const WIDTH = BLANK + 1;
const tokensOf = ({ tokens }: Hypothesis): number[] => tokens.map(({ token }) => token);
const wordsOf = (hypothesis: Hypothesis): string[] =>
  spelledWords(hypothesis.tokens, SMALL_PIECES).map(({ spelling }) => spelling);
const graphOf = (...texts: string[]): PrefixGraph =>
  PrefixGraph.build(texts.map((text) => entry(text))).graph;

function decoders(perLetter: number): { vetted: VettedDecoder; plain: BeamDecoder; listed: BeamDecoder } {
  const options = { pieces: SMALL_PIECES, blank: BLANK, beam: 8, acceptance: { perLetter } };
  return {
    vetted: new VettedDecoder(options),
    plain: new BeamDecoder(options),
    listed: new BeamDecoder(options),
  };
}

const speech = fc.record({
  seed: fc.integer(),
  frames: fc.integer({ min: 1, max: 40 }),
  sharpness: fc.constantFrom(3, 8, 16),
});

test('the score of a label sequence is the sum over all of its alignments', () => {
  fc.assert(
    fc.property(
      fc.record({ seed: fc.integer(), frames: fc.integer({ min: 1, max: 6 }) }),
      ({ seed, frames }) => {
        const rows = randomRows(seed, frames + 2, 4, 5);
        const expected = enumerate(rows.subarray(4, 4 * (frames + 1)), 4, 3);
        for (const [key, logProb] of expected) {
          const labels = key === '' ? [] : key.split(' ').map(Number);
          const found = ctcLogProb({ rows, width: 4, blank: 3 }, labels, 1, frames + 1);
          assert.ok(Math.abs(found - logProb) < 1e-6, `${key}: ${found} instead of ${logProb}`);
        }
        const tooMany = Array.from({ length: frames + 1 }, (_, i) => i % 2);
        assert.is(ctcLogProb({ rows, width: 4, blank: 3 }, tooMany, 1, frames + 1), -Infinity);
      },
    ),
    { numRuns: 60 },
  );
});

test('where no entry stands in the text, the text is that of a session without a list', () => {
  fc.assert(
    fc.property(
      speech,
      smallEntries,
      fc.constantFrom(0.2, 1, 5),
      ({ seed, frames, sharpness }, list, bound) => {
        const { vetted, plain } = decoders(bound);
        const { graph } = PrefixGraph.build(list);
        const rows = randomRows(seed, frames, WIDTH, sharpness);
        vetted.setGraph(graph);
        vetted.push(rows, frames);
        plain.push(rows, frames);
        const best = vetted.finish()[0]!;
        const words = wordsOf(best);
        const { spans } = annotate(words, graph);
        if (spans.length === 0) assert.equal(words, wordsOf(plain.finish()[0]!));
      },
    ),
    { numRuns: 400 },
  );
});

test('where nothing is pruned, the list finds without a bound what a beam with the list finds', () => {
  const options = {
    pieces: SMALL_PIECES,
    blank: BLANK,
    beam: 4000,
    raised: 4000,
    beamThreshold: Infinity,
    tokenThreshold: Infinity,
    maxTokens: SMALL_PIECES.length,
    acceptance: { perLetter: Infinity },
  };
  fc.assert(
    fc.property(fc.integer(), smallEntries, fc.constantFrom(0, 1), (seed, list, before) => {
      const { graph } = PrefixGraph.build(list);
      const rows = randomRows(seed, 3, WIDTH, 8);
      const vetted = new VettedDecoder(options);
      const listed = new BeamDecoder(options);
      vetted.push(rows, before);
      listed.setGraph(graph);
      vetted.setGraph(graph);
      vetted.push(rows.subarray(before * WIDTH), 3 - before);
      listed.push(rows, 3);
      const expected = listed.finish()[0]!;
      const best = vetted.finish()[0]!;
      // of two that are equally good either may be the one
      assert.ok(Math.abs(best.score - expected.score) < 1e-6);
    }),
    { numRuns: 30 },
  );
});

test('a few raised hypotheses find most of what a wide beam with the list finds', () => {
  const options = { pieces: SMALL_PIECES, blank: BLANK, beam: 4, acceptance: { perLetter: Infinity } };
  const graph = graphOf('abba', 'bab');
  const speeches = Array.from({ length: 30 }, (_, seed) => randomRows(seed + 1, 30, WIDTH, 6));
  const scoreOf = (decoder: VettedDecoder | BeamDecoder, rows: Float32Array): number => {
    decoder.setGraph(graph);
    decoder.push(rows, 30);
    return decoder.finish()[0]!.score;
  };
  const lost = (raised: number): number =>
    speeches.reduce((sum, rows) => {
      const wide = scoreOf(new BeamDecoder({ ...options, beam: 64 }), rows);
      return sum + wide - scoreOf(new VettedDecoder({ ...options, raised }), rows);
    }, 0);
  const [none, one, four] = [lost(0), lost(1), lost(4)];
  assert.ok(one! < none! / 3 && four! < none! / 100, `${none} ${one} ${four}`);
});

test('other evidence for an entry widens or narrows what it may cost, by so much of it for each unit', () => {
  const options = { pieces: SMALL_PIECES, blank: BLANK, beam: 8 };
  const textOf = (decoder: VettedDecoder, graph: PrefixGraph, rows: Float32Array): string[] => {
    decoder.setGraph(graph);
    decoder.push(rows, rows.length / WIDTH);
    return wordsOf(decoder.finish()[0]!);
  };
  fc.assert(
    fc.property(
      speech,
      smallEntries,
      fc.constantFrom([3, 1.6], [-4, 0.2], [-100, 0.001]),
      ({ seed, frames, sharpness }, list, [ratio, factor]) => {
        const rows = randomRows(seed, frames, WIDTH, sharpness);
        const { graph } = PrefixGraph.build(list);
        const told = new VettedDecoder({
          ...options,
          acceptance: { perLetter: 2, perEvidence: 0.2 },
          evidence: { logRatio: () => ratio! },
        });
        const bound = new VettedDecoder({ ...options, acceptance: { perLetter: 2 * factor! } });
        assert.equal(textOf(told, graph, rows), textOf(bound, graph, rows));
      },
    ),
    { numRuns: 300 },
  );
});

test('evidence is asked for around the frames of the words that spell the entry', () => {
  const asked: (readonly [string, number, number])[] = [];
  const vetted = new VettedDecoder({
    pieces: SMALL_PIECES,
    blank: BLANK,
    beam: 8,
    evidence: {
      logRatio: (entry, from, to) => {
        asked.push([entry, from, to]);
        return 0;
      },
    },
  });
  vetted.reset(100);
  vetted.setGraph(graphOf('abba'));
  for (let seed = 1; seed < 40; seed++) {
    vetted.push(randomRows(seed, 20, WIDTH, 6), 20);
    vetted.finish();
    vetted.reset(100);
  }
  assert.ok(asked.length > 0);
  for (const [entry, from, to] of asked) {
    assert.is(entry, 'abba');
    assert.ok(94 <= from && from + 12 < to && to <= 126, `${from} ${to}`);
  }
});

/** Blank and two phones: `a` sounds like the first, `b` like the second. */
const PHONES = {
  labels: Uint8Array.of(0, 1, 2),
  pronounce: (word: string): Uint8Array[] => [Uint8Array.from(word, (letter) => (letter === 'a' ? 1 : 2))],
};

test('a removed list leaves no trace', () => {
  fc.assert(
    fc.property(speech, smallEntries, fc.boolean(), ({ seed, frames, sharpness }, list, listening) => {
      const options = {
        pieces: SMALL_PIECES,
        blank: BLANK,
        beam: 8,
        phoneWeight: 0.5,
        ...(listening && { phones: PHONES }),
      };
      const vetted = new VettedDecoder(options);
      const plain = new BeamDecoder(options);
      const rows = randomRows(seed, 2 * frames, WIDTH, sharpness);
      const heard = randomRows(seed + 1, 2 * frames, 3, 4);
      const push = (from: number, to: number): void => {
        for (const decoder of [vetted, plain]) {
          for (let i = from; i < to; i++) decoder.hear(heard.subarray(3 * i, 3 * i + 3));
          decoder.push(rows.subarray(from * WIDTH), to - from);
        }
      };
      vetted.setGraph(PrefixGraph.build(list).graph);
      push(0, frames);
      vetted.setGraph(PrefixGraph.empty);
      assert.equal(vetted.best(), plain.best());
      push(frames, 2 * frames);
      assert.equal(vetted.finish(3), plain.finish(3));
    }),
  );
});

test('what is stable stays, whatever lists come and go and whatever the test decides', () => {
  const actions = fc.array(fc.nat({ max: 4 }), { minLength: 10, maxLength: 60 });
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(smallEntries, { minLength: 1, maxLength: 3 }),
      actions,
      (seed, lists, steps) => {
        const rows = randomRows(seed, 60, WIDTH, 8);
        const graphs = [PrefixGraph.empty, ...lists.map((list) => PrefixGraph.build(list).graph)];
        const { vetted } = decoders(0.5);
        vetted.reset(0);
        let stable: number[] = [];
        for (const [frame, action] of steps.entries()) {
          if (action === 0) vetted.setGraph(graphs[frame % graphs.length]!);
          vetted.push(rows.subarray(frame * WIDTH), 1);
          if (action === 1) {
            const { tokens } = vetted.best();
            const from = Math.max(stable.length, tokens.length - 2);
            vetted.commit(tokens.slice(0, from));
            assert.ok(vetted.stableTokens() >= from);
          }
          const best = tokensOf(vetted.best());
          assert.equal(best.slice(0, stable.length), stable);
          stable = best.slice(0, vetted.stableTokens());
        }
        assert.equal(tokensOf(vetted.finish()[0]!).slice(0, stable.length), stable);
      },
    ),
    { numRuns: 300 },
  );
});

/** `▁ab` said clearly, then something between `▁b` and `▁ba`, then a blank. */
const between = (loss: number): Float32Array =>
  rowsOf([{ 5: -0.1 }, { [BLANK]: -0.1 }, { 1: -0.2, 8: -0.2 - loss }, { [BLANK]: -0.1 }], WIDTH, -30);

test('an entry is accepted while it is less likely by no more than its letters allow', () => {
  const heard = (loss: number, weight: number): string => {
    const { vetted } = decoders(1.5);
    vetted.setGraph(PrefixGraph.build([entry('ba', weight)]).graph);
    vetted.push(between(loss), 4);
    return wordsOf(vetted.finish()[0]!).join(' ');
  };
  // two letters at 1.5
  assert.is(heard(2.5, 1), 'ab ba');
  assert.is(heard(3.5, 1), 'ab b');
  assert.is(heard(3.5, 2), 'ab ba');
});

test('an entry whose first words are committed is still one', () => {
  const { vetted } = decoders(1.5);
  vetted.setGraph(graphOf('ab ba'));
  vetted.push(between(2.5), 2);
  vetted.commit(vetted.best().tokens);
  vetted.push(between(2.5).subarray(2 * WIDTH), 2);
  assert.is(wordsOf(vetted.finish()[0]!).join(' '), 'ab ba');
});

test('finals say what the list gave, and what was said without it', () => {
  const { vetted } = decoders(1.5);
  vetted.setGraph(graphOf('ba'));
  vetted.push(between(2), 4);
  vetted.finish();
  const { gains, unbiased } = vetted.explain();
  assert.equal(
    gains.map(({ technique, from, to }) => [technique, from, to]),
    [['adaptive', 1, 2]],
  );
  assert.equal(
    unbiased.map(({ token }) => SMALL_PIECES[token]),
    ['▁ab', '▁b'],
  );
  vetted.reset(4);
  vetted.push(between(4), 4);
  vetted.finish();
  assert.equal(vetted.explain().gains, []);
});

test.run();
