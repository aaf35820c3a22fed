/** Deepgram's `/v1/listen`: its clients come as they are. What is spoken, and what is not: docs/deepgram.md. */
import { randomUUID } from 'node:crypto';
import type { ConnectionRequest, Endpoint, Handshake, SessionEnvironment } from '../session/endpoint.js';
import { ListenConnection, type ListenRequest } from './deepgram-connection.js';
import { type Credential, credentialOf, subprotocolOf } from './deepgram-credential.js';
import { parseQuery, QueryError } from './deepgram-query.js';

export const LISTEN_PATH = '/v1/listen';

export interface DeepgramOptions {
  /** Whether who comes may come; by default everybody may, with a key or without. */
  readonly authorised?: (credential: Credential | undefined) => boolean;
  /** Without audio or a message for this long, a connection is closed. 10 s: as Deepgram's. */
  readonly idleMs?: number;
}

/** The endpoint of Deepgram's clients. */
export function deepgramEndpoint(
  environment: SessionEnvironment,
  { authorised = () => true, idleMs = 10_000 }: DeepgramOptions = {},
): Endpoint {
  /** From the handshake to its connection. */
  const accepted = new WeakMap<ConnectionRequest, ListenRequest>();
  return {
    path: LISTEN_PATH,
    handshake: (request) => {
      const requestId = randomUUID();
      if (!authorised(credentialOf(request))) {
        return refusal(requestId, 401, 'INVALID_AUTH', 'Invalid credentials.');
      }
      try {
        const options = parseQuery(request.url.searchParams, environment.limits);
        accepted.set(request, { requestId, options, created: new Date() });
      } catch (thrown) {
        if (!(thrown instanceof QueryError)) throw thrown;
        return refusal(requestId, 400, 'INVALID_QUERY_PARAMETER', thrown.message);
      }
      const protocol = subprotocolOf(request);
      return {
        accept: true,
        headers: { 'dg-request-id': requestId },
        ...(protocol !== undefined && { protocol }),
      };
    },
    connect: (socket, request) =>
      new ListenConnection(socket, accepted.get(request)!, environment, { idleMs }),
  };
}

/** In the body for those who read it; in the headers for clients whose WebSocket library shows no body. */
function refusal(requestId: string, status: number, code: string, message: string): Handshake {
  return {
    accept: false,
    status,
    message: JSON.stringify({ err_code: code, err_msg: message, request_id: requestId }),
    headers: { 'Content-Type': 'application/json', 'dg-request-id': requestId, 'dg-error': message },
  };
}
