/** Closes who sends nothing; not while the server itself does not read, since then silence is not the client's doing. */
export class IdleTimer {
  /** The server does not read. */
  paused = false;
  readonly #ms: number;
  readonly #idle: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, idle: () => void) {
    this.#ms = ms;
    this.#idle = idle;
    this.restart();
  }

  /** Something came. */
  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.paused) this.restart();
      else this.#idle();
    }, this.#ms).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
