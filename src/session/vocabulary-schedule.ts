import type { RejectedEntry } from '../biasing/entry.js';
import type { Vocabulary } from '../biasing/vocabulary.js';
import type { UpdateMoment, VocabularyChange } from './recogniser.js';

export interface ScheduledUpdate {
  readonly id: string;
  readonly change: VocabularyChange;
  /** A sample is on the client's clock. */
  readonly at: UpdateMoment;
  readonly retroactive: boolean;
}

/** An update that is in force on all channels. */
export interface UpdateInForce {
  readonly id: string;
  readonly vocabulary: Vocabulary;
  readonly rejected: readonly RejectedEntry[];
  readonly buildMs: number;
  /** First absolute frame that was decoded with it on all channels. */
  readonly frame: number;
}

/** What a schedule acts on. */
export interface ScheduleTarget {
  /** A new version with the change, not in force yet. Throws what makes it impossible. */
  change(change: VocabularyChange): {
    readonly vocabulary: Vocabulary;
    readonly rejected: readonly RejectedEntry[];
  };
  /** @returns the first absolute frame that is decoded with it */
  enter(channel: number, vocabulary: Vocabulary, retroactive: boolean): number;
  done(update: UpdateInForce): void;
  failed(id: string, reason: unknown): void;
}

/** Where a channel stands. */
export interface ChannelPlace {
  /** Client's sample at which the next frame begins. */
  readonly sample: number;
  /** Words of an utterance have been heard that is not over. */
  readonly hearing: boolean;
}

interface Spreading extends Omit<UpdateInForce, 'frame' | 'buildMs'> {
  readonly update: ScheduledUpdate;
  /** Channels where it is not in force yet. */
  readonly missing: Set<number>;
  frame: number;
  buildMs: number;
}

/**
 * When updates come into force. Invariants:
 * 1. There is one order of versions: an update changes the newest list at the moment when its time comes on the first
 *    of the channels, and a channel that enters a version enters all before it.
 * 2. An update is answered once, when it is in force on all channels.
 * 3. One that asks for no moment is in force everywhere when `add` returns.
 */
export class VocabularySchedule {
  readonly #target: ScheduleTarget;
  readonly #channels: number;
  /** In the order in which they came. */
  #waiting: ScheduledUpdate[] = [];
  /** In the order of their versions. */
  #spreading: Spreading[] = [];

  constructor(channels: number, target: ScheduleTarget) {
    this.#channels = channels;
    this.#target = target;
  }

  /** @param place of a channel */
  add(update: ScheduledUpdate, place: (channel: number) => ChannelPlace): void {
    this.#waiting.push(update);
    for (let channel = 0; channel < this.#channels; channel++) this.reach(channel, () => place(channel));
  }

  /** A channel has come to a place; to be called before each frame and when an utterance is over. */
  reach(channel: number, place: () => ChannelPlace): void {
    if (this.#waiting.length === 0 && this.#spreading.length === 0) return;
    const now = place();
    for (const update of this.#waiting.filter(({ at }) => isTime(at, now))) this.#begin(update);
    const last = this.#spreading.findLastIndex(
      ({ update, missing }) => missing.has(channel) && isTime(update.at, now),
    );
    if (last >= 0) this.#enter(channel, last);
  }

  /** No audio follows: what still waits comes into force. */
  finish(): void {
    for (const update of this.#waiting) this.#begin(update);
    for (let channel = 0; channel < this.#channels; channel++) {
      const last = this.#spreading.findLastIndex(({ missing }) => missing.has(channel));
      if (last >= 0) this.#enter(channel, last);
    }
  }

  #begin(update: ScheduledUpdate): void {
    this.#waiting = this.#waiting.filter((other) => other !== update);
    const begun = performance.now();
    try {
      const { vocabulary, rejected } = this.#target.change(update.change);
      const missing = new Set(Array.from({ length: this.#channels }, (_, channel) => channel));
      const buildMs = performance.now() - begun;
      this.#spreading.push({ id: update.id, update, vocabulary, rejected, buildMs, missing, frame: 0 });
    } catch (reason) {
      this.#target.failed(update.id, reason);
    }
  }

  /** All versions up to and with the one at `last` come into force on a channel, which then has the last of them. */
  #enter(channel: number, last: number): void {
    const entered = this.#spreading.slice(0, last + 1).filter(({ missing }) => missing.delete(channel));
    const retroactive = entered.some(({ update }) => update.retroactive);
    const newest = this.#spreading[last]!;
    const begun = performance.now();
    const frame = this.#target.enter(channel, newest.vocabulary, retroactive);
    newest.buildMs += performance.now() - begun;
    for (const each of entered) each.frame = Math.max(each.frame, frame);
    const complete = this.#spreading.filter(({ missing }) => missing.size === 0);
    this.#spreading = this.#spreading.filter(({ missing }) => missing.size > 0);
    for (const { id, vocabulary, rejected, buildMs, frame: from } of complete) {
      this.#target.done({ id, vocabulary, rejected, buildMs, frame: from });
    }
  }
}

function isTime(at: UpdateMoment, { sample, hearing }: ChannelPlace): boolean {
  if (at === 'now') return true;
  return at === 'next_utterance' ? !hearing : sample >= at;
}
