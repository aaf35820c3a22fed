import type { IncomingMessage, ServerResponse } from 'node:http';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ACCESS_LIMITS_SCHEMA, type AccessLimits, firstFault } from '../access/access-limits.js';
import { type Authenticator, isRefusal, type Principal } from '../access/authenticator.js';
import { credentialOfHeader } from '../access/credential.js';
import { answer, answerJson } from './http.js';
import type { Route } from './route.js';

export const TOKEN_PATH = '/v1/token';

/** A token's life where the request does not say: long enough to load a page and connect. */
const DEFAULT_SECONDS = 300;

/** Bytes of a request. */
const MAX_BODY_BYTES = 4096;

export interface TokenRouteOptions {
  readonly authenticator: Authenticator;
  /** The longest that a token may live. */
  readonly maxSeconds: number;
}

interface TokenRequest {
  readonly seconds?: number;
  readonly limits?: AccessLimits;
}

/**
 * POST with a key gives a token that stands for it; GET says what a credential is worth, which a browser cannot learn
 * from a WebSocket that fails.
 */
export function tokenRoute(options: TokenRouteOptions): Route {
  const validate = new Ajv2020().compile<TokenRequest>({
    type: 'object',
    additionalProperties: false,
    properties: {
      seconds: { type: 'integer', minimum: 1, maximum: options.maxSeconds },
      limits: ACCESS_LIMITS_SCHEMA,
    },
  });
  return {
    path: TOKEN_PATH,
    handle: async (request, response) => {
      // an answer is about one credential, and a token is one
      response.setHeader('Cache-Control', 'no-store');
      if (request.method !== 'GET' && request.method !== 'POST') {
        answer(response, 405, 'Send GET, or POST with a key.\n', { Allow: 'GET, POST' });
        return;
      }
      const principal = await options.authenticator.authenticate(
        credentialOfHeader(request.headers.authorization),
      );
      if (isRefusal(principal)) {
        answer(response, principal.status, `${principal.message}\n`, principal.headers);
      } else if (request.method === 'GET') answerJson(response, 200, describe(principal));
      else await issue(principal, request, response);
    },
  };

  async function issue(
    { keyId, tokenId }: Principal,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { authenticator, maxSeconds } = options;
    if (keyId === undefined || authenticator.issue === undefined) {
      answer(response, 404, 'This gateway asks for no keys, and gives no tokens; connect without one.\n');
      return;
    }
    if (tokenId !== undefined) {
      answer(response, 403, 'A token gives no other token; send the key.\n');
      return;
    }
    const body = await readJson(request);
    if (body === undefined || !validate(body)) {
      const fault =
        body === undefined ? `it is no JSON of at most ${MAX_BODY_BYTES} bytes` : firstFault(validate.errors);
      const example = '{"seconds": 300, "limits": {"maxEntries": 100}}';
      answer(
        response,
        400,
        `The request cannot be used: ${fault}. Send nothing, or for example ${example}.\n`,
      );
      return;
    }
    const { seconds = Math.min(DEFAULT_SECONDS, maxSeconds), limits = {} } = body;
    const token = await authenticator.issue(keyId, seconds, limits);
    answerJson(response, 200, { token, expiresInSeconds: seconds });
  }
}

function describe({ keyId, tokenId, expiresInSeconds }: Principal): Readonly<Record<string, unknown>> {
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
