import type { IncomingMessage } from 'node:http';
import { type Authenticator, isRefusal } from '../access/authenticator.js';
import { credentialOfHeader } from '../access/credential.js';
import { isLoopback } from '../access/origins.js';
import type { Exposed } from '../observability/exposition.js';
import type { Refusal } from '../session/endpoint.js';
import { answer } from './http.js';
import type { Route } from './route.js';

export const METRICS_PATH = '/metrics';

export interface MetricsRouteOptions {
  readonly authenticator: Authenticator;
  /** Whether a proxy is in front, so that everybody seems to be on this machine. */
  readonly trustProxy: boolean;
  readonly expose: () => Promise<Exposed>;
}

/**
 * Metrics for Prometheus. They tell how busy the place is, so they are for who holds a key (a token is for speaking), and
 * for who is on this machine and asks directly.
 */
export function metricsRoute({ authenticator, trustProxy, expose }: MetricsRouteOptions): Route {
  return {
    path: METRICS_PATH,
    handle: async (request, response) => {
      response.setHeader('Cache-Control', 'no-store');
      const refusal = await refuse(request);
      if (refusal !== undefined) answer(response, refusal.status, refusal.message, refusal.headers);
      else {
        const { contentType, text } = await expose();
        answer(response, 200, request.method === 'HEAD' ? '' : text, { 'Content-Type': contentType });
      }
    },
  };

  async function refuse(request: IncomingMessage): Promise<Refusal | undefined> {
    const { method, headers } = request;
    if (method !== 'GET' && method !== 'HEAD') return refused(405, 'Send GET.', { Allow: 'GET, HEAD' });
    if (!trustProxy && isFromHere(request)) return undefined;
    const principal = await authenticator.authenticate(credentialOfHeader(headers.authorization));
    if (isRefusal(principal)) return { ...principal, message: `${principal.message}\n` };
    if (principal.keyId === undefined) {
      return refused(
        403,
        'Without keys, metrics can be had on this machine only; make a key (docs/access.md).',
      );
    }
    if (principal.tokenId !== undefined) return refused(403, 'A token is not for metrics; send the key.');
    return undefined;
  }
}

/**
 * From this machine, by a name of it (a page elsewhere may have made its own name point here), and not handed on by a
 * proxy that the gateway was not told of.
 */
function isFromHere({ socket, headers }: IncomingMessage): boolean {
  const peer = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const asked = `http://${headers.host ?? ''}`;
  const host = URL.canParse(asked) ? new URL(asked).hostname : '';
  const handedOn = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host'].some(
    (name) => name in headers,
  );
  return isLoopback(peer) && isLoopback(host) && !handedOn;
}

function refused(status: number, message: string, headers = {}): Refusal {
  return { accept: false, status, message: `${message}\n`, headers };
}
