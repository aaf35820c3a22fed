import { type Authenticator, isRefusal, type Principal } from '../access/authenticator.js';
import { takeCredential } from '../access/credential.js';
import type { Origins } from '../access/origins.js';
import type { Quotas } from '../access/quotas.js';
import type { ConnectionRequest, Refusal } from '../session/endpoint.js';

export interface DoorOptions {
  readonly authenticator: Authenticator;
  readonly origins: Origins;
  readonly quotas: Quotas;
}

/** Someone who has come in, and holds a place until they leave. */
export interface Admission {
  readonly principal: Principal;
  /** What came, without its credential, and with the limits of who sent it. */
  readonly request: ConnectionRequest;
  leave(): void;
}

/** Seconds after which a client that found no room may try again: sessions end all the time. */
const RETRY_AFTER = '5';

/** Decides who comes in, for every protocol alike, before there is a connection. */
export class Door {
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** @param host what the client calls the gateway */
  async admit(asked: ConnectionRequest, host: string | undefined): Promise<Admission | Refusal> {
    const { authenticator, origins, quotas } = this.#options;
    // before anything is computed for someone who cannot come in anyway
    if (quotas.full) return full(503, 'The server is full; try again later.');
    const origin = asked.headers['origin'];
    if (!origins.allow(origin === undefined ? undefined : `${origin}`, host)) {
      const message = `Pages of ${origin} may not connect; whoever runs the gateway can allow them: --allow-origin ${origin}`;
      return { accept: false, status: 403, message };
    }
    const { credential, request } = takeCredential(asked);
    const principal = await authenticator.authenticate(credential);
    if (isRefusal(principal)) return principal;
    const entered = quotas.enter(principal);
    if (typeof entered !== 'function') return full(entered.status, entered.message);
    const { keyId } = principal;
    return { principal, request: { ...request, limits: limitsOf(principal), keyId }, leave: entered };
  }
}

function limitsOf({ keyLimits, tokenLimits }: Principal): NonNullable<ConnectionRequest['limits']> {
  const least = (name: 'maxEntries' | 'maxSessionSeconds'): number =>
    Math.min(keyLimits[name] ?? Infinity, tokenLimits[name] ?? Infinity);
  return { maxEntries: least('maxEntries'), maxSessionSeconds: least('maxSessionSeconds') };
}

function full(status: 429 | 503, message: string): Refusal {
  return { accept: false, status, message, headers: { 'Retry-After': RETRY_AFTER } };
}

/** For a server that takes no one any more. */
export const SHUTTING_DOWN: Refusal = full(503, 'The server is shutting down; try again later.');
