import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SUBPROTOCOL } from '../protocol/validate.js';
import type { SessionLimits } from '../session/limits.js';
import type { RecogniserFactory } from '../session/recogniser.js';
import { Session } from '../session/session.js';
import { forward, keepAlive, toSocket } from './websocket.js';

export interface GatewayOptions {
  readonly recognisers: RecogniserFactory;
  readonly limits: SessionLimits;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Connections at a time; the next is answered with HTTP 503 before the upgrade. */
  readonly maxConnections: number;
  /** 30 s: below the usual minute after which proxies cut idle connections. */
  readonly pingIntervalMs?: number;
}

/** Path of the native protocol. */
export const STREAM_PATH = '/v1/stream';

/** The HTTP server with its WebSocket endpoint: upgrades, and a session per connection. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #sessions = new Set<Session>();
  #url = '';
  #draining = false;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    this.#http = createServer((request, response) => {
      this.#request(request, response);
    });
    this.#sockets = new WebSocketServer({
      noServer: true,
      // frames above the session's own limit still get an error that says so; above this `ws` closes with 1009
      maxPayload: 4 * options.limits.maxFrameBytes,
      // checked by the session's door, which can answer with a reason
      skipUTF8Validation: true,
      perMessageDeflate: false,
      handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
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
    gateway.#url = `ws://${family === 'IPv6' ? `[${address}]` : address}:${port}${STREAM_PATH}`;
    return gateway;
  }

  /** Address for clients of the native protocol. */
  get url(): string {
    return this.#url;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Takes no new connections and waits for the open sessions, at most `graceMs`; those left are told and closed. */
  async stop({ graceMs }: { graceMs: number }): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => {
      this.#http.close(() => {
        resolve();
      });
    });
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.shutDown();
    }, graceMs);
    await closed;
    clearTimeout(timer);
    this.#sockets.close();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', 'http://gateway');
    if (pathname === '/healthz') {
      answer(
        response,
        200,
        `${JSON.stringify({ status: 'ok', sessions: this.sessions })}\n`,
        'application/json',
      );
    } else {
      answer(
        response,
        404,
        `Nothing is here. The WebSocket endpoint is ${STREAM_PATH} (subprotocol ${SUBPROTOCOL}).\n`,
      );
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refuse = (status: string, text: string, headers = ''): void => {
      socket.end(
        `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n${headers}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
    };
    // a peer that goes away during the handshake is no error of ours
    socket.on('error', () => undefined);
    const { pathname } = new URL(request.url ?? '/', 'http://gateway');
    if (pathname !== STREAM_PATH) {
      refuse('404 Not Found', `There is no WebSocket at ${pathname}; connect to ${STREAM_PATH}.\n`);
      return;
    }
    if (this.#draining || this.#sockets.clients.size >= this.#options.maxConnections) {
      const reason = this.#draining ? 'The server is shutting down' : 'The server is full';
      refuse('503 Service Unavailable', `${reason}; try again later.\n`, 'Retry-After: 5\r\n');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      this.#connected(ws);
    });
  }

  #connected(ws: WebSocket): void {
    const { recognisers, limits, pingIntervalMs = 30_000 } = this.#options;
    const session = new Session(toSocket(ws), { recognisers, limits });
    this.#sessions.add(session);
    ws.on('close', () => {
      this.#sessions.delete(session);
    });
    keepAlive(ws, pingIntervalMs);
    forward(ws, session);
  }
}

function answer(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
