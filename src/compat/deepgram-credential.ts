import type { ConnectionRequest } from '../session/endpoint.js';

/** How a client says who it is. Never logged, and never part of an error. */
export interface Credential {
  readonly kind: 'token' | 'bearer';
  readonly key: string;
}

/** Subprotocols of a browser, whose WebSocket can send no headers: the kind, with the key as its next one. */
const KINDS = ['token', 'bearer'] as const;

/** The subprotocol to confirm: the kind of credential, never the key behind it. */
export function subprotocolOf({ protocols }: ConnectionRequest): Credential['kind'] | undefined {
  return KINDS.find((kind) => protocols.includes(kind));
}

/** The credential of a request: in its header, in a browser's subprotocols, or in the query. */
export function credentialOf(request: ConnectionRequest): Credential | undefined {
  const { headers, protocols, url } = request;
  const [, kind, key] = /^\s*(token|bearer)\s+(\S+)\s*$/i.exec(`${headers['authorization'] ?? ''}`) ?? [];
  if (kind !== undefined && key !== undefined) return { kind: kind.toLowerCase() as Credential['kind'], key };
  const offered = subprotocolOf(request);
  const next = offered === undefined ? undefined : protocols[protocols.indexOf(offered) + 1];
  if (offered !== undefined && next !== undefined) return { kind: offered, key: next };
  const token = url.searchParams.get('token');
  if (token !== null) return { kind: 'token', key: token };
  const bearer = url.searchParams.get('access_token');
  return bearer === null ? undefined : { kind: 'bearer', key: bearer };
}
