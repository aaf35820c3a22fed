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
  /** False: everybody may come. */
  readonly required: boolean;
  /** @param credential a key or a token, if one was given */
  authenticate(credential: string | undefined): Promise<Principal | Refusal>;
}

/** Lets everybody in: who can reach the port, that is. */
export const EVERYBODY: Authenticator = {
  required: false,
  authenticate: async () => ({ keyLimits: {}, tokenLimits: {} }),
};

/** Tells a refusal from what was granted. */
export function isRefusal(answer: object): answer is Refusal {
  return 'accept' in answer;
}
