import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { BeamDecoder } from '../src/decoder/beam.js';
import type { LanguageModel } from '../src/decoder/language-model.js';
import { SMALL_PIECES, smallEntries } from './biasing-support.js';
import { randomRows } from './decoder-support.js';

const test = suite('decoder: explanations');
const BLANK = SMALL_PIECES.length;
const WIDTH = BLANK + 1;

/** A bigram that hardly expects what entries are made of. */
const LISTED = ['a', 'b', 'ab'];
const bigram: LanguageModel = {
  start: 99,
  wordId: (word) => (LISTED.includes(word) ? LISTED.indexOf(word) : undefined),
  score: (state, word) => (word === undefined ? -3 : -2 - ((state + word) % 3)),
  advance: (_, word) => word ?? 50,
  end: () => -0.5,
};

test('the gains of all techniques are exactly what biasing did to the score', () => {
  fc.assert(
    fc.property(fc.integer(), smallEntries, (seed, entries) => {
      const options = {
        pieces: SMALL_PIECES,
        blank: BLANK,
        languageModel: bigram,
        beam: 3000,
        beamThreshold: Infinity,
        tokenThreshold: Infinity,
        maxTokens: SMALL_PIECES.length,
      };
      const rows = randomRows(seed, 3, WIDTH, 6);
      const listed = new BeamDecoder(options);
      const plain = new BeamDecoder(options);
      listed.setGraph(PrefixGraph.build(entries).graph);
      listed.push(rows, 3);
      plain.push(rows, 3);
      const key = ({ tokens }: { tokens: readonly { token: number }[] }): string =>
        tokens.map(({ token }) => token).join(' ');
      const without = new Map(plain.finish(3000).map((hypothesis) => [key(hypothesis), hypothesis]));
      for (const hypothesis of listed.finish(3000)) {
        const gains = listed.gains(hypothesis);
        const sum = (wanted: string): number =>
          gains.reduce((total, { technique, gain }) => (technique === wanted ? total + gain : total), 0);
        const close = (actual: number, expected: number): void =>
          assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} instead of ${expected}`);
        close(sum('adaptive'), hypothesis.bias);
        close(sum('unigram'), hypothesis.lm - without.get(key(hypothesis))!.lm);
        for (const { from, to } of gains) assert.ok(0 <= from && from < to && to <= hypothesis.tokens.length);
      }
    }),
    { numRuns: 40 },
  );
});

test.run();
