/** Deepgram's `/v1/listen`: its clients come as they are. What is spoken, and what is not: docs/deepgram.md. */
import { randomUUID } from 'node:crypto';
import {
  type ConnectionRequest,
  type Endpoint,
  environmentOf,
  type SessionEnvironment,
} from '../session/endpoint.js';
import { ListenConnection, type ListenRequest } from './deepgram-connection.js';
import { parseQuery, QueryError } from './deepgram-query.js';
import { inTheirWords } from './deepgram-refusal.js';

export const LISTEN_PATH = '/v1/listen';

export interface DeepgramOptions {
  /** Without audio or a message for this long, a connection is closed. 10 s: as Deepgram's. */
  readonly idleMs?: number;
}

/** Subprotocols of a browser, whose WebSocket can send no headers: the kind of credential, with the key as its next one. */
const CREDENTIAL_KINDS = ['token', 'bearer'];

/** The endpoint of Deepgram's clients. */
export function deepgramEndpoint(
  environment: SessionEnvironment,
  { idleMs = 10_000 }: DeepgramOptions = {},
): Endpoint {
  /** From the handshake to its connection. */
  const accepted = new WeakMap<ConnectionRequest, ListenRequest>();
  return {
    path: LISTEN_PATH,
    refusal: (refusal) => inTheirWords(refusal),
    handshake: (request) => {
      const requestId = randomUUID();
      try {
        const options = parseQuery(request.url.searchParams, environmentOf(environment, request).limits);
        accepted.set(request, { requestId, options, created: new Date() });
      } catch (thrown) {
        if (!(thrown instanceof QueryError)) throw thrown;
        const { message } = thrown;
        return inTheirWords({ status: 400, message }, { code: 'INVALID_QUERY_PARAMETER', requestId });
      }
      // the kind alone is confirmed: the key was taken off before
      const protocol = CREDENTIAL_KINDS.find((kind) => request.protocols.includes(kind));
      return {
        accept: true,
        headers: { 'dg-request-id': requestId },
        ...(protocol !== undefined && { protocol }),
      };
    },
    connect: (socket, request) =>
      new ListenConnection(socket, accepted.get(request)!, environmentOf(environment, request), { idleMs }),
  };
}
