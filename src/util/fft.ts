/**
 * Fourier transform of a fixed power-of-two size, in place: the radix-2 algorithm with decimation in time (Cooley and
 * Tukey 1965). Tables are made once; a transform allocates nothing.
 */
export class Fft {
  readonly size: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  /** Where each input goes: its index with the bits in reverse. */
  readonly #reversed: Uint32Array;

  constructor(size: number) {
    if (size < 2 || (size & (size - 1)) !== 0) throw new RangeError(`${size} is no power of two above 1`);
    this.size = size;
    const half = size / 2;
    this.#cos = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.#sin = Float64Array.from({ length: half }, (_, k) => Math.sin((2 * Math.PI * k) / size));
    this.#reversed = new Uint32Array(size);
    for (let i = 1; i < size; i++) this.#reversed[i] = (this.#reversed[i >> 1]! >> 1) | (i & 1 ? half : 0);
  }

  /** Sum over n of (re + i im)[n] exp(-2 pi i k n / size), for each k, in the place of what was there. */
  transform(re: Float64Array, im: Float64Array): void {
    this.#reorder(re, im);
    for (let span = 1; span < this.size; span *= 2) {
      const stride = this.size / (2 * span);
      for (let begin = 0; begin < this.size; begin += 2 * span) {
        for (let k = 0; k < span; k++) {
          const cos = this.#cos[k * stride]!;
          const sin = this.#sin[k * stride]!;
          const a = begin + k;
          const b = a + span;
          const real = re[b]! * cos + im[b]! * sin;
          const imaginary = im[b]! * cos - re[b]! * sin;
          re[b] = re[a]! - real;
          im[b] = im[a]! - imaginary;
          re[a] = re[a]! + real;
          im[a] = im[a]! + imaginary;
        }
      }
    }
  }

  #reorder(re: Float64Array, im: Float64Array): void {
    for (let i = 0; i < this.size; i++) {
      const j = this.#reversed[i]!;
      if (j <= i) continue;
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
}
