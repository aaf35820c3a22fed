import { PACKET_MS } from './speech.js';

/** How often it is looked which packets are due; late by so much at most, unless the machine is full. */
const TICK_MS = 5;

export interface Paced {
  /** Packets left to send. */
  readonly remaining: number;
  send(): void;
}

interface Entry {
  readonly stream: Paced;
  dueAt: number;
}

/**
 * One clock for all streams: a timer each would cost more than the packets do. The schedule does not wait for anything,
 * so that a gateway that is behind is not given time to catch up.
 */
export class Pacer {
  #entries: Entry[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param begun milliseconds of `performance.now`; a packet is complete when its last sample has sounded */
  add(stream: Paced, begun: number): void {
    this.#entries.push({ stream, dueAt: begun + PACKET_MS });
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  remove(stream: Paced): void {
    this.#entries = this.#entries.filter((entry) => entry.stream !== stream);
    if (this.#entries.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = performance.now();
    for (const entry of this.#entries) {
      while (entry.dueAt <= now && entry.stream.remaining > 0) {
        entry.dueAt += PACKET_MS;
        entry.stream.send();
      }
    }
    for (const { stream } of this.#entries) if (stream.remaining === 0) this.remove(stream);
  }
}
