import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { frameLevels, level, SILENCE_DBFS } from '../src/audio/levels.js';

test('a square wave at full scale is 0 dBFS, a sine 3 dB below, a tenth of it 20 dB below that', () => {
  const sine = Float32Array.from({ length: 16000 }, (_, i) => Math.sin((2 * Math.PI * 100 * i) / 16000));
  assert.is(level(Float32Array.of(1, -1, 1, -1)), 0);
  assert.ok(Math.abs(level(sine) + 3.01) < 0.01);
  assert.ok(Math.abs(level(sine.map((value) => value / 10)) + 23.01) < 0.01);
});

test('silence has the lowest level, and nothing has a lower one', () => {
  assert.is(level(new Float32Array(640)), SILENCE_DBFS);
  assert.is(level(new Float32Array(0)), SILENCE_DBFS);
  assert.is(level(Float32Array.of(1e-20)), SILENCE_DBFS);
});

test('each whole frame has a level of its own', () => {
  const samples = new Float32Array(640 * 2 + 100).fill(1, 640);
  assert.equal([...frameLevels(samples)], [SILENCE_DBFS, 0]);
});

test.run();
