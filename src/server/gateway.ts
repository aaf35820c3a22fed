import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Connection, ConnectionRequest, Endpoint, Handshake, Headers } from '../session/endpoint.js';
import { type PageFiles, servePage } from './page.js';
import { forward, keepAlive, toSocket } from './websocket.js';

export interface GatewayOptions {
  /** The first one is the native protocol's; `url` is its address. */
  readonly endpoints: readonly Endpoint[];
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Connections at a time; the next is answered with HTTP 503 before the upgrade. */
  readonly maxConnections: number;
  /** Largest frame that is read at all, in bytes; above it the connection is closed with 1009. */
  readonly maxPayload: number;
  /** What browsers get; absent: nothing. */
  readonly page?: PageFiles | undefined;
  /** 30 s: below the usual minute after which proxies cut idle connections. */
  readonly pingIntervalMs?: number;
}

/** The HTTP server with its WebSocket endpoints: upgrades, and a connection's end for each. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #connections = new Set<Connection>();
  /** What an endpoint answered, on its way to the places where `ws` asks for subprotocol and headers. */
  readonly #accepted = new WeakMap<IncomingMessage, Handshake & { readonly accept: true }>();
  #url = '';
  #draining = false;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    this.#http = createServer((request, response) => {
      this.#request(request, response);
    });
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
      this.#upgrade(request, socket, head);
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
    gateway.#url = `ws://${host}:${port}${options.endpoints[0]?.path ?? ''}`;
    return gateway;
  }

  /** Address for clients of the native protocol. */
  get url(): string {
    return this.#url;
  }

  get sessions(): number {
    return this.#connections.size;
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
      for (const connection of this.#connections) connection.shutDown();
    }, graceMs);
    await closed;
    clearTimeout(timer);
    this.#sockets.close();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = urlOf(request);
    const { page } = this.#options;
    if (page !== undefined && servePage(page, pathname, request, response)) return;
    if (pathname === '/healthz') {
      const body = `${JSON.stringify({ status: 'ok', sessions: this.sessions })}\n`;
      answer(response, 200, body, 'application/json');
    } else answer(response, 404, `Nothing is here. WebSocket endpoints: ${this.#paths()}.\n`);
  }

  #paths(): string {
    return this.#options.endpoints.map(({ path }) => path).join(', ');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // a peer that goes away during the handshake is no error of ours
    socket.on('error', () => undefined);
    const url = urlOf(request);
    const endpoint = this.#options.endpoints.find(({ path }) => path === url.pathname);
    if (endpoint === undefined) {
      refuse(socket, 404, `There is no WebSocket at ${url.pathname}; connect to one of ${this.#paths()}.`);
      return;
    }
    if (this.#draining || this.#sockets.clients.size >= this.#options.maxConnections) {
      const reason = this.#draining ? 'The server is shutting down' : 'The server is full';
      refuse(socket, 503, `${reason}; try again later.`, { 'Retry-After': '5' });
      return;
    }
    const asked: ConnectionRequest = { url, headers: request.headers, protocols: protocolsOf(request) };
    const handshake = endpoint.handshake(asked);
    if (!handshake.accept) {
      refuse(socket, handshake.status, handshake.message, handshake.headers);
      return;
    }
    this.#accepted.set(request, handshake);
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      this.#connected(ws, endpoint, asked);
    });
  }

  #connected(ws: WebSocket, endpoint: Endpoint, asked: ConnectionRequest): void {
    const connection = endpoint.connect(toSocket(ws), asked);
    this.#connections.add(connection);
    ws.on('close', () => {
      this.#connections.delete(connection);
    });
    keepAlive(ws, this.#options.pingIntervalMs ?? 30_000);
    forward(ws, connection);
  }
}

/** Path and query behind a host of no meaning; what is no path (`*`, a proxy's whole address) counts as the root. */
function urlOf({ url = '/' }: IncomingMessage): URL {
  return new URL(`http://gateway${url.startsWith('/') ? url : '/'}`);
}

function protocolsOf({ headers }: IncomingMessage): string[] {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
}

/** Answers an upgrade with what is no upgrade. */
function refuse(socket: Duplex, status: number, message: string, headers: Headers = {}): void {
  const body = `${message}\n`;
  const lines = headerLines({
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': `${Buffer.byteLength(body)}`,
    ...headers,
  });
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** A value may quote the request: a line break in it would begin a header of the client's making. */
function headerLines(headers: Headers = {}): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value.replace(/[^\x20-\x7e]/g, '?')}`);
}

function answer(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
