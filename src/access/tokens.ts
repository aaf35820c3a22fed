import { randomBytes, randomUUID } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { ACCESS_LIMITS_SCHEMA, type AccessLimits } from './access-limits.js';

/** Who makes the tokens, and for whom: one that another service signed with the same secret is none of ours. */
const NAME = 'lexigate';

/** RFC 7518, 3.2: HS256 needs a secret of 256 bits. */
const SECRET_BYTES = 32;

/** What a token says of who holds it. */
export interface TokenClaims {
  /** The key that it was made with. */
  readonly keyId: string;
  readonly tokenId: string;
  readonly limits: AccessLimits;
  readonly expiresInSeconds: number;
}

export interface TokensOptions {
  /** 32 bytes or more. By default made up, so that tokens end with the process. */
  readonly secret?: Uint8Array;
  /** Seconds since 1970. */
  readonly now?: () => number;
}

const isLimits = new Ajv2020().compile<AccessLimits>(ACCESS_LIMITS_SCHEMA);

/** Short-lived tokens, signed: JSON Web Tokens (RFC 7519) with HMAC-SHA-256. Nothing of them is kept. */
export class Tokens {
  readonly #secret: Uint8Array;
  readonly #now: () => number;

  constructor({ secret = randomBytes(SECRET_BYTES), now = () => Date.now() / 1000 }: TokensOptions = {}) {
    if (secret.length < SECRET_BYTES) {
      throw new Error(
        `The token secret has ${secret.length} bytes; use at least ${SECRET_BYTES} random ones.`,
      );
    }
    this.#secret = secret;
    this.#now = now;
  }

  async issue(keyId: string, seconds: number, limits: AccessLimits): Promise<string> {
    const now = Math.floor(this.#now());
    return new SignJWT({ limits: { ...limits } })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(NAME)
      .setAudience(NAME)
      .setSubject(keyId)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .sign(this.#secret);
  }

  /** Undefined for what is no token of ours; `expired` for one that was. */
  async verify(token: string): Promise<TokenClaims | 'expired' | undefined> {
    const now = this.#now();
    try {
      const { payload } = await jwtVerify(token, this.#secret, {
        algorithms: ['HS256'],
        issuer: NAME,
        audience: NAME,
        requiredClaims: ['sub', 'jti', 'exp'],
        currentDate: new Date(now * 1000),
      });
      return claims(payload, now);
    } catch (thrown) {
      if (thrown instanceof errors.JWTExpired) return 'expired';
      if (thrown instanceof errors.JOSEError) return undefined;
      throw thrown;
    }
  }
}

function claims({ sub, jti, exp, limits }: JWTPayload, now: number): TokenClaims | undefined {
  if (sub === undefined || jti === undefined || exp === undefined || !isLimits(limits)) return undefined;
  return { keyId: sub, tokenId: jti, limits, expiresInSeconds: Math.max(0, Math.round(exp - now)) };
}
