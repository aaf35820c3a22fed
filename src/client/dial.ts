import type {
  ReadyMessage,
  ResumedMessage,
  ResumeMessage,
  ServerMessage,
  StartMessage,
} from '../protocol/messages.js';
import { LexigateError } from './error.js';
import type { WebSocketConstructor, WebSocketLike } from './socket.js';

const SUBPROTOCOL = 'lexigate.v1';

/** Why and how a socket closed. */
export interface CloseEvent {
  readonly code: number;
  readonly reason: string;
}

export interface Address {
  readonly WebSocket: WebSocketConstructor;
  readonly url: string;
  /** A key or token; asked for anew for each connection where it is a function. */
  readonly token?: string | undefined | (() => string | undefined | Promise<string | undefined>);
}

/** What opens a connection, and what the server answers to it. */
interface Answers {
  readonly start: ReadyMessage;
  readonly resume: ResumedMessage;
}

/**
 * Connects and sends the first message; resolves with what `accept` makes of the answer. That is called within the event
 * that brings the answer, since more may follow at once, and takes the socket's events from then on.
 * @param limitMs how long it may take; without end unless it is said
 */
export async function dial<M extends StartMessage | ResumeMessage, T>(
  { WebSocket, url, token }: Address,
  first: M,
  accept: (socket: WebSocketLike, answer: Answers[M['type']]) => T,
  limitMs?: number,
): Promise<T> {
  const credential = typeof token === 'function' ? await token() : token;
  return new Promise((resolve, reject) => {
    const offered = credential === undefined ? SUBPROTOCOL : [SUBPROTOCOL, 'bearer', credential];
    const socket = new WebSocket(url, offered);
    const timer = limitMs === undefined ? undefined : setTimeout(() => socket.close(), limitMs);
    const fail = (error: LexigateError): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.onopen = () => {
      socket.send(JSON.stringify(first));
    };
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      const message = parse(data);
      if (message?.type === (first.type === 'start' ? 'ready' : 'resumed')) {
        clearTimeout(timer);
        resolve(accept(socket, message as Answers[M['type']]));
      } else if (message?.type === 'error') {
        fail(new LexigateError(message.code, message.message));
        socket.close();
      }
    };
    // browsers say nothing of the cause, by intention; `ws` does
    socket.onerror = ({ message }: { readonly message?: string }) => {
      fail(new LexigateError('connection', `${url}: ${explain(message)}`));
    };
    socket.onclose = ({ code, reason }: CloseEvent) => {
      fail(new LexigateError('connection', `${url} closed the connection: ${code} ${reason}`));
    };
  });
}

/** What the gateway means by an answer that is no connection. */
const REFUSALS: Readonly<Record<string, string>> = {
  401: 'a key or token is needed, and none or another was given',
  403: 'pages of this origin may not connect',
  429: 'the key has as many connections as it may',
  503: 'the gateway is full or about to stop; try again later',
};

function explain(message = 'no connection'): string {
  const status = /^Unexpected server response: (\d+)$/.exec(message)?.[1];
  const meaning = status === undefined ? undefined : REFUSALS[status];
  return meaning === undefined ? message : `${meaning} (HTTP ${status})`;
}

/** Binary frames and what has no type are no messages of this protocol: passed over like types that are not known. */
export function parse(data: unknown): ServerMessage | undefined {
  if (typeof data !== 'string') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  const typed = typeof value === 'object' && value !== null && 'type' in value;
  return typed ? (value as ServerMessage) : undefined;
}
