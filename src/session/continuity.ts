import { ProtocolError } from '../protocol/errors.js';
import type { ProgressMessage, ReadyMessage, ResumedMessage, ServerMessage } from '../protocol/messages.js';
import { Journal } from './journal.js';
import type { SessionLimits } from './limits.js';
import { Line } from './line.js';
import { notResumable } from './resumption.js';
import type { Socket } from './socket.js';

/** Audio between two acknowledgements: what a client then has to keep and to send again is a second of audio. */
const ACKNOWLEDGE_SECONDS = 1;

/**
 * What lets a session outlive its connection. Invariants:
 * 1. Each frame of the client's is taken once: it is told how many samples and text messages have arrived, and sends
 *    again what is behind them.
 * 2. Each message but partials is received once: it is kept until the client says that it has come.
 * Where the client does not ask for it, there is the one connection and nothing is kept.
 */
export class Continuity {
  readonly line: Line;
  readonly #limits: SessionLimits;
  #journal: Journal | undefined;
  /** Text messages that came after `start`, `ack` not counted. */
  #requests = 0;
  /** Up to where the client was told that audio has arrived. */
  #told = 0;
  /** Runs while there is no connection. */
  #expiry: NodeJS.Timeout | undefined;

  constructor(socket: Socket, limits: SessionLimits) {
    this.line = new Line(socket);
    this.#limits = limits;
  }

  /** The client may come back. */
  get offered(): boolean {
    return this.#journal !== undefined;
  }

  offer(token: string): Pick<ReadyMessage, 'resume'> {
    this.#journal = new Journal(this.#limits.resumeBytes);
    return { resume: { token, seconds: this.#limits.resumeSeconds } };
  }

  requestArrived(): void {
    this.#requests++;
  }

  /** @returns the message as it is to be sent */
  note(message: ServerMessage): ServerMessage {
    return this.#journal?.note(message) ?? message;
  }

  /** The client has received everything up to `seq`. */
  received(seq: number): void {
    this.#journal?.acknowledge(seq);
  }

  /** Past the outbox: of acknowledgements the newest says all, and one that waits for a slow reader is left out. */
  audioArrived(sample: number, sampleRate: number): void {
    if (this.#journal === undefined || this.line.bufferedBytes > this.#limits.coalesceBytes) return;
    if (sample - this.#told < sampleRate * ACKNOWLEDGE_SECONDS) return;
    this.#told = sample;
    this.line.send(JSON.stringify({ type: 'progress', sample } satisfies ProgressMessage));
  }

  /** The connection is gone. */
  suspend(expired: () => void): void {
    this.line.detach();
    this.#expiry = setTimeout(expired, this.#limits.resumeSeconds * 1000).unref();
  }

  /**
   * Goes on over another connection, which the old one is told if it is still there.
   * @param seq of the last message that the client has received
   * @param sample up to which audio has arrived
   * @throws ProtocolError `not_resumable`; then nothing has changed
   */
  resume(sessionId: string, socket: Socket, seq: number, sample: number): void {
    const missed = this.#journal?.since(seq);
    if (missed === undefined) {
      throw notResumable(
        sessionId,
        `of the messages behind ${seq} some are not kept any more, or never were`,
      );
    }
    const replaced = new ProtocolError('replaced', 'The session goes on over another connection.');
    this.line.send(JSON.stringify(replaced.toMessage()));
    this.line.close(replaced.closeCode, replaced.message);
    this.stop();
    this.line.attach(socket);
    this.#told = sample;
    const resumed: ResumedMessage = { type: 'resumed', sessionId, sample, requests: this.#requests };
    for (const text of [JSON.stringify(resumed), ...missed]) this.line.send(text);
  }

  stop(): void {
    clearTimeout(this.#expiry);
  }
}
