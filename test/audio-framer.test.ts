import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Framer, type FramerOptions } from '../src/audio/framer.js';
import { SampleQueue } from '../src/audio/sample-queue.js';

/** Samples that name their place. */
function ramp(length: number, from = 0): Float32Array {
  return Float32Array.from({ length }, (_, i) => from + i + 1);
}

function drain(framer: Framer): number[][] {
  const windows: number[][] = [];
  for (let window = framer.next(); window !== undefined; window = framer.next()) windows.push([...window]);
  return windows;
}

const options = fc.record({
  chunkSamples: fc.integer({ min: 1, max: 9 }),
  lookaheadSamples: fc.integer({ min: 0, max: 12 }),
});

test('windows advance by a chunk and show the look-ahead again', () => {
  const framer = new Framer({ chunkSamples: 3, lookaheadSamples: 2 });
  framer.push(ramp(9));
  assert.equal(drain(framer), [
    [1, 2, 3, 4, 5],
    [4, 5, 6, 7, 8],
  ]);
  assert.is(framer.consumed, 6);
  assert.is(framer.pending, 3);
});

test('one sample at a time gives the windows of the whole', () => {
  fc.assert(
    fc.property(options, fc.integer({ min: 0, max: 80 }), (size: FramerOptions, length) => {
      const whole = new Framer(size);
      whole.push(ramp(length));
      const single = new Framer(size);
      const windows: number[][] = [];
      for (const sample of ramp(length)) {
        single.push(Float32Array.of(sample));
        windows.push(...drain(single));
      }
      assert.equal(windows, drain(whole));
      assert.is(single.pending, whole.pending);
      assert.is(single.consumed, whole.consumed);
      assert.is(single.consumed + single.pending, length);
    }),
  );
});

test('a window stays as it is when more samples come', () => {
  const framer = new Framer({ chunkSamples: 2, lookaheadSamples: 0 });
  framer.push(ramp(4096));
  const window = framer.next()!;
  drain(framer);
  framer.push(ramp(1000, 5000)); // takes the place of what was consumed
  assert.equal([...window], [1, 2]);
});

test('the framer keeps no part of the array that was pushed', () => {
  const framer = new Framer({ chunkSamples: 2, lookaheadSamples: 0 });
  const samples = ramp(2);
  framer.push(samples);
  samples.fill(9);
  assert.equal([...framer.next()!], [1, 2]);
});

test('peeking fills up with silence and consumes nothing', () => {
  const framer = new Framer({ chunkSamples: 3, lookaheadSamples: 2 });
  assert.is(framer.peekPadded(), undefined);
  framer.push(ramp(2));
  assert.equal([...framer.peekPadded()!], [1, 2, 0, 0, 0]);
  assert.is(framer.peekPadded(1), undefined);
  assert.is(framer.pending, 2);
  framer.push(ramp(3, 2));
  assert.equal(drain(framer), [[1, 2, 3, 4, 5]]);
});

test('pending look-ahead takes a padded window of its own', () => {
  const framer = new Framer({ chunkSamples: 3, lookaheadSamples: 2 });
  framer.push(ramp(4));
  assert.equal([...framer.peekPadded(0)!], [1, 2, 3, 4, 0]);
  assert.equal([...framer.peekPadded(1)!], [4, 0, 0, 0, 0]);
  assert.is(framer.peekPadded(2), undefined);
});

test('peeking shows the windows that pushing the tail and silence would give', () => {
  fc.assert(
    fc.property(
      options,
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 25 }),
      (size, length, tailLength) => {
        const framer = new Framer(size);
        framer.push(ramp(length));
        drain(framer);
        const pending = framer.pending;
        const tail = ramp(tailLength, 1000);
        const peeked: number[][] = [];
        for (let ahead = 0; ; ahead++) {
          const window = framer.peekPadded(ahead, tail);
          if (window === undefined) break;
          peeked.push([...window]);
        }
        assert.is(framer.pending, pending);
        framer.push(tail);
        framer.push(new Float32Array(size.chunkSamples + size.lookaheadSamples));
        const pushed = drain(framer).slice(0, Math.ceil((pending + tailLength) / size.chunkSamples));
        assert.equal(peeked, pushed);
      },
    ),
  );
});

test('a queue gives back what was appended, whatever was dropped in between', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 9000 }), fc.nat({ max: 9000 })), { maxLength: 20 }),
      (steps) => {
        const queue = new SampleQueue();
        let appended = 0;
        let dropped = 0;
        for (const [append, drop] of steps) {
          queue.append(ramp(append, appended));
          appended += append;
          queue.drop(drop);
          dropped = Math.min(appended, dropped + drop);
          assert.is(queue.length, appended - dropped);
          const held = queue.borrow(0, queue.length);
          assert.is(held.length, queue.length);
          if (held.length > 0) {
            assert.is(held[0], dropped + 1);
            assert.is(held[held.length - 1], appended);
          }
        }
      },
    ),
  );
});

test.run();
