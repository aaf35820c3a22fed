import type {
  ClientMessage,
  ReadyMessage,
  ResumedMessage,
  ServerMessage,
  StartMessage,
} from '../protocol/messages.js';
import { bytesOfSample } from './audio-format.js';
import { type Address, type CloseEvent, dial, parse } from './dial.js';
import { Outbound } from './outbound.js';
import { retry } from './retry.js';
import type { WebSocketLike } from './socket.js';

/** Bytes that may wait in the socket before a sender has to wait: some seconds of audio. */
const MAX_BUFFERED_BYTES = 256 * 1024;

/**
 * Bytes that were sent and are not known to have arrived before a sender has to wait: 43 s of a microphone at 48 kHz,
 * longer than a gateway keeps a session whose connection is lost.
 */
const MAX_UNACKNOWLEDGED_BYTES = 4 * 1024 * 1024;

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

/** What a link tells. After `closed`, nothing. */
export interface LinkEvents {
  message(message: ServerMessage): void;
  reconnecting(event: CloseEvent): void;
  resumed(sample: number): void;
  /** It will not come back; `closed` follows. */
  lost(message: string): void;
  closed(event: CloseEvent): void;
}

export interface LinkOptions {
  /** Open; the link takes its events from now on. */
  readonly socket: WebSocketLike;
  /** Its first message. */
  readonly ready: ReadyMessage;
  readonly audio: StartMessage['audio'];
  readonly address: Address;
  readonly delayMs: (attempt: number) => number;
  readonly events: LinkEvents;
}

/**
 * A session's way to the server and back, over one connection or, where the server keeps the session, over several after
 * each other: each frame arrives once and in order, and so does each message but partials.
 */
export class Link {
  readonly #options: LinkOptions;
  /** There where the session can be resumed. */
  readonly #outbound: Outbound | undefined;
  /** Absent while there is no connection. */
  #socket: WebSocketLike | undefined;
  readonly #over = new AbortController();
  /** Of the last numbered message that came. */
  #seq = 0;
  /** The server has said its last: what ends now is not lost. */
  #finished = false;
  /** Runs while audio was sent and nothing has come since. */
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinkOptions) {
    const { socket, ready, audio } = options;
    this.#options = options;
    if (ready.resume !== undefined) {
      const { maxFrameBytes } = ready.limits;
      this.#outbound = new Outbound({ frameBytes: bytesOfSample(audio), maxFrameBytes });
    }
    this.#take(socket);
  }

  get over(): boolean {
    return this.#over.signal.aborted;
  }

  get reconnecting(): boolean {
    return this.#socket === undefined && !this.over;
  }

  /** Bytes that have not left; without a connection, all that is not known to have arrived. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? this.unacknowledgedBytes;
  }

  get unacknowledgedBytes(): number {
    return this.#outbound?.bytes ?? 0;
  }

  /** No more audio is taken until some has arrived. */
  get full(): boolean {
    return this.unacknowledgedBytes > MAX_UNACKNOWLEDGED_BYTES;
  }

  /** A sender should wait. */
  get crowded(): boolean {
    return this.full || (this.#socket?.bufferedAmount ?? 0) > MAX_BUFFERED_BYTES;
  }

  audio(bytes: Uint8Array): void {
    // memory shared between threads, which a browser would refuse, is nothing that audio comes in
    const data = this.#outbound?.audio(bytes) ?? (bytes as Uint8Array<ArrayBuffer>);
    this.#socket?.send(data);
    if (this.#outbound === undefined || this.#socket === undefined) return;
    this.#silence ??= setTimeout(() => this.#stalled(), STALLED_MS);
  }

  request(message: ClientMessage): void {
    const text = JSON.stringify(message);
    this.#outbound?.request(text);
    this.#socket?.send(text);
  }

  close(): void {
    if (this.#socket !== undefined) this.#socket.close();
    else this.#end({ code: CUT, reason: 'closed while there was no connection' });
  }

  #take(socket: WebSocketLike): void {
    this.#socket = socket;
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      this.#heard();
      const message = parse(data);
      if (message !== undefined) this.#arrived(message, socket);
    };
    // a close follows, which says all that is known
    socket.onerror = () => undefined;
    socket.onclose = (event: CloseEvent) => {
      this.#closed(event);
    };
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
    if (message.type === 'stopped' || (message.type === 'error' && message.fatal)) this.#finished = true;
    this.#options.events.message(message);
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  #stalled(): void {
    this.#silence = undefined;
    const socket = this.#socket;
    const { sampleRate } = this.#options.audio;
    if (socket === undefined || this.#outbound!.samples < STALLED_SECONDS * sampleRate) return;
    // what it still has to say comes again over the other one
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
    this.#closed({ code: CUT, reason: `nothing came for ${STALLED_MS / 1000} seconds` });
  }

  #closed(event: CloseEvent): void {
    const { ready, events } = this.#options;
    this.#socket = undefined;
    this.#heard();
    if (event.code !== CUT || ready.resume === undefined || this.#finished) this.#end(event);
    else {
      events.reconnecting(event);
      void this.#comeBack(ready.resume);
    }
  }

  async #comeBack({ token, seconds }: NonNullable<ReadyMessage['resume']>): Promise<void> {
    const { address, ready, delayMs, events } = this.#options;
    const { sessionId } = ready;
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
      events.lost(message);
      this.#end({ code: CUT, reason: message });
    }
  }

  #resumed(socket: WebSocketLike, { sample, requests }: ResumedMessage): void {
    this.#take(socket);
    if (this.over) {
      socket.close();
      return;
    }
    for (const data of this.#outbound!.after(sample, requests)) socket.send(data);
    this.#options.events.resumed(sample);
  }

  #end(event: CloseEvent): void {
    if (this.over) return;
    this.#over.abort();
    this.#options.events.closed(event);
  }
}
