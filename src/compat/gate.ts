import { fromUnknown, ProtocolError } from '../protocol/errors.js';
import type { Socket } from '../session/socket.js';

export interface GateOptions {
  /** Of what waits; more fails the connection. It is only what came before the socket heeded that it is paused. */
  readonly maxBytes: number;
  readonly failed: (error: ProtocolError) => void;
}

/**
 * Holds what comes from a client until something is ready, in its order, with the socket paused; from then on everything
 * passes at once.
 */
export class Gate {
  readonly #socket: Socket;
  readonly #options: GateOptions;
  /** Undefined: open. */
  #held: (() => void)[] | undefined;
  #bytes = 0;
  /** As those behind the gate want it. */
  #paused = false;

  constructor(socket: Socket, ready: Promise<void> | undefined, options: GateOptions) {
    this.#socket = socket;
    this.#options = options;
    if (ready === undefined) return;
    this.#held = [];
    socket.setPaused(true);
    ready.then(
      () => this.#open(),
      (reason: unknown) => options.failed(fromUnknown(reason)),
    );
  }

  pass(bytes: number, action: () => void): void {
    if (this.#held === undefined) {
      action();
      return;
    }
    this.#bytes += bytes;
    if (this.#bytes <= this.#options.maxBytes) {
      this.#held.push(action);
      return;
    }
    this.#held = [];
    const message = `More than ${this.#options.maxBytes} bytes came before the first could be read; send slower.`;
    this.#options.failed(new ProtocolError('slow_consumer', message));
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (this.#held === undefined) this.#socket.setPaused(paused);
  }

  #open(): void {
    const held = this.#held!;
    this.#held = undefined;
    for (const action of held) action();
    if (!this.#paused) this.#socket.setPaused(false);
  }
}
