import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Authenticator, EVERYBODY, isRefusal, type Principal } from '../access/authenticator.js';
import { Origins } from '../access/origins.js';
import { Quotas } from '../access/quotas.js';
import type { GatewayMetrics } from '../observability/gateway-metrics.js';
import { type Logger, SILENT } from '../observability/logger.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Connection, ConnectionRequest, Endpoint, Handshake, Refusal } from '../session/endpoint.js';
import { type Admission, Door, SHUTTING_DOWN } from './door.js';
import { answer, answerJson, headerLines, hostOf, protocolsOf, refuseUpgrade, urlOf } from './http.js';
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from './limits.js';
import { type PageFiles, servePage } from './page.js';
import type { Route } from './route.js';
import { forward, keepAlive, toSocket } from './websocket.js';

/** Certificate chain and private key, PEM. */
export interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface GatewayOptions extends Partial<ServerLimits> {
  /** The first one is the native protocol's; `url` is its address. */
  readonly endpoints: readonly Endpoint[];
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Largest frame that is read at all, in bytes; above it the connection is closed with 1009. */
  readonly maxPayload: number;
  /** What browsers get; absent: nothing. */
  readonly page?: PageFiles | undefined;
  /** HTTP resources besides. */
  readonly routes?: readonly Route[];
  /** Who may come; absent: everybody. */
  readonly authenticator?: Authenticator;
  /** Pages that may connect; absent: the gateway's own, asked for by a name of this machine. */
  readonly origins?: Origins;
  /** Absent: no encryption. */
  readonly tls?: TlsFiles | undefined;
  /** What a proxy in front says of its client is believed. */
  readonly trustProxy?: boolean;
  /** Why no session could be served at present, for who asks whether the gateway is ready; undefined: it could. */
  readonly unready?: () => string | undefined;
  /** Counts connections. */
  readonly metrics?: Pick<GatewayMetrics, 'connected' | 'refused' | 'dropped'>;
  readonly logger?: Logger;
}

/** The HTTP server with its WebSocket endpoints: upgrades, and a connection's end for each. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #limits: ServerLimits;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #door: Door;
  readonly #quotas: Quotas;
  readonly #logger: Logger;
  readonly #connections = new Map<Connection, Principal>();
  /** What an endpoint answered, on its way to the places where `ws` asks for subprotocol and headers. */
  readonly #accepted = new WeakMap<IncomingMessage, Handshake & { readonly accept: true }>();
  #url = '';
  #draining = false;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_SERVER_LIMITS, ...options };
    this.#quotas = new Quotas(this.#limits);
    this.#logger = options.logger ?? SILENT;
    this.#door = new Door({
      authenticator: options.authenticator ?? EVERYBODY,
      origins: options.origins ?? new Origins({ allowed: [], loopbackOnly: true }),
      quotas: this.#quotas,
    });
    this.#http = this.#createServer();
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxPayload,
      // checked at the protocol's door, which can answer with a reason
      skipUTF8Validation: true,
      perMessageDeflate: false,
      handleProtocols: (_, request) => this.#accepted.get(request)?.protocol ?? false,
    });
    this.#sockets.on('headers', (lines, request) => {
      lines.push(...headerLines(this.#accepted.get(request)?.headers));
    });
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head).catch((thrown: unknown) => {
        this.#logger.error({ err: thrown }, 'a handshake failed');
        refuseUpgrade(socket, 500, 'The server failed; try again.');
      });
    });
  }

  /** Listens; rejects where the port cannot be had. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const gateway = new Gateway(options);
    await new Promise<void>((resolve, reject) => {
      gateway.#http.once('error', reject);
      gateway.#http.listen(options.port, options.host, resolve);
    });
    const { port, address, family } = gateway.#http.address() as AddressInfo;
    const host = family === 'IPv6' ? `[${address}]` : address;
    const scheme = options.tls === undefined ? 'ws' : 'wss';
    gateway.#url = `${scheme}://${host}:${port}${options.endpoints[0]?.path ?? ''}`;
    return gateway;
  }

  /** Address for clients of the native protocol. */
  get url(): string {
    return this.#url;
  }

  get sessions(): number {
    return this.#connections.size;
  }

  /** Bytes sent that clients have not taken yet. */
  get waitingBytes(): number {
    return [...this.#sockets.clients].reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0);
  }

  /** Uses another certificate for connections to come. */
  renewTls(tls: TlsFiles): void {
    if (this.#http instanceof TlsServer) this.#http.setSecureContext(tls);
  }

  /** Tells and closes the connections of keys that are no more. */
  revoke(keyIds: readonly string[]): void {
    for (const [connection, { keyId }] of this.#connections) {
      if (keyId === undefined || !keyIds.includes(keyId)) continue;
      connection.fail(
        new ProtocolError('access_revoked', 'The key of this session was revoked; connect with another.'),
      );
    }
  }

  /** Takes no new connections and waits for the open ones, at most `graceMs`; those left are told and closed. */
  async stop({ graceMs }: { graceMs: number }): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => {
      this.#http.close(() => {
        resolve();
      });
    });
    const timer = setTimeout(() => {
      for (const connection of this.#connections.keys()) connection.shutDown();
    }, graceMs);
    await closed;
    clearTimeout(timer);
    this.#sockets.close();
  }

  #createServer(): Server {
    const { handshakeSeconds, maxConnections, maxHandshakes } = this.#limits;
    const patienceMs = handshakeSeconds * 1000;
    const timeouts = {
      headersTimeout: patienceMs,
      requestTimeout: patienceMs,
      connectionsCheckingInterval: Math.min(patienceMs, 1000),
    };
    const { tls } = this.#options;
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#request(request, response);
    };
    const server =
      tls === undefined
        ? createServer(timeouts, handle)
        : createTlsServer({ ...timeouts, ...tls, handshakeTimeout: patienceMs }, handle);
    server.maxConnections = maxConnections + maxHandshakes;
    server.on('drop', () => this.#options.metrics?.dropped());
    return server;
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = urlOf(request);
    const { page, routes = [] } = this.#options;
    if (page !== undefined && servePage(page, pathname, request, response)) return;
    const route = routes.find(({ path }) => path === pathname);
    if (route !== undefined) {
      try {
        await route.handle(request, response);
      } catch (thrown) {
        this.#logger.error({ path: pathname, err: thrown }, 'a request failed');
        if (!response.headersSent) answer(response, 500, 'The server failed; try again.\n');
      }
    } else if (pathname === '/healthz') {
      answerJson(response, 200, { status: 'ok', sessions: this.sessions });
    } else if (pathname === '/readyz') {
      const reason = this.#unready();
      if (reason === undefined) answerJson(response, 200, { status: 'ready' });
      else answerJson(response, 503, { status: 'unready', reason });
    } else answer(response, 404, `Nothing is here. WebSocket endpoints: ${this.#paths()}.\n`);
  }

  #unready(): string | undefined {
    if (this.#draining) return 'the gateway is shutting down';
    if (this.#quotas.full) return `all ${this.#limits.maxConnections} connections are taken`;
    return this.#options.unready?.();
  }

  #paths(): string {
    return this.#options.endpoints.map(({ path }) => path).join(', ');
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // a peer that goes away during the handshake is no error of ours
    socket.on('error', () => undefined);
    const url = urlOf(request);
    const endpoint = this.#options.endpoints.find(({ path }) => path === url.pathname);
    if (endpoint === undefined) {
      const message = `There is no WebSocket at ${url.pathname}; connect to one of ${this.#paths()}.`;
      this.#refused(undefined, 404);
      refuseUpgrade(socket, 404, message);
      return;
    }
    const refuse = (refusal: Refusal): void => {
      this.#refused(url.pathname, refusal.status);
      const { status, message, headers } = endpoint.refusal?.(refusal) ?? refusal;
      refuseUpgrade(socket, status, message, headers);
    };
    const asked = { url, headers: request.headers, protocols: protocolsOf(request) };
    const admission = await this.#admit(request, asked);
    if (isRefusal(admission)) {
      refuse(admission);
      return;
    }
    if (socket.destroyed) {
      admission.leave();
      return;
    }
    // not of the WebSocket: where `ws` finds fault with the handshake there is none
    socket.once('close', () => admission.leave());
    const handshake = endpoint.handshake(admission.request);
    if (!handshake.accept) {
      this.#refused(url.pathname, handshake.status);
      refuseUpgrade(socket, handshake.status, handshake.message, handshake.headers);
      return;
    }
    this.#accepted.set(request, handshake);
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      this.#connected(ws, endpoint, admission);
    });
  }

  /** @param path of an endpoint; another is a stranger's text, and not told */
  #refused(path: string | undefined, status: number): void {
    this.#options.metrics?.refused(status);
    this.#logger.debug({ path, status }, 'connection refused');
  }

  async #admit(request: IncomingMessage, asked: ConnectionRequest): Promise<Admission | Refusal> {
    if (this.#draining) return SHUTTING_DOWN;
    const host = hostOf(request, { trustProxy: this.#options.trustProxy ?? false });
    const admission = await this.#door.admit(asked, host);
    if (!this.#draining || isRefusal(admission)) return admission;
    admission.leave();
    return SHUTTING_DOWN;
  }

  #connected(ws: WebSocket, endpoint: Endpoint, { principal, request }: Admission): void {
    const connection = endpoint.connect(toSocket(ws), request);
    this.#connections.set(connection, principal);
    const left = this.#options.metrics?.connected(endpoint.path);
    ws.on('close', () => {
      this.#connections.delete(connection);
      left?.();
    });
    keepAlive(ws, this.#limits.pingSeconds * 1000);
    forward(ws, connection);
  }
}
