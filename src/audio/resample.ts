/**
 * Samples of any rate become samples of the model's rate, by libsamplerate (windowed sinc interpolation).
 *
 * 1. Output is made in blocks that lie on a fixed grid, each from its own window of the input by a converter in its
 *    initial state. So the way in which the input was split cannot show, and nothing accumulates over hours.
 * 2. A window begins far enough before its block, and ends far enough after, for the filter to hear all that it would
 *    hear in one long conversion.
 * 3. Output sample n is the sound at input time n / toRate: the clocks differ by their ratio, without delay.
 *
 * One converter serves all streams, since a window needs none of the state of the one before. (One each, as the
 * library's `full` API wants, costs 1.8 MB of resident and 26 MB of virtual memory and 11 ms per stream, measured
 * with 2.1.2.) A stream holds its last 50 ms and nothing to free.
 */
import type { SRC } from '@alexanderolsen/libsamplerate-js/dist/src.js';
import { SampleQueue } from './sample-queue.js';

export interface Resampler {
  /** The output that became certain, `samples` itself where the rates are equal. */
  push(samples: Float32Array): Float32Array;
  /** The output still held back, as it would be if silence followed. Consumes nothing: `push` may go on. */
  flush(): Float32Array;
  close(): void;
}

export async function createResampler(fromRate: number, toRate: number): Promise<Resampler> {
  if (fromRate === toRate) return new PassThrough();
  return new BlockResampler(fromRate, toRate, await loadConverter());
}

const NOTHING = new Float32Array(0);

class PassThrough implements Resampler {
  push(samples: Float32Array): Float32Array {
    return samples;
  }
  flush(): Float32Array {
    return NOTHING;
  }
  close(): void {}
}

/** Converts a whole window, silence before and after it. */
type Converter = (window: Float32Array, fromRate: number, toRate: number) => Float32Array;

/**
 * SRC_SINC_MEDIUM_QUALITY: 121 dB, 90 % of the band; per second of audio 15 ms at 48 kHz, 6 ms at 8 kHz (WASM, one
 * core of a server). FASTEST takes half of that and 80 % of the band, so of telephone speech all above 3.2 kHz is
 * lost; BEST takes 3 times as much for a band that the microphone does not fill.
 */
const QUALITY = 1;

/** Half the filter's length, in samples of the slower rate: 22,438 coefficients at 491 a sample (mid_qual_coeffs.h). */
const HALF_FILTER = 46;

let loading: Promise<Converter> | undefined;

/** Loaded at the first need: 45 ms and 10 MB that a server of 16 kHz clients does not spend. */
function loadConverter(): Promise<Converter> {
  loading ??= import('@alexanderolsen/libsamplerate-js').then(async ({ default: library }) =>
    converterOf(await library.create(1, 8000, 16000, { converterType: QUALITY })),
  );
  return loading;
}

function converterOf({ module }: SRC): Converter {
  return (window, fromRate, toRate) => {
    // views are asked for anew each time: they die when the WASM memory grows
    module.sourceArray(window.length).set(window);
    const frames = module.simple(window.length, 1, QUALITY, fromRate, toRate);
    return module.targetArray(frames);
  };
}

/** Output samples of a block: 40 ms at 16 kHz, the model's frame, so that no window of the encoder waits for another. */
const BLOCK = 640;

class BlockResampler implements Resampler {
  readonly #from: number;
  readonly #to: number;
  readonly #convert: Converter;
  /** Output samples made anew before each block, so that the filter has all of its past. */
  readonly #past: number;
  /** Input samples after a block that the filter hears. */
  readonly #future: number;
  readonly #queue = new SampleQueue();
  /** Input samples received, and dropped from the queue's front. */
  #received = 0;
  #dropped = 0;
  #blocks = 0;

  constructor(fromRate: number, toRate: number, convert: Converter) {
    this.#from = fromRate;
    this.#to = toRate;
    this.#convert = convert;
    const half = Math.ceil(HALF_FILTER * Math.max(1, fromRate / toRate));
    this.#future = half;
    this.#past = pastOf(fromRate, toRate, Math.ceil((half * toRate) / fromRate));
  }

  push(samples: Float32Array): Float32Array {
    this.#queue.append(samples);
    this.#received += samples.length;
    const blocks: Float32Array[] = [];
    while (this.#inputAt((this.#blocks + 1) * BLOCK) + this.#future <= this.#received) {
      blocks.push(this.#block(this.#blocks).slice());
      this.#blocks++;
      this.#forget();
    }
    return concat(blocks);
  }

  flush(): Float32Array {
    const end = Math.ceil((this.#received * this.#to) / this.#from);
    const blocks: Float32Array[] = [];
    for (let block = this.#blocks; block * BLOCK < end; block++) {
      blocks.push(this.#block(block).slice(0, end - block * BLOCK));
    }
    return concat(blocks);
  }

  close(): void {
    this.#queue.drop(this.#queue.length);
  }

  /** Exact where the rate is a multiple of 25 Hz, as all usual ones are; else within half an input sample. */
  #inputAt(output: number): number {
    return Math.round((output * this.#from) / this.#to);
  }

  /** Output samples of a block, borrowed from the converter. What lies outside of the input is silence. */
  #block(block: number): Float32Array {
    const first = this.#inputAt(block * BLOCK - this.#past);
    const last = this.#inputAt((block + 1) * BLOCK) + this.#future;
    const window = new Float32Array(last - first);
    const known = this.#queue.borrow(
      Math.max(first, 0) - this.#dropped,
      Math.min(last, this.#received) - this.#dropped,
    );
    window.set(known, Math.max(0, -first));
    const output = this.#convert(window, this.#from, this.#to).subarray(this.#past, this.#past + BLOCK);
    if (output.length < BLOCK) throw new Error(`libsamplerate gave ${output.length} of ${BLOCK} samples`);
    return output;
  }

  /** Input before the next block's window is not needed again. */
  #forget(): void {
    const keep = Math.max(0, this.#inputAt(this.#blocks * BLOCK - this.#past));
    this.#queue.drop(keep - this.#dropped);
    this.#dropped = keep;
  }
}

/** The least number of output samples that covers the filter and ends where an input sample lies; at most a block. */
function pastOf(fromRate: number, toRate: number, needed: number): number {
  const grid = toRate / gcd(fromRate, toRate);
  const past = Math.ceil(needed / grid) * grid;
  return Math.min(past, BLOCK);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function concat(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
