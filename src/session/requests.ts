import { ProtocolError } from '../protocol/errors.js';
import { TokenBucket } from '../util/token-bucket.js';
import type { SessionLimits } from './limits.js';

/** Counts what a client asks for against what may wait, and updates against what may come in a second. */
export class Requests {
  readonly #limits: SessionLimits;
  readonly #updates: TokenBucket;
  #pending = 0;

  constructor(limits: SessionLimits, now: () => number) {
    const perSecond = limits.maxUpdatesPerSecond;
    this.#limits = limits;
    this.#updates = new TokenBucket({ perSecond, burst: 2 * perSecond, now });
  }

  /** @throws ProtocolError `too_many_requests`; the request then counts as never made */
  asked(type: 'vocabulary.update' | 'flush' | 'mark', id: string | undefined): void {
    const { maxPendingRequests, maxUpdatesPerSecond } = this.#limits;
    if (this.#pending >= maxPendingRequests) {
      throw new ProtocolError(
        'too_many_requests',
        `${maxPendingRequests} requests wait for their answers, the most that may; wait for some of them.`,
        { id },
      );
    }
    if (type === 'vocabulary.update' && !this.#updates.take()) {
      throw new ProtocolError(
        'too_many_requests',
        `More than ${maxUpdatesPerSecond} updates a second came; the list in force stays. Send what it should be as one update, in a second.`,
        { id },
      );
    }
    this.#pending++;
  }

  answered(): void {
    this.#pending--;
  }
}
