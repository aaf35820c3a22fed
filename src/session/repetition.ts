import type { UpdateCommand } from './recogniser.js';

/**
 * Puts updates where they were. An update does not queue behind the audio, so where it meets it depends on how fast
 * decoding was; counted in steps of decoding it can be told, and repeated. Invariants:
 * 1. Channels, which all go through the same windows and boundaries, make their steps in turn.
 * 2. An update that has a place is made before the step that it came before; they keep their order.
 * 3. No step is made while something about a list is being learnt: how long that takes would show otherwise.
 * 4. A step sees one list: an update that comes while one is under way waits for its end.
 */
export class Repetition {
  readonly #channels: number;
  readonly #update: (update: UpdateCommand) => void;
  /** Steps of decoding that have begun, of all channels. */
  #step = 0;
  /** Of these, how many have not ended. */
  #underway = 0;
  /** Updates without a place, which came meanwhile. */
  #late: UpdateCommand[] = [];
  #held: readonly UpdateCommand[] = [];
  #learning = false;
  /** A step that had to wait is made within this turn of the event loop, and no other. */
  #passing = false;
  /** Tells who waits for a step that something has changed. */
  #waiting: (() => void)[] = [];

  /** @param update makes one */
  constructor(channels: number, update: (update: UpdateCommand) => void) {
    this.#channels = channels;
    this.#update = update;
  }

  /** @returns where an update is that has no place yet; one that has waits for it */
  take(update: UpdateCommand): number | undefined {
    if (update.step !== undefined) {
      this.#held = [...this.#held, update];
      return undefined;
    }
    const step = this.#step;
    if (this.#underway === 0) this.#update(update);
    else this.#late.push(update);
    return step;
  }

  /** A channel is about to make a step; resolves when it may. */
  step(channel: number): Promise<void> | undefined {
    if (!this.#begin(channel)) return this.#wait(channel);
    this.#wake();
    return undefined;
  }

  /** A step has ended. */
  done(): void {
    this.#underway--;
    if (this.#underway > 0) return;
    for (const update of this.#late.splice(0)) this.#update(update);
    this.#wake();
  }

  /** Something is being learnt from now on, until it is `settled`. */
  learning(): void {
    this.#learning = true;
  }

  settled(): void {
    this.#learning = false;
    this.#wake();
  }

  /** @returns whether it may */
  #begin(channel: number): boolean {
    if (this.#passing || this.#late.length > 0 || this.#step % this.#channels !== channel) return false;
    while (this.#held.length > 0 && this.#held[0]!.step! <= this.#step) {
      if (this.#underway > 0) return false;
      const [update, ...rest] = this.#held;
      this.#held = rest;
      this.#update(update!);
    }
    if (this.#learning) return false;
    this.#step++;
    this.#underway++;
    return true;
  }

  async #wait(channel: number): Promise<void> {
    while (!this.#begin(channel)) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    this.#passing = true;
    setImmediate(() => {
      this.#passing = false;
      this.#wake();
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
