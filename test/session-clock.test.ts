import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock } from '../src/session/clock.js';

const MODEL_RATE = 16_000;
const FRAME = 640;

test('a place on the model’s clock is the same moment on the client’s, days into a stream too', () => {
  for (const rate of [8000, 11_025, 16_000, 22_050, 44_100, 48_000]) {
    const clock = new Clock(rate, MODEL_RATE, FRAME);
    for (const sample of [0, 1, 640, 57_600_000, 5_000_000_001]) {
      const client = clock.ofModelSample(sample);
      assert.ok(Number.isSafeInteger(client));
      assert.ok(Math.abs(client / rate - sample / MODEL_RATE) <= 0.5 / rate + 1e-9);
    }
  }
});

test('a frame begins where its samples do, and seconds are rounded to milliseconds', () => {
  const clock = new Clock(44_100, MODEL_RATE, FRAME);
  assert.is(clock.ofFrame(25), 44_100);
  assert.is(clock.seconds(1), 0);
  assert.is(clock.seconds(44_100 * 3600 + 45), 3600.001);
});

test.run();
