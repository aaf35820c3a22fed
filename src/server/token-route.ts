import type { IncomingMessage } from 'node:http';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ACCESS_LIMITS_SCHEMA, type AccessLimits, firstFault } from '../access/access-limits.js';
import { type Authenticator, isRefusal, type Principal } from '../access/authenticator.js';
import { credentialOfHeader } from '../access/credential.js';
import type { Headers, Refusal } from '../session/endpoint.js';
import { answer, answerJson } from './http.js';
import type { Route } from './route.js';

/** Bytes of a request. */
const MAX_BODY_BYTES = 4096;

/** How a token is asked for, and given. */
export interface TokenDialect {
  readonly path: string;
  /** Member of the request that says how long the token shall live. */
  readonly secondsMember: string;
  /** Where the request does not say. */
  readonly defaultSeconds: number;
  /** Body of the answer. */
  answer(token: string, seconds: number): object;
  /** Words a refusal. */
  refusal(refusal: Refusal): Refusal;
}

/** The gateway's own. */
export const NATIVE_TOKENS: TokenDialect = {
  path: '/v1/token',
  secondsMember: 'seconds',
  // long enough to load a page and connect
  defaultSeconds: 300,
  answer: (token, seconds) => ({ token, expiresInSeconds: seconds }),
  refusal: (refusal) => ({ ...refusal, message: `${refusal.message}\n` }),
};

export interface TokenRouteOptions {
  readonly authenticator: Authenticator;
  /** The longest that a token may live, in seconds. */
  readonly maxSeconds: number;
}

/**
 * POST with a key gives a token that stands for it; GET says what a credential is worth, which a browser cannot learn
 * from a WebSocket that fails.
 */
export function tokenRoute(
  { authenticator, maxSeconds }: TokenRouteOptions,
  dialect: TokenDialect = NATIVE_TOKENS,
): Route {
  const { path, secondsMember, defaultSeconds } = dialect;
  const validate = new Ajv2020().compile<Readonly<Record<string, unknown>>>({
    type: 'object',
    additionalProperties: false,
    properties: {
      [secondsMember]: { type: 'integer', minimum: 1, maximum: maxSeconds },
      limits: ACCESS_LIMITS_SCHEMA,
    },
  });
  return {
    path,
    handle: async (request, response) => {
      // an answer is about one credential, and a token is one
      response.setHeader('Cache-Control', 'no-store');
      const answered = await respond(request);
      if (!isRefusal(answered)) answerJson(response, 200, answered);
      else {
        const { status, message, headers } = dialect.refusal(answered);
        answer(response, status, message, headers);
      }
    },
  };

  async function respond(request: IncomingMessage): Promise<object> {
    const { method } = request;
    if (method !== 'GET' && method !== 'POST') {
      return refused(405, 'Send GET, or POST with a key.', { Allow: 'GET, POST' });
    }
    const principal = await authenticator.authenticate(credentialOfHeader(request.headers.authorization));
    if (isRefusal(principal)) return principal;
    return method === 'GET' ? describe(principal) : issue(principal, request);
  }

  async function issue({ keyId, tokenId }: Principal, request: IncomingMessage): Promise<object> {
    if (keyId === undefined || authenticator.issue === undefined) {
      return refused(404, 'This gateway asks for no keys, and gives no tokens; connect without one.');
    }
    if (tokenId !== undefined) return refused(403, 'A token gives no other token; send the key.');
    const body = await readJson(request);
    if (body === undefined || !validate(body)) {
      const fault =
        body === undefined ? `it is no JSON of at most ${MAX_BODY_BYTES} bytes` : firstFault(validate.errors);
      const example = JSON.stringify({ [secondsMember]: defaultSeconds, limits: { maxEntries: 100 } });
      return refused(400, `The request cannot be used: ${fault}. Send nothing, or for example ${example}.`);
    }
    const seconds = Number(body[secondsMember] ?? Math.min(defaultSeconds, maxSeconds));
    const limits = (body['limits'] ?? {}) as AccessLimits;
    return dialect.answer(await authenticator.issue(keyId, seconds, limits), seconds);
  }
}

function refused(status: number, message: string, headers: Headers = {}): Refusal {
  return { accept: false, status, message, headers };
}

function describe({ keyId, tokenId, expiresInSeconds }: Principal): object {
  if (keyId === undefined) return { credential: 'none' };
  return tokenId === undefined ? { credential: 'key' } : { credential: 'token', expiresInSeconds };
}

/** An empty body is an empty object; undefined: too long, or no JSON. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  // what is left of a body that is too long must not take the answer's connection with it
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    parts.push(part);
  }
  try {
    return bytes === 0 ? {} : JSON.parse(Buffer.concat(parts).toString());
  } catch {
    return undefined;
  }
}
