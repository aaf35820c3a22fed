import type {
  ClientMessage,
  ErrorMessage,
  FinalMessage,
  FlushedMessage,
  MarkedMessage,
  PartialMessage,
  ReadyMessage,
  ServerMessage,
  StartMessage,
  StoppedMessage,
  VocabularyAppliedMessage,
  VocabularyPatchMessage,
  VocabularyReplaceMessage,
} from '../protocol/messages.js';
import { LexigateError } from './error.js';
import { OPEN, type WebSocketConstructor, type WebSocketLike } from './socket.js';

const SUBPROTOCOL = 'lexigate.v1';

/** Bytes that may wait in the socket before `sendAudio` makes its caller wait: some seconds of audio. */
const MAX_BUFFERED_BYTES = 256 * 1024;

/** How long `sendAudio` waits before it looks again, in milliseconds: sockets tell nobody that they have drained. */
const BACKPRESSURE_POLL_MS = 5;

/** What a session tells as it happens. */
export interface SessionEvents {
  readonly partial: PartialMessage;
  readonly final: FinalMessage;
  /** Errors that belong to no request. */
  readonly error: ErrorMessage;
  /** Every message, as it comes; also one of a type that this version does not know. */
  readonly message: ServerMessage;
  readonly close: { readonly code: number; readonly reason: string };
}

export interface ConnectOptions {
  /** A key or, in a browser, a short-lived token, where the gateway asks for one. Travels as a subprotocol. */
  readonly token?: string | undefined;
}

export type SessionListener<K extends keyof SessionEvents> = (event: SessionEvents[K]) => void;

/** What `start` says besides its type. */
export type SessionStart = Omit<StartMessage, 'type'>;

/** A whole new list, or changes of single entries; and when they take effect. */
export type VocabularyUpdate =
  | Omit<VocabularyReplaceMessage, 'type' | 'id'>
  | Omit<VocabularyPatchMessage, 'type' | 'id'>;

type Answer = VocabularyAppliedMessage | FlushedMessage | MarkedMessage | StoppedMessage;

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: LexigateError) => void;
}

/** Connects, sends `start` and resolves with the session once the server is ready. */
export function openSession(
  WebSocket: WebSocketConstructor,
  url: string,
  start: SessionStart,
  { token }: ConnectOptions = {},
): Promise<LexigateSession> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, token === undefined ? SUBPROTOCOL : [SUBPROTOCOL, 'bearer', token]);
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'start', ...start } satisfies StartMessage));
    };
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      const message = parse(data);
      if (message?.type === 'ready') resolve(new LexigateSession(socket, message));
      else if (message?.type === 'error') {
        reject(new LexigateError(message.code, message.message));
        socket.close();
      }
    };
    // browsers say nothing of the cause, by intention; `ws` does
    socket.onerror = ({ message }: { readonly message?: string }) => {
      reject(new LexigateError('connection', `${url}: ${explain(message)}`));
    };
    socket.onclose = ({ code, reason }: SessionEvents['close']) => {
      reject(new LexigateError('connection', `${url} closed the connection: ${code} ${reason}`));
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

/** A session of the native protocol from the client's side. */
export class LexigateSession {
  readonly ready: ReadyMessage;
  readonly #socket: WebSocketLike;
  readonly #listeners = new Map<keyof SessionEvents, Set<(event: never) => void>>();
  readonly #pending = new Map<string, Pending>();
  #requests = 0;
  #stopped: Promise<StoppedMessage> | undefined;
  /** Why the server is about to close. */
  #fatal: LexigateError | undefined;

  /** @param socket open, and `ready` its first message; the session takes its events from now on */
  constructor(socket: WebSocketLike, ready: ReadyMessage) {
    this.#socket = socket;
    this.ready = ready;
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      const message = parse(data);
      if (message !== undefined) this.#receive(message);
    };
    // a close follows, which says all that is known
    socket.onerror = () => undefined;
    socket.onclose = ({ code, reason }: SessionEvents['close']) => {
      this.#closed(code, reason);
    };
  }

  on<K extends keyof SessionEvents>(type: K, listener: SessionListener<K>): this {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener as (event: never) => void));
    return this;
  }

  off<K extends keyof SessionEvents>(type: K, listener: SessionListener<K>): this {
    this.#listeners.get(type)?.delete(listener as (event: never) => void);
    return this;
  }

  /** Bytes that were sent and have not left yet. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /**
   * Sends samples in the session's format; resolves once the connection can take more. A caller that does not wait
   * fills its own memory: one that cannot, such as a microphone, looks at `bufferedBytes`.
   */
  async sendAudio(bytes: Uint8Array): Promise<void> {
    if (this.#socket.readyState !== OPEN) throw this.#fatal ?? closedError();
    // memory shared between threads, which a browser would refuse, is nothing that audio comes in
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
    while (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES && this.#socket.readyState === OPEN) {
      await new Promise((resolve) => setTimeout(resolve, BACKPRESSURE_POLL_MS));
    }
  }

  /** Resolves when the list is in force, for one that waits for its moment then; rejects, the old one staying in force, where it cannot be. */
  updateVocabulary(update: VocabularyUpdate): Promise<VocabularyAppliedMessage> {
    return this.#request((id) => ({ type: 'vocabulary.update', id, ...update }));
  }

  /** Resolves once all audio sent so far is decided and its final has come. */
  flush(): Promise<FlushedMessage> {
    return this.#request((id) => ({ type: 'flush', id }));
  }

  /** Resolves once all audio sent so far is decided, however long that takes. */
  mark(): Promise<MarkedMessage> {
    return this.#request((id) => ({ type: 'mark', id }));
  }

  /** Ends the session; resolves with its totals behind the last final. Further calls give the first one's promise. */
  stop(): Promise<StoppedMessage> {
    this.#stopped ??= this.#request(() => ({ type: 'stop' }), 'stop');
    return this.#stopped;
  }

  /** Leaves without waiting for anything. */
  close(): void {
    this.#socket.close();
  }

  #request<A extends Answer>(
    message: (id: string) => ClientMessage,
    key = `${++this.#requests}`,
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== OPEN) {
        reject(this.#fatal ?? closedError());
        return;
      }
      this.#pending.set(key, { resolve, reject });
      this.#socket.send(JSON.stringify(message(key)));
    });
  }

  #receive(message: ServerMessage): void {
    this.#emit('message', message);
    switch (message.type) {
      case 'partial':
      case 'final':
        this.#emit(message.type, message);
        return;
      case 'vocabulary.applied':
      case 'flushed':
      case 'mark':
        this.#settle(message.id, (pending) => pending.resolve(message as never));
        return;
      case 'stopped':
        this.#settle('stop', (pending) => pending.resolve(message as never));
        return;
      case 'error': {
        const error = new LexigateError(message.code, message.message);
        if (message.fatal) this.#fatal = error;
        if (!this.#settle(message.id, (pending) => pending.reject(error))) this.#emit('error', message);
        return;
      }
      case 'ready':
      // nothing, as for the types that a later server may send besides
    }
  }

  #settle(id: string | undefined, action: (pending: Pending) => void): boolean {
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (id === undefined || pending === undefined) return false;
    this.#pending.delete(id);
    action(pending);
    return true;
  }

  #closed(code: number, reason: string): void {
    const error = this.#fatal ?? closedError(`: ${code} ${reason}`);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#emit('close', { code, reason });
  }

  #emit<K extends keyof SessionEvents>(type: K, event: SessionEvents[K]): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

function closedError(how = ''): LexigateError {
  return new LexigateError('connection', `the session is closed${how}`);
}

/** Binary frames and what has no type are no messages of this protocol: passed over like types that are not known. */
function parse(data: unknown): ServerMessage | undefined {
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
