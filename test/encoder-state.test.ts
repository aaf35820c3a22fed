import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StateTensor } from '../src/encoder/bundle.js';
import { StreamStates } from '../src/encoder/state.js';

const HEADS = 2;
const LENGTH = 6;
const TENSORS: readonly StateTensor[] = [
  { name: 'keys', type: 'int8', shape: [HEADS, LENGTH, 1], perFrame: 2 },
  { name: 'tail', type: 'float32', shape: [1] },
];

/** What the graph would return for a step of several streams: row r of head h is r, or -r for the second head. */
function outputs(firstRows: readonly number[], frames: number): Record<string, { readonly data: unknown }> {
  const rows = 2 * frames;
  const keys = firstRows.flatMap((first) =>
    [1, -1].flatMap((sign) => Array.from({ length: rows }, (_, i) => sign * (first + i))),
  );
  return { new_keys: { data: Int8Array.from(keys) }, next_tail: { data: Float32Array.from(firstRows) } };
}

const states = suite('encoder: state');

states('a ring holds the newest rows of each head, whatever the steps, alone or in company', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 12 }), (steps) => {
      const all = new StreamStates(TENSORS);
      const [alone, one, other] = [all.start(), all.start(), all.start()];
      let rows = 0;
      for (const chunkFrames of steps) {
        const latency = { chunkFrames, lookaheadFrames: 0 };
        all.advance([alone], latency, outputs([rows + 1], chunkFrames));
        all.advance([other, one], latency, outputs([50, rows + 1], chunkFrames));
        rows += 2 * chunkFrames;
      }
      const newest = Array.from({ length: LENGTH }, (_, i) => Math.max(0, rows - i));
      for (const { tensors } of [alone, one]) {
        const [keys] = tensors as [Int8Array];
        assert.equal([...keys.subarray(0, LENGTH)].sort(descending), newest);
        assert.equal([...keys.subarray(LENGTH)].map((row) => 0 - row).sort(descending), newest);
      }
      assert.equal(alone.tensors, one.tensors);
    }),
  );
});

function descending(a: number, b: number): number {
  return b - a;
}

states('the states of a batch lie side by side, and a lone one is passed on as it is', () => {
  const all = new StreamStates(TENSORS);
  const both = [all.start(), all.start()];
  all.advance(both, { chunkFrames: 1, lookaheadFrames: 0 }, outputs([1, 11], 1));
  const feeds = all.feeds(both);
  assert.equal(feeds['keys']!.dims, [2, HEADS, LENGTH, 1]);
  assert.equal([...(feeds['keys']!.data as Int8Array)].filter(Boolean), [1, 2, -1, -2, 11, 12, -11, -12]);
  assert.equal([...(feeds['tail']!.data as Float32Array)], [1, 11]);
  const [lone] = both;
  assert.is(all.feeds([lone!])['keys']!.data, lone!.tensors[0]);
});

states('a fork goes its own way', () => {
  const all = new StreamStates(TENSORS);
  const state = all.start();
  const latency = { chunkFrames: 1, lookaheadFrames: 0 };
  all.advance([state], latency, outputs([1], 1));
  const fork = all.fork(state);
  all.advance([fork], latency, outputs([3], 1));
  assert.equal([...(state.tensors[0] as Int8Array)].filter(Boolean), [1, 2, -1, -2]);
  assert.equal([...(fork.tensors[0] as Int8Array)].filter(Boolean), [1, 2, 3, 4, -1, -2, -3, -4]);
});

states.run();
