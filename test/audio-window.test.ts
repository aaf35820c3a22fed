import fc from 'fast-check';
import { Subject } from 'rxjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { window } from '../src/audio/window.js';
import { type Window, Windower } from '../src/audio/windower.js';
import { data, type Flow } from '../src/util/flow.js';

const OPTIONS = { chunkFrames: 2, lookaheadFrames: 1, frameSamples: 4 };
const NOTHING = new Float32Array(0);

function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => i + 1);
}

function plain(windows: readonly Window[]): unknown {
  return windows.map((each) => ({ ...each, pcm: [...each.pcm] }));
}

/** Numbers of the frames that the windows say are to be decoded. */
function decodedFrames(windows: readonly Window[]): number[] {
  return windows.flatMap(({ frame, from, to }) =>
    Array.from({ length: Math.max(0, to - from) }, (_, i) => frame + from + i),
  );
}

test('windows advance by a chunk and show the look-ahead', () => {
  const windows = new Windower(OPTIONS).push(ramp(21));
  assert.equal(plain(windows), [
    { pcm: [...ramp(12)], frame: 0, from: 0, to: 2, tentative: false },
    { pcm: [...ramp(20).subarray(8)], frame: 2, from: 0, to: 2, tentative: false },
  ]);
});

test('any split of the samples gives the same windows', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 17 }), { maxLength: 12 }), (sizes) => {
      const samples = ramp(sizes.reduce((sum, size) => sum + size, 0));
      const whole = new Windower(OPTIONS).push(samples);
      const windower = new Windower(OPTIONS);
      let at = 0;
      const parts = sizes.flatMap((size) => {
        at += size;
        return windower.push(samples.subarray(at - size, at));
      });
      assert.equal(plain(parts), plain(whole));
    }),
  );
});

test('a flush decides all samples, filled up with silence, and two frames behind them', () => {
  const windower = new Windower(OPTIONS);
  windower.push(ramp(5));
  const windows = windower.flush(NOTHING);
  assert.equal(decodedFrames(windows), [0, 1, 2, 3]);
  assert.ok(windows.every(({ tentative }) => tentative));
  assert.equal([...windows[0]!.pcm], [...ramp(5), 0, 0, 0, 0, 0, 0, 0]);
  assert.is(windower.decided, 5);
});

test('what the resampler holds back is part of a flush, and not of the stream', () => {
  const windower = new Windower(OPTIONS);
  windower.push(ramp(5));
  assert.equal([...windower.flush(Float32Array.of(9, 9))[0]!.pcm.subarray(0, 8)], [1, 2, 3, 4, 5, 9, 9, 0]);
  assert.is(windower.received, 5);
});

test('a second flush without audio decides nothing', () => {
  const windower = new Windower(OPTIONS);
  windower.push(ramp(5));
  windower.flush(NOTHING);
  assert.equal(windower.flush(NOTHING), []);
});

test('however flushes fall, each frame is decoded once in its place and the stream is not shifted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.boolean()), { minLength: 1, maxLength: 10 }),
      (steps) => {
        const windower = new Windower(OPTIONS);
        const samples = ramp(400);
        const seen: number[] = [];
        let at = 0;
        for (const [size, flushed] of steps) {
          const windows = windower.push(samples.subarray(at, at + size));
          at += size;
          for (const each of windows) {
            assert.equal([...each.pcm], [...samples.subarray(each.frame * 4, each.frame * 4 + 12)]);
          }
          seen.push(...decodedFrames(windows));
          if (flushed) {
            const end = Math.ceil(at / 4);
            seen.push(...decodedFrames(windower.flush(NOTHING)).filter((frame) => frame < end));
            assert.is(windower.decided, at);
          }
        }
        assert.equal(
          seen,
          seen.map((_, i) => i),
        );
      },
    ),
  );
});

test('a mark passes once its audio is decided and not before, a flush at once behind its windows', () => {
  const input = new Subject<Flow<Float32Array>>();
  const out: string[] = [];
  input.pipe(window(OPTIONS)).subscribe((item) => {
    out.push(
      item.kind === 'data'
        ? `window ${item.value.frame}`
        : `${item.boundary.type} ${item.boundary.id} at ${item.boundary.sample}`,
    );
  });
  const boundary = (type: 'mark' | 'flush', id: string): void => {
    input.next({ kind: 'boundary', boundary: { type, id } });
  };
  boundary('mark', 'a');
  input.next(data(ramp(6)));
  boundary('mark', 'b');
  input.next(data(ramp(5)));
  assert.equal(out, ['mark a at 0']);
  input.next(data(ramp(1)));
  assert.equal(out.slice(1), ['window 0', 'mark b at 6']);
  boundary('mark', 'c');
  boundary('flush', 'd');
  assert.equal(out.slice(3), ['window 2', 'window 4', 'mark c at 12', 'flush d at 12']);
});

test('unsubscribing from the windows unsubscribes from the samples', () => {
  const input = new Subject<Flow<Float32Array>>();
  input.pipe(window(OPTIONS)).subscribe().unsubscribe();
  assert.not(input.observed);
});

test.run();
