import type { ConnectionRequest } from '../session/endpoint.js';

/** What precedes a key or token in a header, and in the subprotocols of a browser, whose WebSocket sends no headers. */
const SCHEMES: readonly string[] = ['bearer', 'token'];

/** Names of a credential in the query, for clients that can be told nothing but an address. */
const PARAMETERS = ['access_token', 'token'];

/** A request, and the key or token that it came with. */
export interface Presented {
  /** Never logged, and never part of an error. */
  readonly credential: string | undefined;
  /** Without the credential, so that nothing behind can pass it on. */
  readonly request: ConnectionRequest;
}

/** Takes the credential off a request: from its header, else from the subprotocols, else from the query. */
export function takeCredential({ url, headers, protocols }: ConnectionRequest): Presented {
  const { authorization, ...otherHeaders } = headers;
  const scheme = protocols.findIndex((name) => SCHEMES.includes(name));
  const offered = scheme < 0 ? undefined : protocols[scheme + 1];
  const bare = new URL(url);
  for (const name of PARAMETERS) bare.searchParams.delete(name);
  const asked = PARAMETERS.map((name) => url.searchParams.get(name)).find((value) => value !== null);
  return {
    credential: credentialOfHeader(authorization) ?? offered ?? asked ?? undefined,
    request: {
      url: bare,
      headers: otherHeaders,
      protocols: offered === undefined ? protocols : protocols.filter((_, i) => i !== scheme + 1),
    },
  };
}

/** Of `Authorization: Bearer …` or, as Deepgram's clients say, `Token …`. */
export function credentialOfHeader(header: string | string[] | undefined): string | undefined {
  const [, scheme, credential] = /^\s*(\w+)\s+(\S+)\s*$/.exec(`${header ?? ''}`) ?? [];
  return scheme !== undefined && SCHEMES.includes(scheme.toLowerCase()) ? credential : undefined;
}
