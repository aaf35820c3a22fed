import { ProtocolError } from '../protocol/errors.js';
import { TokenBucket } from '../util/token-bucket.js';
import type { SessionLimits } from './limits.js';

/**
 * Updates that may wait for their moment, and bytes that they may have together: unlike all else that waits, they do so
 * for as long as the client likes. More are refused.
 */
const MAX_SCHEDULED = 64;

interface Scheduled {
  readonly id: string;
  readonly bytes: number;
}

/** Counts what a client asks for against what may wait, and updates against what may come in a second. */
export class Requests {
  readonly #limits: SessionLimits;
  readonly #updates: TokenBucket;
  #scheduled: readonly Scheduled[] = [];
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

  /**
   * An update will wait for its moment.
   * @throws ProtocolError `too_many_requests`; the request then counts as answered
   */
  scheduled(id: string, bytes: number): void {
    const { maxFrameBytes } = this.#limits;
    const waiting = this.#scheduled.reduce((sum, each) => sum + each.bytes, 0);
    if (this.#scheduled.length >= MAX_SCHEDULED || waiting + bytes > maxFrameBytes) {
      this.#pending--;
      throw new ProtocolError(
        'too_many_requests',
        `${this.#scheduled.length} updates of ${waiting} bytes wait for their moment; at most ${MAX_SCHEDULED} of together ${maxFrameBytes} bytes may. Send this one when some of them are in force.`,
        { id },
      );
    }
    this.#scheduled = [...this.#scheduled, { id, bytes }];
  }

  /** @returns whether it was an update that had been scheduled */
  answered(id: string | undefined): boolean {
    this.#pending--;
    const place = this.#scheduled.findIndex((each) => each.id === id);
    if (place < 0) return false;
    this.#scheduled = this.#scheduled.toSpliced(place, 1);
    return true;
  }
}
