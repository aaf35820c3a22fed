import { ProtocolError } from '../protocol/errors.js';
import type { SessionLimits } from './limits.js';

export interface TimeoutsOptions {
  readonly limits: SessionLimits;
  /** The server itself does not read: silence is not the client's doing. */
  readonly paused: () => boolean;
  /** The session is to end. */
  readonly expired: (error: ProtocolError) => void;
}

/** How long a session may last, and how long its client may say nothing. */
export class Timeouts {
  readonly #options: TimeoutsOptions;
  readonly #lifetime: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined;

  /** A `start` is awaited. */
  constructor(options: TimeoutsOptions) {
    const { limits, expired } = options;
    this.#options = options;
    const seconds = limits.maxSessionSeconds;
    const message = `The session has lasted ${seconds} seconds, the most it may; open a new one.`;
    this.#lifetime = setTimeout(() => {
      expired(new ProtocolError('session_too_long', message));
    }, seconds * 1000).unref();
    this.#await(limits.startSeconds, 'no "start" came');
  }

  /** Something came, or may come from now on. */
  heard(): void {
    this.#await(this.#options.limits.idleSeconds, 'nothing came');
  }

  /** Nothing can come. */
  rest(): void {
    clearTimeout(this.#idle);
  }

  stop(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#lifetime);
  }

  #await(seconds: number, what: string): void {
    const { paused, expired } = this.#options;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (paused()) this.#await(seconds, what);
      else
        expired(new ProtocolError('idle_timeout', `${what} for ${seconds} seconds; the session is closed.`));
    }, seconds * 1000).unref();
  }
}
