import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWav } from '../src/audio/wav.js';
import { Fbank, type FbankKind, LEAD, SHIFT, samplesFor } from '../src/encoder/fbank.js';
import { Fft } from '../src/util/fft.js';
import { packageRoot } from '../src/util/package-root.js';

const fixtures = join(packageRoot(), 'test', 'fixtures');
const speech = readWav(readFileSync(join(fixtures, 'encoder', 'speech.wav'))).channels[0]!;

const transforms = suite('util: Fourier transform');

transforms('it is the sum that defines it', () => {
  const part = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(part, part, (re, im) => {
      const real = Float64Array.from(re);
      const imaginary = Float64Array.from(im);
      new Fft(16).transform(real, imaginary);
      for (let k = 0; k < 16; k++) {
        const angles = re.map((_, n) => (-2 * Math.PI * k * n) / 16);
        const wantRe = angles.reduce((sum, a, n) => sum + re[n]! * Math.cos(a) - im[n]! * Math.sin(a), 0);
        const wantIm = angles.reduce((sum, a, n) => sum + re[n]! * Math.sin(a) + im[n]! * Math.cos(a), 0);
        assert.ok(Math.abs(real[k]! - wantRe) < 1e-12 && Math.abs(imaginary[k]! - wantIm) < 1e-12);
      }
    }),
  );
});

transforms('a size that is no power of two is refused', () => {
  assert.throws(() => new Fft(400), /400 is no power of two/);
});

transforms.run();

const KINDS: readonly FbankKind[] = ['kaldi', 'nemo'];
const banks = suite('encoder: filterbanks');

/** Made by test/fixtures/forms/make.py: frames 0 to 2, 100 to 102, and three before the last. */
function reference(kind: FbankKind): Float32Array {
  const bytes = readFileSync(join(fixtures, 'forms', `fbank-${kind}.bin`));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function largestDifference(got: Float32Array, want: Float32Array): number {
  assert.is(got.length, want.length);
  return got.reduce((worst, value, i) => Math.max(worst, Math.abs(value - want[i]!)), 0);
}

function at(kind: FbankKind, frame: number, frames: number): Float32Array {
  const begin = frame * SHIFT;
  const before = begin === 0 ? undefined : speech.slice(begin - LEAD, begin);
  return new Fbank(80, kind).compute(speech.subarray(begin), before, frames);
}

for (const kind of KINDS) {
  banks(
    `of the kind "${kind}" they are those of kaldi-native-fbank, at the begin, in the middle and near the end`,
    () => {
      const want = reference(kind);
      // kaldi-native-fbank has as many frames as there are shifts, rounded
      const last = Math.round(speech.length / SHIFT) - 1;
      assert.ok(largestDifference(at(kind, 0, 3), want.subarray(0, 240)) < 2e-3);
      assert.ok(largestDifference(at(kind, 100, 3), want.subarray(240, 480)) < 2e-3);
      assert.ok(largestDifference(at(kind, last - 3, 2), want.subarray(480, 640)) < 2e-3);
    },
  );

  banks(`of the kind "${kind}" a frame is the same whichever frame the computation begins at`, () => {
    const whole = at(kind, 0, 60);
    for (const first of [1, 17, 59]) {
      assert.equal(at(kind, first, 1), whole.subarray(first * 80, (first + 1) * 80));
    }
  });
}

banks('digital silence has a floor instead of minus infinity', () => {
  const rows = new Fbank(80, 'kaldi').compute(new Float32Array(samplesFor(2)), undefined, 2);
  assert.ok(rows.every((value) => Math.abs(value - Math.log(2 ** -23)) < 1e-5));
});

banks('too few samples are an error that says how many it takes', () => {
  assert.throws(
    () => new Fbank(80, 'kaldi').compute(new Float32Array(100), undefined, 1),
    /1 frames take 280 samples, not 100/,
  );
});

banks.run();
