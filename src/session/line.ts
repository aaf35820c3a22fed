import type { Socket } from './socket.js';

/**
 * A session's socket, behind which connections may change. While there is none, what is sent goes nowhere: what must
 * not be lost is in the journal.
 */
export class Line implements Socket {
  #socket: Socket | undefined;
  #paused = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0;
  }

  /** Whether what comes over a socket is meant for this session. */
  uses(socket: Socket): boolean {
    return this.#socket === socket;
  }

  send(text: string): void {
    this.#socket?.send(text);
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#socket?.setPaused(paused);
  }

  attach(socket: Socket): void {
    this.#socket = socket;
    if (this.#paused) socket.setPaused(true);
  }

  detach(): void {
    this.#socket = undefined;
  }
}
