/**
 * The client's audio clock: samples of one channel since the start, at the client's own rate. The only clock that
 * leaves the gateway; every time is computed anew from a sample count, so nothing adds up over a session.
 */
export class Clock {
  readonly #rate: number;
  readonly #modelRate: number;
  readonly #frameSamples: number;

  /** @param frameSamples samples per frame at the model's rate */
  constructor(rate: number, modelRate: number, frameSamples: number) {
    this.#rate = rate;
    this.#modelRate = modelRate;
    this.#frameSamples = frameSamples;
  }

  /** Client's sample of a sample at the model's rate. */
  ofModelSample(sample: number): number {
    return Math.round((sample * this.#rate) / this.#modelRate);
  }

  /** Client's sample at which a frame begins. */
  ofFrame(frame: number): number {
    return this.ofModelSample(frame * this.#frameSamples);
  }

  /** Seconds of a client's sample, rounded to milliseconds. */
  seconds(sample: number): number {
    return Math.round((sample * 1000) / this.#rate) / 1000;
  }
}
