import { Fft } from '../util/fft.js';

/** 10 ms and 25 ms at 16 kHz, the only rate for which these filterbanks are made. */
export const SHIFT = 160;
const LENGTH = 400;
const FFT_SIZE = 512;
const RATE = 16_000;
/** A frame's window begins this many samples before the frame itself: it lies around the frame's middle. */
export const LEAD = (LENGTH - SHIFT) / 2;

const PRE_EMPHASIS = 0.97;
/** Energies below it count as it does (FLT_EPSILON in Kaldi). */
const FLOOR = 2 ** -23;

/** Both kinds as sherpa-onnx asks kaldi-native-fbank for them; the second is close to what NeMo trains with (librosa). */
export type FbankKind = 'kaldi' | 'nemo';

interface Recipe {
  /** The window at a phase from 0 to 1. */
  readonly window: (phase: number) => number;
  /** Samples between phases 0 and 1. */
  readonly period: number;
  readonly removeDc: boolean;
  /** Hz. */
  readonly lowest: number;
  readonly highest: number;
  readonly mel: (hertz: number) => number;
  readonly hertz: (mel: number) => number;
  /** Triangles are drawn over frequency, their areas equal, instead of over mel, their heights equal. */
  readonly overFrequency: boolean;
}

const RECIPES: Readonly<Record<FbankKind, Recipe>> = {
  kaldi: {
    // "Povey": like Hamming's, but zero at the edges
    window: (phase) => (0.5 - 0.5 * Math.cos(2 * Math.PI * phase)) ** 0.85,
    period: LENGTH - 1,
    removeDc: true,
    lowest: 20,
    // `high-freq=-400`
    highest: 7600,
    mel: (hertz) => 1127 * Math.log(1 + hertz / 700),
    hertz: (mel) => 700 * (Math.exp(mel / 1127) - 1),
    overFrequency: false,
  },
  nemo: {
    window: (phase) => 0.5 - 0.5 * Math.cos(2 * Math.PI * phase),
    period: LENGTH,
    removeDc: false,
    lowest: 0,
    highest: RATE / 2,
    // Slaney's scale (Auditory Toolbox 1998): linear up to 1 kHz, then 27 steps for each factor of 6.4
    mel: (hertz) => (hertz < 1000 ? (3 * hertz) / 200 : 15 + (27 * Math.log(hertz / 1000)) / Math.log(6.4)),
    hertz: (mel) => (mel < 15 ? (200 * mel) / 3 : 1000 * 6.4 ** ((mel - 15) / 27)),
    overFrequency: true,
  },
};

interface Triangle {
  /** First bin of the spectrum that counts. */
  readonly from: number;
  readonly weights: Float64Array;
}

/** Samples behind the begin of the first frame that `frames` of them read. */
export function samplesFor(frames: number): number {
  return (frames - 1) * SHIFT + LENGTH - LEAD;
}

/**
 * Logarithms of mel filterbank energies, numerically those of kaldi-native-fbank (feature-window.cc,
 * mel-computations.cc) with `snip-edges=false`, no dither, and samples in [-1, 1]. Every frame depends on its own 25 ms
 * only, pre-emphasis included.
 */
export class Fbank {
  readonly bands: number;
  readonly #fft = new Fft(FFT_SIZE);
  readonly #window: Float64Array;
  readonly #removeDc: boolean;
  readonly #triangles: readonly Triangle[];
  readonly #re = new Float64Array(FFT_SIZE);
  readonly #im = new Float64Array(FFT_SIZE);

  constructor(bands: number, kind: FbankKind) {
    const recipe = RECIPES[kind];
    this.bands = bands;
    this.#removeDc = recipe.removeDc;
    this.#window = Float64Array.from({ length: LENGTH }, (_, n) => recipe.window(n / recipe.period));
    this.#triangles = triangles(bands, recipe);
  }

  /**
   * @param samples from the begin of the first frame on, `samplesFor(frames)` or more
   * @param before the `LEAD` samples before it; at the begin of a stream there are none, and what follows is mirrored
   * @returns row-major (frames, bands)
   */
  compute(samples: Float32Array, before: Float32Array | undefined, frames: number): Float32Array {
    if (samples.length < samplesFor(frames)) {
      throw new RangeError(`${frames} frames take ${samplesFor(frames)} samples, not ${samples.length}`);
    }
    const audio = new Float32Array(LEAD + samples.length);
    audio.set(before ?? samples.slice(0, LEAD).reverse());
    audio.set(samples, LEAD);
    const rows = new Float32Array(frames * this.bands);
    for (let frame = 0; frame < frames; frame++) {
      this.#spectrum(audio, frame * SHIFT);
      this.#energies(rows, frame * this.bands);
    }
    return rows;
  }

  /** Leaves the frame's spectrum in `#re` and `#im`. */
  #spectrum(audio: Float32Array, begin: number): void {
    const re = this.#re;
    let sum = 0;
    for (let n = 0; n < LENGTH; n++) sum += audio[begin + n]!;
    const mean = this.#removeDc ? sum / LENGTH : 0;
    // the first sample stands for the one before it
    let last = audio[begin]! - mean;
    for (let n = 0; n < LENGTH; n++) {
      const sample = audio[begin + n]! - mean;
      re[n] = (sample - PRE_EMPHASIS * last) * this.#window[n]!;
      last = sample;
    }
    re.fill(0, LENGTH);
    this.#im.fill(0);
    this.#fft.transform(re, this.#im);
  }

  #energies(rows: Float32Array, offset: number): void {
    for (const [band, { from, weights }] of this.#triangles.entries()) {
      let energy = 0;
      for (let k = 0; k < weights.length; k++) {
        energy += weights[k]! * (this.#re[from + k]! ** 2 + this.#im[from + k]! ** 2);
      }
      rows[offset + band] = Math.log(Math.max(energy, FLOOR));
    }
  }
}

/** Triangles of equal width on the mel scale, each from the middle of the one before to that of the one behind. */
function triangles(bands: number, { lowest, highest, mel, hertz, overFrequency }: Recipe): Triangle[] {
  const step = (mel(highest) - mel(lowest)) / (bands + 1);
  const place = overFrequency ? (frequency: number) => frequency : mel;
  return Array.from({ length: bands }, (_, band) => {
    const corners = [band, band + 1, band + 2].map((i) => mel(lowest) + i * step);
    const [left, middle, right] = (overFrequency ? corners.map(hertz) : corners) as [number, number, number];
    const height = overFrequency ? 2 / (right - left) : 1;
    const weights: number[] = [];
    let from = 0;
    for (let bin = 0; bin <= FFT_SIZE / 2; bin++) {
      const at = place((bin * RATE) / FFT_SIZE);
      const weight = height * Math.min((at - left) / (middle - left), (right - at) / (right - middle));
      if (weight <= 0) continue;
      if (weights.length === 0) from = bin;
      weights.push(weight);
    }
    return { from, weights: Float64Array.from(weights) };
  });
}
