import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ProtocolError } from '../protocol/errors.js';
import type { ResumeMessage } from '../protocol/messages.js';
import type { SessionLimits } from './limits.js';
import type { Session } from './session.js';

/** What a session needs that wants to outlive its connection. */
export interface Resumption {
  /** The session may be resumed from now on. @returns the token that it takes */
  opened(session: Session): string;
  /** It has lost its connection. */
  suspended(session: Session): void;
  /** It may not be resumed any more. */
  ended(session: Session): void;
  /**
   * Another session goes on over the connection of the one that was asked.
   * @throws ProtocolError `not_resumable`; the connection then is as it was
   */
  resume(message: ResumeMessage): void;
}

interface Entry {
  readonly session: Session;
  /** SHA-256 of the token: of equal length whatever is compared. */
  readonly digest: Buffer;
  readonly keyId: string | undefined;
}

/** Bytes of a token: not to be guessed in the time for which a session is kept. */
const TOKEN_BYTES = 16;

/**
 * The sessions of a gateway that their clients may come back to: with the token, and with the key that they began with.
 * Of those without a connection there are at most `maxSuspended`; the one that is longest without gives way.
 */
export class ResumableSessions {
  readonly #limits: SessionLimits;
  readonly #entries = new Map<string, Entry>();
  /** In the order in which they lost their connections. */
  readonly #suspended = new Set<Session>();

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  /** Sessions without a connection. */
  get suspended(): number {
    return this.#suspended.size;
  }

  /** @returns its token */
  add(session: Session, keyId: string | undefined): string {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    this.#entries.set(session.id, { session, digest: digestOf(token), keyId });
    return token;
  }

  suspend(session: Session): void {
    this.#suspended.add(session);
    if (this.#suspended.size <= this.#limits.maxSuspended) return;
    const [longest] = this.#suspended;
    longest!.disconnected();
  }

  remove(session: Session): void {
    this.#entries.delete(session.id);
    this.#suspended.delete(session);
  }

  /** The session has a connection again. */
  found(session: Session): void {
    this.#suspended.delete(session);
  }

  /**
   * The session that a client may come back to. What is wrong with the rest is not told to who only guesses.
   * @throws ProtocolError `not_resumable`
   */
  find({ sessionId, token }: ResumeMessage, keyId: string | undefined): Session {
    const entry = this.#entries.get(sessionId);
    const known = entry !== undefined && timingSafeEqual(entry.digest, digestOf(token));
    if (known && entry.keyId === keyId) return entry.session;
    throw notResumable(
      sessionId,
      `there is none of that token and key, it has ended, or it was without a connection for more than ${this.#limits.resumeSeconds} seconds`,
    );
  }
}

export function notResumable(sessionId: string, why: string): ProtocolError {
  return new ProtocolError(
    'not_resumable',
    `The session "${sessionId}" cannot be resumed: ${why}. Send "start" for a new one.`,
  );
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
