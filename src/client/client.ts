import WebSocket from 'ws';
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
  VocabularyUpdateMessage,
} from '../protocol/messages.js';

const SUBPROTOCOL = 'lexigate.v1';

/** Bytes that may wait in the socket before `sendAudio` makes its caller wait: some seconds of audio. */
const MAX_BUFFERED_BYTES = 256 * 1024;

/** How long `sendAudio` waits before it looks again. */
const BACKPRESSURE_POLL_MS = 5;

/** An error that the server reported, or the connection's end before an answer. */
export class LexigateError extends Error {
  override readonly name = 'LexigateError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ClientEvents {
  readonly partial: PartialMessage;
  readonly final: FinalMessage;
  /** Errors that belong to no request. */
  readonly error: ErrorMessage;
  /** Every message, as it comes. */
  readonly message: ServerMessage;
  readonly close: { readonly code: number; readonly reason: string };
}

type Listener<K extends keyof ClientEvents> = (event: ClientEvents[K]) => void;
type VocabularyUpdate =
  | Pick<Extract<VocabularyUpdateMessage, { replace: unknown }>, 'replace'>
  | Pick<Extract<VocabularyUpdateMessage, { patch: unknown }>, 'patch'>;
type Answer = VocabularyAppliedMessage | FlushedMessage | MarkedMessage | StoppedMessage;

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: LexigateError) => void;
}

/** A session of the native protocol from the client's side. */
export class LexigateClient {
  readonly ready: ReadyMessage;
  readonly #ws: WebSocket;
  readonly #listeners = new Map<keyof ClientEvents, Set<(event: never) => void>>();
  readonly #pending = new Map<string, Pending>();
  #requests = 0;

  private constructor(ws: WebSocket, ready: ReadyMessage) {
    this.#ws = ws;
    this.ready = ready;
  }

  /** Connects, sends `start` and resolves with the session once the server is ready. */
  static connect(url: string, start: Omit<StartMessage, 'type'>): Promise<LexigateClient> {
    return new Promise((resolve, reject) => {
      const ws = new WebSocket(url, SUBPROTOCOL);
      let client: LexigateClient | undefined;
      ws.on('open', () => {
        ws.send(JSON.stringify({ type: 'start', ...start } satisfies StartMessage));
      });
      ws.on('message', (data: Buffer, binary) => {
        if (binary) return;
        const message = JSON.parse(data.toString()) as ServerMessage;
        if (client !== undefined) client.#receive(message);
        else if (message.type === 'ready') {
          client = new LexigateClient(ws, message);
          resolve(client);
        } else if (message.type === 'error') {
          reject(new LexigateError(message.code, message.message));
          ws.close();
        }
      });
      ws.on('error', (error) => {
        reject(new LexigateError('connection', `${url}: ${error.message}`));
      });
      ws.on('close', (code, reason) => {
        reject(new LexigateError('connection', `${url} closed the connection: ${code} ${reason.toString()}`));
        if (client !== undefined) client.#closed(code, reason.toString());
      });
    });
  }

  on<K extends keyof ClientEvents>(type: K, listener: Listener<K>): this {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener as (event: never) => void));
    return this;
  }

  /** Sends samples in the session's format; resolves once the connection can take more. */
  async sendAudio(bytes: Uint8Array): Promise<void> {
    this.#ws.send(bytes);
    while (this.#ws.bufferedAmount > MAX_BUFFERED_BYTES && this.#ws.readyState === WebSocket.OPEN) {
      await new Promise((resolve) => setTimeout(resolve, BACKPRESSURE_POLL_MS));
    }
  }

  /** Resolves when the list is in force; rejects, the old one staying in force, where it cannot be. */
  updateVocabulary(update: VocabularyUpdate): Promise<VocabularyAppliedMessage> {
    return this.#request((id) => ({ type: 'vocabulary.update', id, ...update }) as VocabularyUpdateMessage);
  }

  /** Resolves once all audio sent so far is decided and its final has come. */
  flush(): Promise<FlushedMessage> {
    return this.#request((id) => ({ type: 'flush', id }));
  }

  /** Resolves once all audio sent so far is decided, however long that takes. */
  mark(): Promise<MarkedMessage> {
    return this.#request((id) => ({ type: 'mark', id }));
  }

  /** Ends the session; resolves with its totals behind the last final. */
  stop(): Promise<StoppedMessage> {
    return this.#request(() => ({ type: 'stop' }), 'stop');
  }

  /** Leaves without waiting for anything. */
  close(): void {
    this.#ws.close();
  }

  #request<A extends Answer>(
    message: (id: string) => ClientMessage,
    key = `${++this.#requests}`,
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#ws.readyState !== WebSocket.OPEN) {
        reject(new LexigateError('connection', 'the session is closed'));
        return;
      }
      this.#pending.set(key, { resolve, reject });
      this.#ws.send(JSON.stringify(message(key)));
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
        if (!this.#settle(message.id, (pending) => pending.reject(error))) this.#emit('error', message);
        return;
      }
      case 'ready':
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
    const error = new LexigateError('connection', `the connection was closed: ${code} ${reason}`);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#emit('close', { code, reason });
  }

  #emit<K extends keyof ClientEvents>(type: K, event: ClientEvents[K]): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}
