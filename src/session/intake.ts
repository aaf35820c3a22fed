import { bytesPerFrame } from '../audio/decode.js';
import type { PausingLimit } from '../observability/session-event.js';
import type { AudioFormat } from '../protocol/messages.js';
import { TokenBucket } from '../util/token-bucket.js';
import type { SessionLimits } from './limits.js';

export interface IntakeOptions {
  readonly audio: AudioFormat;
  /** How late captions are in any case. */
  readonly latencyMs: number;
  readonly limits: SessionLimits;
  /** A clock in milliseconds that never goes back. */
  readonly now: () => number;
  /** Stops or goes on reading from the client. @param limit that was passed */
  readonly setPaused: (paused: boolean, limit: PausingLimit) => void;
}

/**
 * What came in and is not worked off, and whether more may come. Nothing is dropped: where a bound is passed, the socket
 * is not read, and the client's sends wait in TCP. All samples are per channel, on the client's clock.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #speed: TokenBucket;
  #received = 0;
  #decoded = 0;
  /** Where the audio would be, had it been heard from its arrival on at the speed of speech. */
  #spoken = 0;
  #spokenAt: number;
  /** Bytes of the updates that have no answer; they are answered in order. */
  readonly #updates: number[] = [];
  #updateBytes = 0;
  #tooMuch = false;
  #waitsForSpeed: NodeJS.Timeout | undefined;
  #paused = false;

  constructor(options: IntakeOptions) {
    const { limits, now } = options;
    this.#options = options;
    this.#speed = new TokenBucket({ perSecond: limits.maxSpeed, burst: limits.burstSeconds, now });
    this.#spokenAt = now();
  }

  /** The server does not read. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Samples that have come. */
  get received(): number {
    return this.#received;
  }

  /** Audio decoded so far, in milliseconds. */
  get decodedMs(): number {
    return (this.#decoded * 1000) / this.#options.audio.sampleRate;
  }

  /**
   * How much later than the latency captions are for someone who speaks, in milliseconds. Audio that comes faster than
   * it is spoken is late only once it is not even decoded at that speed.
   */
  get lagMs(): number {
    this.#speak();
    const { audio, latencyMs } = this.#options;
    return Math.max(0, ((this.#spoken - this.#decoded) * 1000) / audio.sampleRate - latencyMs);
  }

  audioReceived(samples: number): void {
    this.#speak();
    this.#received += samples;
    const waitMs = this.#speed.owe(samples / this.#options.audio.sampleRate);
    if (waitMs > 0) this.#waitForSpeed(waitMs);
    this.#update();
  }

  /** @param sample everything before it is decoded */
  audioDecoded(sample: number): void {
    this.#decoded = sample;
    this.#update();
  }

  updateReceived(bytes: number): void {
    this.#updates.push(bytes);
    this.#updateBytes += bytes;
    this.#update();
  }

  updateAnswered(): void {
    this.#updateBytes -= this.#updates.shift() ?? 0;
    this.#update();
  }

  stop(): void {
    clearTimeout(this.#waitsForSpeed);
  }

  #speak(): void {
    const now = this.#options.now();
    const heard = ((now - this.#spokenAt) / 1000) * this.#options.audio.sampleRate;
    this.#spoken = Math.min(this.#received, this.#spoken + heard);
    this.#spokenAt = now;
  }

  #waitForSpeed(ms: number): void {
    clearTimeout(this.#waitsForSpeed);
    this.#waitsForSpeed = setTimeout(() => {
      this.#waitsForSpeed = undefined;
      this.#update();
    }, ms).unref();
  }

  /** With hysteresis, so that reading does not flutter. */
  #update(): void {
    const { audio, limits, setPaused } = this.#options;
    const samples = this.#received - this.#decoded;
    const seconds = samples / audio.sampleRate;
    const bytes = samples * bytesPerFrame(audio) + this.#updateBytes;
    const time = seconds / limits.maxBufferedSeconds;
    const memory = bytes / limits.maxInputBytes;
    this.#tooMuch = Math.max(time, memory) > (this.#tooMuch ? 0.5 : 1);
    const paused = this.#tooMuch || this.#waitsForSpeed !== undefined;
    if (paused === this.#paused) return;
    this.#paused = paused;
    const full = time > memory ? 'maxBufferedSeconds' : 'maxInputBytes';
    setPaused(paused, this.#tooMuch ? full : 'maxSpeed');
  }
}
