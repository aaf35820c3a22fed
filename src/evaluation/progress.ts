type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

const WIDTH = 24;
/** Milliseconds between updates: of the bar, and of plain lines where the output is no terminal. */
const BAR_MS = 200;
const LINE_MS = 15_000;

/** How far a long task is and how long it still takes: a bar on a terminal, else a line now and then. */
export class Progress {
  readonly #out: Output;
  readonly #label: string;
  readonly #total: number;
  readonly #begun = performance.now();
  #shown: number;

  constructor(out: Output, label: string, total: number) {
    this.#out = out;
    this.#label = label;
    this.#total = total;
    // a bar at once, a line only for what lasts
    this.#shown = out.isTTY === true ? -Infinity : this.#begun;
  }

  update(done: number, note: string): void {
    const now = performance.now();
    if (now - this.#shown < (this.#out.isTTY === true ? BAR_MS : LINE_MS)) return;
    this.#shown = now;
    const share = done / this.#total;
    const left = ((now - this.#begun) / 1000) * (1 / share - 1);
    const text = `${this.#label} ${done}/${this.#total} ${note}, ${duration(left)} left`;
    if (this.#out.isTTY === true) {
      const full = Math.round(share * WIDTH);
      this.#out.write(`\r\u001b[K${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${text}`);
    } else this.#out.write(`${text}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#out.isTTY === true) this.#out.write('\r\u001b[K');
  }
}

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
