import type { SessionEvent, SessionObserver } from '../observability/session-event.js';
import type { FinalMessage, PartialMessage, ServerMessage } from '../protocol/messages.js';
import type { SessionLimits } from './limits.js';
import type { Socket } from './socket.js';

/** How soon it is looked again whether the reader has caught up: sockets tell nobody that they have drained. */
const RETRY_MS = 100;

/** Least audio between two partials of a channel while recognition is behind, and while it is far behind. */
const COALESCED_MS = 500;
const THINNED_MS = 2000;

/** How far behind is far, in `overloadSeconds`. */
const FAR_BEHIND = 3;

export interface OutboxOptions {
  readonly socket: Socket;
  readonly limits: SessionLimits;
  /** How much later than usual captions are, in milliseconds. */
  readonly lagMs: () => number;
  /** Audio decoded so far, in milliseconds. */
  readonly decodedMs: () => number;
  /** More waits for the reader than may. */
  readonly overflow: (bytes: number) => void;
  readonly observe: SessionObserver;
}

/**
 * The way out of a session. Partials give way when there is too much: the newest of a channel takes the place of one
 * that still waits. Invariants:
 * 1. Only partials are ever left out, and only for a later partial or the final of their channel.
 * 2. What goes out is in the order in which it came, but for partials of different channels.
 * 3. At most one partial a channel waits.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<number, PartialMessage>();
  /** Audio decoded when a channel's last partial went out, in milliseconds. */
  readonly #lastMs = new Map<number, number>();
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  send(message: ServerMessage): void {
    if (message.type === 'partial') {
      if (this.#waiting.has(message.channel)) this.#options.observe({ type: 'coalesced' });
      this.#waiting.set(message.channel, message);
      this.#release();
      return;
    }
    if (message.type === 'final') {
      if (this.#waiting.delete(message.channel)) this.#options.observe({ type: 'coalesced' });
      this.#lastMs.delete(message.channel);
    }
    // a mark says that all before it was told
    for (const [channel, partial] of this.#waiting) {
      this.#waiting.delete(channel);
      this.#write(this.#withLag(partial));
    }
    this.#write(message.type === 'final' ? this.#withLag(message) : message);
  }

  /** Nothing is sent any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#waiting.clear();
  }

  /** Lets go what need not wait any more. */
  #release(): void {
    for (const [channel, partial] of this.#waiting) {
      if (this.#mustWait(channel)) continue;
      this.#waiting.delete(channel);
      this.#lastMs.set(channel, this.#options.decodedMs());
      this.#write(this.#withLag(partial));
    }
    clearTimeout(this.#retry);
    if (this.#waiting.size > 0) this.#retry = setTimeout(() => this.#release(), RETRY_MS).unref();
  }

  #mustWait(channel: number): boolean {
    const { socket, limits, lagMs, decodedMs } = this.#options;
    if (socket.bufferedBytes > limits.coalesceBytes) return true;
    const behind = lagMs() / 1000 / limits.overloadSeconds;
    if (behind <= 1) return false;
    const gapMs = behind > FAR_BEHIND ? THINNED_MS : COALESCED_MS;
    return decodedMs() - (this.#lastMs.get(channel) ?? -Infinity) < gapMs;
  }

  /** Who waits for captions is told by how much they are late. */
  #withLag<M extends PartialMessage | FinalMessage>(message: M): M {
    const { limits, lagMs, observe } = this.#options;
    const lag = Math.round(lagMs());
    observe(captionEvent(message, lag));
    return lag > limits.overloadSeconds * 1000 ? { ...message, lagMs: lag } : message;
  }

  #write(message: ServerMessage): void {
    if (this.#stopped) return;
    const { socket, limits, overflow, observe } = this.#options;
    const begun = performance.now();
    socket.send(JSON.stringify(message));
    observe({ type: 'sent', seconds: (performance.now() - begun) / 1000 });
    if (socket.bufferedBytes > limits.maxOutputBytes && message.type !== 'error') {
      overflow(socket.bufferedBytes);
    }
  }
}

function captionEvent(message: PartialMessage | FinalMessage, lagMs: number): SessionEvent {
  const { type, channel, segment } = message;
  if (type === 'partial') return { type, channel, segment, lagMs };
  const { words, reason } = message;
  const entityWords = words.filter(({ entity }) => entity !== undefined).length;
  return { type, channel, segment, words: words.length, entityWords, reason, lagMs };
}
