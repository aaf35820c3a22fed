/** What all clients together may use, and what a connection may before it is a session; docs/limits.md lists them. */
export interface ServerLimits {
  /** WebSocket connections at a time; the next is answered with HTTP 503 before the upgrade. */
  readonly maxConnections: number;
  /** The same of one key, unless its record says otherwise; the next is answered with HTTP 429. */
  readonly maxConnectionsPerKey: number;
  /** TCP connections besides those: handshakes, pages, health checks. The next is closed at once. */
  readonly maxHandshakes: number;
  /** Seconds for the handshake of TLS, and for a request; then the connection is closed. */
  readonly handshakeSeconds: number;
  /** Seconds between pings; who has not answered one by the next is gone. */
  readonly pingSeconds: number;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  // room for the 150 streams that two cores are meant to carry, and for those that reconnect
  maxConnections: 200,
  // one key cannot keep the others out
  maxConnectionsPerKey: 100,
  // a page and its files for dozens of people at the same moment
  maxHandshakes: 256,
  // the slowest phone network, not someone who holds the line
  handshakeSeconds: 10,
  // below the usual minute after which proxies cut idle connections
  pingSeconds: 30,
};
