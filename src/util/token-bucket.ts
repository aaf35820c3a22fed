/** A rate with a burst: tokens come steadily up to `burst`, and are taken as they are needed. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  /** @param now a clock in milliseconds that never goes back */
  constructor({ perSecond, burst, now }: { perSecond: number; burst: number; now: () => number }) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#at = now();
  }

  /** Takes one, if there is one. */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes what may not be there yet; returns the milliseconds until that debt is paid, 0 where there is none. */
  owe(tokens: number): number {
    this.#fill();
    this.#tokens -= tokens;
    return Math.max(0, (-this.#tokens / this.#perSecond) * 1000);
  }

  #fill(): void {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
  }
}
