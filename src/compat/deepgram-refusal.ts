import { randomUUID } from 'node:crypto';
import type { Refusal } from '../session/endpoint.js';

/** What Deepgram calls the refusals that are not about what was asked for. */
const CODES: Readonly<Record<number, string>> = {
  401: 'INVALID_AUTH',
  403: 'INSUFFICIENT_PERMISSIONS',
  429: 'TOO_MANY_REQUESTS',
  503: 'SERVICE_UNAVAILABLE',
};

/**
 * A refusal as Deepgram's clients expect it: in the body for those who read it, in the headers for those whose WebSocket
 * library shows no body.
 */
export function inTheirWords(
  { status, message, headers }: Omit<Refusal, 'accept'>,
  {
    code = CODES[status] ?? 'BAD_REQUEST',
    requestId = randomUUID(),
  }: { code?: string; requestId?: string } = {},
): Refusal {
  return {
    accept: false,
    status,
    message: JSON.stringify({ err_code: code, err_msg: message, request_id: requestId }),
    headers: {
      ...headers,
      'Content-Type': 'application/json',
      'dg-request-id': requestId,
      'dg-error': message,
    },
  };
}
