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
  VocabularySettledMessage,
} from '../protocol/messages.js';
import { type Address, type CloseEvent, dial } from './dial.js';
import { LexigateError } from './error.js';
import { Link, type LinkEvents } from './link.js';
import { backoffMs } from './retry.js';
import type { WebSocketConstructor } from './socket.js';

/** How long `sendAudio` waits before it looks again, in milliseconds: sockets tell nobody that they have drained. */
const BACKPRESSURE_POLL_MS = 5;

/** What a session tells as it happens. */
export interface SessionEvents {
  readonly partial: PartialMessage;
  readonly final: FinalMessage;
  /** All that is learnt about a list in the background takes part. */
  readonly settled: VocabularySettledMessage;
  /** Errors that belong to no request. */
  readonly error: ErrorMessage;
  /**
   * Every message, as it comes; also one of a type that this version does not know. Not those that only keep the session
   * whole: `progress` and `resumed`.
   */
  readonly message: ServerMessage;
  /** The connection is lost; what is asked and sent meanwhile waits. Followed by `resumed`, `lost` or `close`. */
  readonly reconnecting: CloseEvent;
  /** The session goes on, as though nothing had been; audio before `sample` had arrived before. */
  readonly resumed: { readonly sample: number };
  /** The session did not come back, and what was asked has failed; `close` follows. */
  readonly lost: { readonly message: string };
  /** Nothing follows. */
  readonly close: CloseEvent;
}

export interface ConnectOptions {
  /**
   * A key or, in a browser, a short-lived token, where the gateway asks for one. Travels as a subprotocol. A function is
   * asked again for each connection: a token may have run out when the session has to come back.
   */
  readonly token?: Address['token'];
  /** False: a lost connection ends the session. */
  readonly reconnect?: boolean;
  /** How long to wait before an attempt to come back, counted from 0, in milliseconds. */
  readonly delayMs?: (attempt: number) => number;
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
  { token, reconnect = true, delayMs = backoffMs }: ConnectOptions = {},
): Promise<LexigateSession> {
  const address = { WebSocket, url, token };
  const options = reconnect ? { options: { ...start.options, resumable: true } } : {};
  const first: StartMessage = { type: 'start', ...start, ...options };
  return dial(address, first, (socket, ready) => {
    const { audio } = start;
    return new LexigateSession(
      ready,
      (events) => new Link({ socket, ready, audio, address, delayMs, events }),
    );
  });
}

/**
 * A session of the native protocol from the client's side. A lost connection is replaced by another, where the server
 * keeps the session for that: what was sent and has not arrived is sent again, and what was asked is answered then.
 */
export class LexigateSession {
  readonly ready: ReadyMessage;
  readonly #link: Link;
  readonly #listeners = new Map<keyof SessionEvents, Set<(event: never) => void>>();
  readonly #pending = new Map<string, Pending>();
  #requests = 0;
  #stopped: Promise<StoppedMessage> | undefined;
  /** Why the session is about to close, or has. */
  #fatal: LexigateError | undefined;

  constructor(ready: ReadyMessage, open: (events: LinkEvents) => Link) {
    this.ready = ready;
    this.#link = open({
      message: (message) => this.#receive(message),
      reconnecting: (event) => this.#emit('reconnecting', event),
      resumed: (sample) => this.#emit('resumed', { sample }),
      lost: (message) => {
        this.#fatal = new LexigateError('connection', message);
        this.#emit('lost', { message });
      },
      closed: (event) => this.#closed(event),
    });
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

  /** The connection is lost, and another one is tried for. */
  get reconnecting(): boolean {
    return this.#link.reconnecting;
  }

  /** Bytes that were sent and have not left yet; without a connection, all that is not known to have arrived. */
  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  /**
   * Sends samples in the session's format; resolves once more can be taken. A caller that cannot wait, such as a
   * microphone, looks at `bufferedBytes`.
   * @throws LexigateError where the session is closed, or so much waits that these bytes were not taken
   */
  async sendAudio(bytes: Uint8Array): Promise<void> {
    if (this.#link.over) throw this.#fatal ?? closedError();
    if (this.#link.full) {
      const message = `${this.#link.unacknowledgedBytes} bytes have not arrived yet; wait for "sendAudio" before more is sent`;
      throw new LexigateError('connection', message);
    }
    this.#link.audio(bytes);
    while (this.#link.crowded && !this.#link.over) {
      await new Promise((resolve) => setTimeout(resolve, BACKPRESSURE_POLL_MS));
    }
  }

  /**
   * Resolves when the list is in force, for one that waits for its moment then. Rejects where it cannot be, the old one
   * staying in force, and where the session ends before that is known.
   */
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
    this.#link.close();
  }

  #request<A extends Answer>(
    message: (id: string) => ClientMessage,
    key = `${++this.#requests}`,
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#link.over) {
        reject(this.#fatal ?? closedError());
        return;
      }
      this.#pending.set(key, { resolve, reject });
      this.#link.request(message(key));
    });
  }

  #receive(message: ServerMessage): void {
    this.#emit('message', message);
    switch (message.type) {
      case 'partial':
      case 'final':
        this.#emit(message.type, message);
        return;
      case 'vocabulary.settled':
        this.#emit('settled', message);
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
      case 'resumed':
      case 'progress':
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

  #closed(event: CloseEvent): void {
    const error = this.#fatal ?? closedError(`: ${event.code} ${event.reason}`);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#emit('close', event);
  }

  #emit<K extends keyof SessionEvents>(type: K, event: SessionEvents[K]): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

function closedError(how = ''): LexigateError {
  return new LexigateError('connection', `the session is closed${how}`);
}
