import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { Vocabulary } from '../src/biasing/vocabulary.js';
import { DEFAULT_ENDPOINT } from '../src/decoder/endpoint.js';
import type { Hypothesis } from '../src/decoder/hypothesis.js';
import { RowCache } from '../src/decoder/row-cache.js';
import type { PhoneOptions } from '../src/decoder/scores.js';
import { type FinalHypothesis, type PartialHypothesis, Segmenter } from '../src/decoder/segmenter.js';
import { VettedDecoder } from '../src/decoder/vetted-decoder.js';
import { entry, SMALL_PIECES, smallEntries } from './biasing-support.js';
import { randomRows, rowsOf } from './decoder-support.js';

const test = suite('decoder: redecode');
const BLANK = SMALL_PIECES.length;
const WIDTH = BLANK + 1;
const tokensOf = ({ tokens }: Hypothesis): number[] => tokens.map(({ token }) => token);

/** Blank and two phones: `a` sounds like the first, `b` like the second. */
const PHONES = {
  labels: Uint8Array.of(0, 1, 2),
  pronounce: (word: string): Uint8Array[] => [Uint8Array.from(word, (letter) => (letter === 'a' ? 1 : 2))],
};

function segmenterOf(beam: number, maxTentativeMs = 3000, phones?: PhoneOptions): Segmenter {
  return new Segmenter({
    decoder: new VettedDecoder({ pieces: SMALL_PIECES, blank: BLANK, beam, phones, phoneWeight: 0.5 }),
    phoneWidth: PHONES.labels.length,
    pieces: SMALL_PIECES,
    rowWidth: WIDTH,
    frameMs: 40,
    endpoint: { ...DEFAULT_ENDPOINT, enabled: false },
    nBest: 8,
    maxTentativeMs,
  });
}

function push(
  segmenter: Segmenter,
  rows: Float32Array,
  phones?: Float32Array,
): (FinalHypothesis | PartialHypothesis)[] {
  return segmenter.push(rows, [], segmenter.frame, 0, rows.length / WIDTH, phones);
}

test('a list that comes late and retroactively gives what it gives from the begin, to the last digit', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      smallEntries,
      smallEntries,
      fc.integer({ min: 1, max: 39 }),
      fc.boolean(),
      (seed, first, second, when, listening) => {
        const rows = randomRows(seed, 40, WIDTH, 8);
        const heard = listening ? randomRows(seed + 1, 40, 3, 4) : undefined;
        const { graph } = PrefixGraph.build(second);
        const late = segmenterOf(4, 3000, listening ? PHONES : undefined);
        const always = segmenterOf(4, 3000, listening ? PHONES : undefined);
        late.setGraph(PrefixGraph.build(first).graph);
        always.setGraph(graph);
        push(late, rows.subarray(0, when * WIDTH), heard?.subarray(0, when * 3));
        assert.is(late.redecode(graph), 0);
        push(late, rows.subarray(when * WIDTH), heard?.subarray(when * 3));
        push(always, rows, heard);
        assert.equal(late.finish('stop'), always.finish('stop'));
      },
    ),
    { numRuns: 200 },
  );
});

test('after an entry is patched out retroactively all scores are those of a session that never had it', () => {
  fc.assert(
    fc.property(fc.integer(), smallEntries, smallEntries, (seed, some, others) => {
      const kept = some.filter(({ text }) => others.every((other) => other.text !== text));
      const rows = randomRows(seed, 30, WIDTH, 8);
      const listed = Vocabulary.empty().replace([...kept, ...others]).vocabulary;
      const without = listed.patch({ remove: others.map(({ text }) => text) }).vocabulary;
      const had = segmenterOf(4);
      const never = segmenterOf(4);
      had.setGraph(listed.graph);
      never.setGraph(Vocabulary.empty().replace(kept).vocabulary.graph);
      push(had, rows);
      push(never, rows);
      had.redecode(without.graph);
      assert.equal(
        had.finish('stop'),
        never.finish('stop').map((final) => ({ ...final, graph: without.graph })),
      );
    }),
    { numRuns: 200 },
  );
});

test('what is kept stays whatever list comes, and the rest is decoded again behind it', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(smallEntries, { minLength: 5, maxLength: 5 }),
      fc.constantFrom(200, 3000),
      (seed, lists, maxTentativeMs) => {
        const segmenter = segmenterOf(4, maxTentativeMs);
        const rows = randomRows(seed, 50, WIDTH, 8);
        let kept: number[] = [];
        for (const [i, entries] of lists.entries()) {
          const out = push(segmenter, rows.subarray(i * 10 * WIDTH, (i + 1) * 10 * WIDTH));
          const last = out.at(-1);
          if (last?.type === 'partial') {
            const count = Math.max(kept.length, last.stableTokens - 1);
            kept = tokensOf(last.best).slice(0, count);
            segmenter.keep(count);
          }
          const from = segmenter.redecode(PrefixGraph.build(entries).graph);
          assert.ok(from <= segmenter.frame);
          const again = segmenter.revision();
          if (again !== undefined) assert.equal(tokensOf(again.best).slice(0, kept.length), kept);
          assert.is(segmenter.revision(), undefined, 'a revision is told once');
        }
        const [final] = segmenter.finish('stop');
        if (final !== undefined) assert.equal(tokensOf(final.nBest[0]!).slice(0, kept.length), kept);
      },
    ),
    { numRuns: 200 },
  );
});

test('a hypothesis that the old list had let die comes back', () => {
  const [begin, a, b, ba] = ['▁a', 'a', 'b', 'ba'].map((piece) => SMALL_PIECES.indexOf(piece));
  // two hypotheses may live
  const heard = { [b!]: -0.1, [a!]: -1, [ba!]: -3 };
  const rows = rowsOf([{ [begin!]: -0.1 }, { [BLANK]: -0.1 }, heard, { [BLANK]: -0.1 }], WIDTH);
  const { graph } = PrefixGraph.build([entry('aba')]);
  const textOf = (change: (segmenter: Segmenter) => void): string => {
    const segmenter = segmenterOf(2);
    push(segmenter, rows);
    change(segmenter);
    return tokensOf(segmenter.finish('stop')[0]!.nBest[0]!)
      .map((token) => SMALL_PIECES[token])
      .join('');
  };
  assert.is(
    textOf((segmenter) => segmenter.setGraph(graph)),
    '▁ab',
  );
  assert.is(
    textOf((segmenter) => segmenter.redecode(graph)),
    '▁aba',
  );
});

test('without an open segment a retroactive list simply holds from the next frame on', () => {
  const segmenter = segmenterOf(4);
  push(segmenter, randomRows(1, 20, WIDTH, 8));
  segmenter.finish('flush');
  assert.is(segmenter.redecode(PrefixGraph.build([entry('ab')]).graph), 20);
  assert.is(segmenter.revision(), undefined);
});

test('rows are there from the begin on that was not dropped, at most as many as fit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant('push' as const), fc.nat({ max: 12 })), { maxLength: 400 }),
      fc.integer({ min: 1, max: 90 }),
      (actions, max) => {
        const cache = new RowCache(2, max);
        cache.clear(7);
        let begin = 7;
        let end = 7;
        for (const action of actions) {
          if (action === 'push') {
            cache.push(Float32Array.of(end, -end));
            end += 1;
            begin = Math.max(begin, end - max);
          } else {
            cache.dropBefore(begin + action);
            begin = Math.min(end, begin + action);
          }
          assert.equal([cache.begin, cache.end], [begin, end]);
          const expected = Array.from({ length: end - begin }, (_, i) => [begin + i, -begin - i]).flat();
          assert.equal([...cache.from(begin)], expected);
        }
      },
    ),
  );
});

test('a segment whose rows were pushed out is decoded again from where they are', () => {
  const segmenter = segmenterOf(4, 200);
  push(segmenter, randomRows(3, 60, WIDTH, 8));
  // four times 200 ms are 20 frames
  const from = segmenter.redecode(PrefixGraph.build([entry('ab')]).graph);
  assert.ok(from >= 40 && from < 60, `${from}`);
});

test.run();
