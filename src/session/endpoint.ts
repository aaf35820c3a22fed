import type { SessionObserver, WatchSessions } from '../observability/session-event.js';
import type { ProtocolError } from '../protocol/errors.js';
import type { SessionLimits } from './limits.js';
import type { RecogniserFactory } from './recogniser.js';
import type { Resumption } from './resumption.js';
import type { Socket } from './socket.js';

/** What a connection asked for when it was opened. */
export interface ConnectionRequest {
  /** Path and query; scheme and host mean nothing. */
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Subprotocols that the client offers. */
  readonly protocols: readonly string[];
  /** What its key or token allows, where the server asks for one. */
  readonly limits?: Pick<Partial<SessionLimits>, 'maxEntries' | 'maxSessionSeconds'>;
  /** Whose key or token it came with, where the server asks for one. */
  readonly keyId?: string | undefined;
}

/** The answer to a request before the connection stands. */
export type Handshake =
  /** Subprotocol to confirm, if any. */
  { readonly accept: true; readonly protocol?: string; readonly headers?: Headers } | Refusal;

/** An answer that no connection follows. */
export interface Refusal {
  readonly accept: false;
  readonly status: number;
  /** The body, plain text unless `headers` say otherwise. */
  readonly message: string;
  readonly headers?: Headers;
}

/** HTTP headers of an answer; what may not stand in one is replaced on the way. */
export type Headers = Readonly<Record<string, string>>;

/** One end of a connection: what is done with its frames. */
export interface Connection {
  text(text: string): void;
  /** The connection owns the bytes. */
  binary(bytes: Uint8Array): void;
  /** Something below the protocol's messages went wrong. */
  fail(error: ProtocolError): void;
  /**
   * The peer is gone, whoever closed.
   * @param cut without having said so: it may come back
   */
  disconnected(cut?: boolean): void;
  /** Tells the peer that the server shuts down, and closes. */
  shutDown(): void;
}

/** A protocol that the server speaks at a path. */
export interface Endpoint {
  readonly path: string;
  /** Words a refusal of the server's (no key, no room) as this protocol's clients expect it. */
  refusal?(refusal: Refusal): Refusal;
  handshake(request: ConnectionRequest): Handshake;
  connect(socket: Socket, request: ConnectionRequest): Connection;
}

/** What every endpoint's sessions stand on. */
export interface SessionEnvironment {
  readonly recognisers: RecogniserFactory;
  readonly limits: SessionLimits;
  /** A clock in milliseconds that never goes back; by default the process's. */
  readonly now?: () => number;
  /** Absent: sessions end with their connection. */
  readonly resumption?: Resumption;
  /** Makes what watches a session. */
  readonly watch?: WatchSessions;
}

/** What a session of one connection stands on. */
export interface ConnectionEnvironment extends Omit<SessionEnvironment, 'watch'> {
  readonly watch?: () => SessionObserver;
}

/** The environment of one connection: the server's limits, or narrower ones of who connects. */
export function environmentOf(
  { watch, ...environment }: SessionEnvironment,
  { limits = {}, url, headers, keyId }: ConnectionRequest,
): ConnectionEnvironment {
  const { maxEntries, maxSessionSeconds } = environment.limits;
  return {
    ...environment,
    ...(watch !== undefined && { watch: () => watch({ path: url.pathname, headers, keyId }) }),
    limits: {
      ...environment.limits,
      maxEntries: Math.min(maxEntries, limits.maxEntries ?? maxEntries),
      maxSessionSeconds: Math.min(maxSessionSeconds, limits.maxSessionSeconds ?? maxSessionSeconds),
    },
  };
}
