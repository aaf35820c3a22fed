import type { Refusal } from '../session/endpoint.js';
import type { AccessLimits } from './access-limits.js';

/** Who has come, and what they may do. */
export interface Principal {
  /** Absent where keys are not asked for. */
  readonly keyId?: string;
  /** Of the token that stands for the key. */
  readonly tokenId?: string;
  readonly keyLimits: AccessLimits;
  readonly tokenLimits: AccessLimits;
  /** When the token ends; a session that is open then goes on. */
  readonly expiresInSeconds?: number;
}

/** The one answer to who may come, for all protocols. */
export interface Authenticator {
  /** @param credential a key or a token, if one was given */
  authenticate(credential: string | undefined): Promise<Principal | Refusal>;
  /** A token that stands for a key, for `seconds`; absent where keys are not asked for. */
  issue?(keyId: string, seconds: number, limits: AccessLimits): Promise<string>;
}

/** Lets everybody in: who can reach the port, that is. */
export const EVERYBODY: Authenticator = {
  authenticate: async () => ({ keyLimits: {}, tokenLimits: {} }),
};

/** Tells a refusal from what was granted. */
export function isRefusal(answer: object): answer is Refusal {
  return 'accept' in answer;
}
