import { setTimeout } from 'node:timers/promises';

/** Time, and how to let some of it pass, in milliseconds. */
export interface Pauses {
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
}

/** While recognition has its hands full, the background works for a quarter of the time at most. */
const PAUSE = 3;

/**
 * What is learnt about lists in the background, of all sessions of a worker: one piece of work at a time, in the order in
 * which they were asked for, and with pauses while recognition is busy. However many lists come, captions come first.
 */
export class Background {
  readonly #busy: () => boolean;
  readonly #pauses: Pauses;
  #last: Promise<void> = Promise.resolve();

  /** @param busy whether recognition has work under way or waiting */
  constructor(
    busy: () => boolean = () => false,
    pauses: Pauses = { now: () => performance.now(), pause: (ms) => setTimeout(ms) },
  ) {
    this.#busy = busy;
    this.#pauses = pauses;
  }

  /** A piece of work takes some tens of milliseconds at most. Fails as it does; the next ones have their turn. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const { now, pause } = this.#pauses;
    let took = 0;
    const turn = this.#last.then(async () => {
      const begun = now();
      try {
        return await work();
      } finally {
        took = now() - begun;
      }
    });
    this.#last = turn.then(nothing, nothing).then(async () => {
      if (this.#busy()) await pause(PAUSE * took);
    });
    return turn;
  }
}

function nothing(): void {}
