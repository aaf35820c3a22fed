import type {
  ClientMessage,
  ErrorMessage,
  FinalMessage,
  FlushedMessage,
  MarkedMessage,
  PartialMessage,
  ReadyMessage,
  ResumedMessage,
  ServerMessage,
  StartMessage,
  StoppedMessage,
  VocabularyAppliedMessage,
  VocabularyPatchMessage,
  VocabularyReplaceMessage,
} from '../protocol/messages.js';
import { bytesOfSample } from './audio-format.js';
import { type Address, type CloseEvent, dial, parse } from './dial.js';
import { LexigateError } from './error.js';
import { Outbound } from './outbound.js';
import { backoffMs, retry } from './retry.js';
import type { WebSocketConstructor, WebSocketLike } from './socket.js';

/** Bytes that may wait in the socket before `sendAudio` makes its caller wait: some seconds of audio. */
const MAX_BUFFERED_BYTES = 256 * 1024;

/**
 * Bytes that were sent and are not known to have arrived before `sendAudio` makes its caller wait: 43 s of a microphone at
 * 48 kHz, longer than a gateway keeps a session whose connection is lost.
 */
const MAX_UNACKNOWLEDGED_BYTES = 4 * 1024 * 1024;

/** How long `sendAudio` waits before it looks again, in milliseconds: sockets tell nobody that they have drained. */
const BACKPRESSURE_POLL_MS = 5;

/** How long one attempt to come back may take, in milliseconds: a network that is gone answers nothing at all. */
const ATTEMPT_MS = 5000;

/**
 * A gateway acknowledges every second of audio. When more waits than that by this factor, and nothing at all has come for
 * so many milliseconds, the connection is taken for lost: a network that is gone says nothing, and systems wait for
 * minutes. Where it was only slow, the session goes on all the same, over the other one.
 */
const STALLED_SECONDS = 2;
const STALLED_MS = 15_000;

/** The connection ended without a closing frame (RFC 6455, 7.4.1): nobody meant it to. */
const CUT = 1006;

/** What a session tells as it happens. */
export interface SessionEvents {
  readonly partial: PartialMessage;
  readonly final: FinalMessage;
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
  return dial(
    address,
    first,
    (socket, ready) => new LexigateSession({ socket, ready, start, address, delayMs }),
  );
}

interface Opened {
  /** Open; the session takes its events from now on. */
  readonly socket: WebSocketLike;
  /** Its first message. */
  readonly ready: ReadyMessage;
  readonly start: SessionStart;
  readonly address: Address;
  readonly delayMs: (attempt: number) => number;
}

/**
 * A session of the native protocol from the client's side. A lost connection is replaced by another, where the server
 * keeps the session for that: what was sent and has not arrived is sent again, and what was asked is answered then.
 */
export class LexigateSession {
  readonly ready: ReadyMessage;
  readonly #opened: Opened;
  readonly #listeners = new Map<keyof SessionEvents, Set<(event: never) => void>>();
  readonly #pending = new Map<string, Pending>();
  /** There where the session can be resumed. */
  readonly #outbound: Outbound | undefined;
  /** Absent while there is no connection. */
  #socket: WebSocketLike | undefined;
  readonly #over = new AbortController();
  #requests = 0;
  /** Of the last numbered message that came. */
  #seq = 0;
  #stopped: Promise<StoppedMessage> | undefined;
  /** Runs while audio was sent and nothing has come since. */
  #silence: ReturnType<typeof setTimeout> | undefined;
  /** The last message has come. */
  #finished = false;
  /** Why the session is about to close, or has. */
  #fatal: LexigateError | undefined;

  constructor(opened: Opened) {
    const { socket, ready, start } = opened;
    this.#opened = opened;
    this.ready = ready;
    if (ready.resume !== undefined) {
      const { maxFrameBytes } = ready.limits;
      this.#outbound = new Outbound({ frameBytes: bytesOfSample(start.audio), maxFrameBytes });
    }
    this.#take(socket);
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
    return this.#socket === undefined && !this.#over.signal.aborted;
  }

  /** Bytes that were sent and have not left yet; without a connection, all that is not known to have arrived. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? this.#outbound?.bytes ?? 0;
  }

  /**
   * Sends samples in the session's format; resolves once more can be taken. A caller that cannot wait, such as a
   * microphone, looks at `bufferedBytes`.
   * @throws LexigateError where the session is closed, or so much waits that these bytes were not taken
   */
  async sendAudio(bytes: Uint8Array): Promise<void> {
    if (this.#over.signal.aborted) throw this.#fatal ?? closedError();
    const unacknowledged = this.#outbound?.bytes ?? 0;
    if (unacknowledged > MAX_UNACKNOWLEDGED_BYTES) {
      const message = `${unacknowledged} bytes have not arrived yet; wait for "sendAudio" before more is sent`;
      throw new LexigateError('connection', message);
    }
    // memory shared between threads, which a browser would refuse, is nothing that audio comes in
    const data = this.#outbound?.audio(bytes) ?? (bytes as Uint8Array<ArrayBuffer>);
    this.#socket?.send(data);
    this.#expectAnswer();
    while (this.#crowded && !this.#over.signal.aborted) {
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
    if (this.#socket !== undefined) this.#socket.close();
    else this.#end({ code: CUT, reason: 'closed while there was no connection' });
  }

  get #crowded(): boolean {
    const buffered = this.#socket?.bufferedAmount ?? 0;
    return buffered > MAX_BUFFERED_BYTES || (this.#outbound?.bytes ?? 0) > MAX_UNACKNOWLEDGED_BYTES;
  }

  #expectAnswer(): void {
    if (this.#outbound === undefined || this.#socket === undefined) return;
    this.#silence ??= setTimeout(() => this.#stalled(), STALLED_MS);
  }

  #answered(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  #stalled(): void {
    this.#silence = undefined;
    const socket = this.#socket;
    const { sampleRate } = this.#opened.start.audio;
    if (socket === undefined || this.#outbound!.samples < STALLED_SECONDS * sampleRate) return;
    // what it still has to say comes again over the other one
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
    this.#closed({ code: CUT, reason: `nothing came for ${STALLED_MS / 1000} seconds` });
  }

  #take(socket: WebSocketLike): void {
    this.#socket = socket;
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      this.#answered();
      const message = parse(data);
      if (message !== undefined) this.#arrived(message, socket);
    };
    // a close follows, which says all that is known
    socket.onerror = () => undefined;
    socket.onclose = (event: CloseEvent) => {
      this.#closed(event);
    };
  }

  #request<A extends Answer>(
    message: (id: string) => ClientMessage,
    key = `${++this.#requests}`,
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#over.signal.aborted) {
        reject(this.#fatal ?? closedError());
        return;
      }
      this.#pending.set(key, { resolve, reject });
      const text = JSON.stringify(message(key));
      this.#outbound?.request(text);
      this.#socket?.send(text);
    });
  }

  /** A message comes once, however often it was sent; that it came is told, so that it need not be kept. */
  #arrived(message: ServerMessage, socket: WebSocketLike): void {
    if (message.type === 'progress') {
      this.#outbound?.acknowledge(message.sample);
      return;
    }
    const seq = 'seq' in message ? message.seq : undefined;
    if (seq !== undefined) {
      if (seq <= this.#seq) return;
      this.#seq = seq;
      socket.send(JSON.stringify({ type: 'ack', seq } satisfies ClientMessage));
    }
    this.#receive(message);
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
        this.#finished = true;
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

  #closed({ code, reason }: CloseEvent): void {
    const { resume } = this.ready;
    this.#socket = undefined;
    this.#answered();
    const done = this.#fatal !== undefined || this.#finished;
    if (code !== CUT || resume === undefined || done) this.#end({ code, reason });
    else {
      this.#emit('reconnecting', { code, reason });
      void this.#comeBack(resume.token, resume.seconds);
    }
  }

  async #comeBack(token: string, seconds: number): Promise<void> {
    const { address, delayMs } = this.#opened;
    const { sessionId } = this.ready;
    const { signal } = this.#over;
    const attempt = (): Promise<void> =>
      dial(
        address,
        { type: 'resume', sessionId, token, seq: this.#seq },
        (socket, resumed) => this.#resumed(socket, resumed),
        ATTEMPT_MS,
      );
    try {
      await retry(attempt, { delayMs, limitMs: seconds * 1000, signal });
    } catch (error) {
      if (signal.aborted) return;
      const message = `the session is lost: ${error instanceof Error ? error.message : String(error)}`;
      this.#fatal = new LexigateError('connection', message);
      this.#emit('lost', { message });
      this.#end({ code: CUT, reason: message });
    }
  }

  #resumed(socket: WebSocketLike, { sample, requests }: ResumedMessage): void {
    this.#take(socket);
    if (this.#over.signal.aborted) {
      socket.close();
      return;
    }
    for (const data of this.#outbound!.after(sample, requests)) socket.send(data);
    this.#emit('resumed', { sample });
  }

  #end(event: CloseEvent): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
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
