import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Headers } from '../session/endpoint.js';

/** Path and query behind a host of no meaning; what is no path (`*`, a proxy's whole address) counts as the root. */
export function urlOf({ url = '/' }: IncomingMessage): URL {
  return new URL(`http://gateway${url.startsWith('/') ? url : '/'}`);
}

/** The subprotocols that a client offers. */
export function protocolsOf({ headers }: IncomingMessage): string[] {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
}

export interface ForwardedOptions {
  /** What a proxy says of its client is believed. */
  readonly trustProxy: boolean;
}

/**
 * What the client calls the server. A proxy in front may have put another name in its place, and says the first one in
 * `X-Forwarded-Host`; without one in front a client could say so itself.
 */
export function hostOf({ headers }: IncomingMessage, { trustProxy }: ForwardedOptions): string | undefined {
  return (trustProxy ? lastOf(headers['x-forwarded-host']) : undefined) ?? headers.host;
}

/** The last proxy's word: what stands before it came from further out, where anyone may have written it. */
function lastOf(header: string | string[] | undefined): string | undefined {
  const last = `${header ?? ''}`.split(',').at(-1)!.trim();
  return last === '' ? undefined : last;
}

/** Answers an upgrade with what is no upgrade, and hangs up. */
export function refuseUpgrade(socket: Duplex, status: number, message: string, headers: Headers = {}): void {
  const body = `${message}\n`;
  const lines = headerLines({
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': `${Buffer.byteLength(body)}`,
    ...headers,
  });
  // a client that never hangs up itself would keep its end of the connection
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** A value may quote the request: a line break in it would begin a header of the client's making. */
export function headerLines(headers: Headers = {}): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${headerValue(value)}`);
}

function headerValue(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?');
}

/** Answers a request; the body is text unless `headers` say otherwise. */
export function answer(response: ServerResponse, status: number, body: string, headers: Headers = {}): void {
  const safe = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, headerValue(value)]));
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...safe,
  });
  response.end(body);
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers = {},
): void {
  answer(response, status, `${JSON.stringify(body)}\n`, { 'Content-Type': 'application/json', ...headers });
}
