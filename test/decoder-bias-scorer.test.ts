import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PieceTable } from '../src/biasing/alphabet.js';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { BiasScorer } from '../src/decoder/bias-scorer.js';
import { PrefixTree, ROOT } from '../src/decoder/prefix-tree.js';
import { SMALL_PIECES, smallEntries, smallTokens } from './biasing-support.js';

const test = suite('decoder: bias scorer');
const table = new PieceTable(SMALL_PIECES);

test('what an extension is said to be worth is what it is worth once it is there, to the last digit', () => {
  fc.assert(
    fc.property(
      smallEntries,
      smallTokens,
      fc.infiniteStream(fc.double({ min: 0, max: 7, noNaN: true })),
      fc.constantFrom(0, 0.7, 2.5),
      (entries, tokens, gaps, toll) => {
        const tree = new PrefixTree();
        const scorer = new BiasScorer(table, tree, {
          base: 1.2,
          lambda: 0.5,
          gapCap: 5,
          toll,
          freeEntries: 1,
        });
        scorer.setGraph(PrefixGraph.build(entries).graph);
        let node = ROOT;
        for (const token of tokens) {
          const said = SMALL_PIECES.map((_, next) => {
            const gap = gaps.next().value;
            return { next, gap, value: scorer.extended(node, next, gap) };
          });
          const children = said.map(({ next, gap }) => {
            const child = tree.add(node, next);
            tree.gap[child] = gap;
            scorer.update(child);
            return child;
          });
          for (const [i, { value }] of said.entries()) assert.is(value, tree.bias[children[i]!]);
          node = children[token]!;
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test.run();
