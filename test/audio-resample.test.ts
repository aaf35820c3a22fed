import libsamplerate from '@alexanderolsen/libsamplerate-js';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createResampler, type Resampler } from '../src/audio/resample.js';

const MODEL_RATE = 16000;
const RATES = [8000, 11025, 12000, 22050, 24000, 32000, 37800, 44100, 48000];
/** Not a multiple of 25 Hz, so blocks begin between input samples. */
const ODD_RATES = [8001, 15999, 16001, 44056, 47999];

function sine(rate: number, frequency: number, seconds: number): Float32Array {
  return Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, i) => 0.5 * Math.sin((2 * Math.PI * frequency * i) / rate),
  );
}

/** The same noise every time: a linear congruential generator (Numerical Recipes, 7.1). */
function noise(length: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

function convert(resampler: Resampler, input: Float32Array, packet = input.length): Float32Array {
  const output: number[] = [];
  for (let at = 0; at < input.length; at += packet)
    output.push(...resampler.push(input.subarray(at, at + packet)));
  output.push(...resampler.flush());
  resampler.close();
  return Float32Array.from(output);
}

/** Amplitude and phase of the frequency in a signal, by projection; the begin and the end of the signal are left out. */
function tone(samples: Float32Array, rate: number, frequency: number): { amplitude: number; phase: number } {
  const begin = Math.round(rate * 0.1);
  const periods = Math.floor(((samples.length - 2 * begin) * frequency) / rate);
  const end = begin + Math.round((periods * rate) / frequency);
  let re = 0;
  let im = 0;
  for (let i = begin; i < end; i++) {
    re += samples[i]! * Math.cos((2 * Math.PI * frequency * i) / rate);
    im += samples[i]! * Math.sin((2 * Math.PI * frequency * i) / rate);
  }
  return { amplitude: (2 * Math.hypot(re, im)) / (end - begin), phase: Math.atan2(re, im) };
}

test('16 kHz passes through untouched and at once', async () => {
  const resampler = await createResampler(MODEL_RATE, MODEL_RATE);
  const samples = noise(333);
  assert.equal(resampler.push(samples), samples);
  assert.is(resampler.flush().length, 0);
});

test('every rate gives as many samples as its audio lasts', async () => {
  for (const rate of [...RATES, ...ODD_RATES]) {
    for (const length of [0, 1, 100, rate, rate + 7]) {
      const output = convert(await createResampler(rate, MODEL_RATE), noise(length));
      assert.is(output.length, Math.ceil((length * MODEL_RATE) / rate), `${length} samples at ${rate}`);
    }
  }
});

test('any split of the input gives bit-identical output, down to one sample at a time', async () => {
  for (const rate of [8000, 11025, 44100, 48000, 44056]) {
    const input = noise(Math.round(rate * 0.3));
    const whole = convert(await createResampler(rate, MODEL_RATE), input);
    for (const packet of [1, 7, 160, 641, 4000]) {
      assert.equal(
        convert(await createResampler(rate, MODEL_RATE), input, packet),
        whole,
        `${rate}, packets of ${packet}`,
      );
    }
  }
});

test('any split by chance gives bit-identical output', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...RATES, ...ODD_RATES),
      fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 6 }),
      async (rate, packets) => {
        const input = noise(packets.reduce((sum, length) => sum + length, 0));
        const whole = convert(await createResampler(rate, MODEL_RATE), input);
        const resampler = await createResampler(rate, MODEL_RATE);
        const output: number[] = [];
        let at = 0;
        for (const length of packets) {
          output.push(...resampler.push(input.subarray(at, at + length)));
          at += length;
        }
        output.push(...resampler.flush());
        assert.equal(Float32Array.from(output), whole);
      },
    ),
    { numRuns: 40 },
  );
});

test('streams that take turns do not hear each other', async () => {
  const input = noise(8000);
  const alone = convert(await createResampler(8000, MODEL_RATE), input);
  const first = await createResampler(8000, MODEL_RATE);
  const other = await createResampler(44100, MODEL_RATE);
  const output: number[] = [];
  for (let at = 0; at < input.length; at += 500) {
    output.push(...first.push(input.subarray(at, at + 500)));
    other.push(sine(44100, 300, 0.05));
  }
  output.push(...first.flush());
  assert.equal(Float32Array.from(output), alone);
});

test('blocks join to what one conversion of the whole gives', async () => {
  for (const rate of RATES) {
    const input = noise(rate);
    const converter = await libsamplerate.create(1, rate, MODEL_RATE, {
      converterType: libsamplerate.ConverterType.SRC_SINC_MEDIUM_QUALITY,
    });
    const whole = converter.simple(input);
    converter.destroy();
    const output = convert(await createResampler(rate, MODEL_RATE), input);
    for (let i = 0; i < whole.length; i++) {
      assert.ok(
        Math.abs(output[i]! - whole[i]!) < 1e-5,
        `sample ${i} at ${rate}: ${output[i]} and ${whole[i]}`,
      );
    }
  }
});

test('a sine keeps its level and its place in time to a hundredth of a sample', async () => {
  for (const rate of RATES) {
    for (const frequency of [200, 1000, 3000]) {
      const output = convert(await createResampler(rate, MODEL_RATE), sine(rate, frequency, 1));
      const { amplitude, phase } = tone(output, MODEL_RATE, frequency);
      const shift = (phase / (2 * Math.PI * frequency)) * MODEL_RATE;
      assert.ok(Math.abs(amplitude - 0.5) < 0.001, `${frequency} Hz at ${rate}: level ${amplitude}`);
      assert.ok(Math.abs(shift) < 0.01, `${frequency} Hz at ${rate}: ${shift} samples late`);
    }
  }
});

test('at a rate off the grid of 25 Hz a sine is at most a sample away', async () => {
  for (const rate of ODD_RATES) {
    const output = convert(await createResampler(rate, MODEL_RATE), sine(rate, 1000, 1));
    const { amplitude, phase } = tone(output, MODEL_RATE, 1000);
    assert.ok(Math.abs(amplitude - 0.5) < 0.025, `${rate}: level ${amplitude}`);
    assert.ok(Math.abs(phase / (2 * Math.PI * 1000)) * MODEL_RATE < 1, `${rate}: phase ${phase}`);
  }
});

test('what the slower rate cannot hold does not come back as another tone', async () => {
  const output = convert(await createResampler(48000, MODEL_RATE), sine(48000, 10000, 0.5));
  assert.ok(tone(output, MODEL_RATE, 6000).amplitude < 1e-4);
});

test('an impulse a minute in lies where the clock says', async () => {
  const rate = 44100;
  const resampler = await createResampler(rate, MODEL_RATE);
  const second = new Float32Array(rate);
  let heard = 0;
  const hear = (output: Float32Array): number => {
    const loudest = output.reduce(
      (best, value, i) => (Math.abs(value) > Math.abs(output[best]!) ? i : best),
      0,
    );
    const place = output.length > 0 && Math.abs(output[loudest]!) > 0.1 ? heard + loudest : -1;
    heard += output.length;
    return place;
  };
  for (let i = 0; i < 60; i++) assert.is(hear(resampler.push(second)), -1);
  const place = 60 * rate + 441 * 10;
  const impulse = new Float32Array(rate);
  impulse[441 * 10] = 1;
  assert.is(hear(resampler.push(impulse)), (place * MODEL_RATE) / rate);
});

test('flushing shows the rest as though silence followed, and the stream goes on as though it had not been', async () => {
  for (const rate of [8000, 44100]) {
    const input = noise(rate);
    const resampler = await createResampler(rate, MODEL_RATE);
    const half = Math.round(rate / 2) + 13;
    const begin = [...resampler.push(input.subarray(0, half))];
    const rest = resampler.flush();
    assert.equal(
      Float32Array.from([...begin, ...rest]),
      convert(await createResampler(rate, MODEL_RATE), input.subarray(0, half)),
    );
    assert.equal(resampler.flush(), rest);
    const output = [...begin, ...resampler.push(input.subarray(half)), ...resampler.flush()];
    assert.equal(Float32Array.from(output), convert(await createResampler(rate, MODEL_RATE), input));
  }
});

test('no more than a block and the filter is held back', async () => {
  for (const rate of RATES) {
    const resampler = await createResampler(rate, MODEL_RATE);
    const pushed = resampler.push(noise(rate)).length;
    assert.ok(MODEL_RATE - pushed <= 640 + 100, `${MODEL_RATE - pushed} at ${rate}`);
  }
});

test.run();
