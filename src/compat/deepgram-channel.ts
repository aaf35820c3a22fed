import type { Seconds, Word } from '../protocol/messages.js';

/** A stretch of a stream in Deepgram's terms. */
export interface Stretch {
  readonly start: Seconds;
  readonly duration: Seconds;
}

export interface UtteranceOptions {
  /** Tells when speech begins; otherwise nobody asked. */
  readonly speechStarted?: (timestamp: Seconds) => void;
  /** Tells that nothing was said for `gapMs` behind the last word of a final. */
  readonly utteranceEnd?: (lastWordEnd: Seconds) => void;
  readonly gapMs: number;
}

/**
 * One channel of a stream: which stretch its next result is about, and where its utterances begin and end. All is
 * counted in whole milliseconds of the audio clock, so that stretches join without gap or overlap, and nothing
 * depends on when messages arrive. Invariants:
 * 1. The stretches of all finals, in order, are the stream from 0 to the end of the last one.
 * 2. The stretch of an interim result begins where that of the next final will.
 * 3. There is one utterance end, at most, for each final, and none while a later word stands closer than the gap.
 */
export class ListenChannel {
  readonly #options: UtteranceOptions;
  #decidedMs = 0;
  #segment = -1;
  /** End of the last word of a final whose utterance has not ended yet. */
  #wordEndMs: number | undefined;
  /** Words closer than the gap behind it, in a segment that has no final yet. */
  #goesOn = false;

  constructor(options: UtteranceOptions) {
    this.#options = options;
  }

  /** Where the audio must be decided for the utterance to have ended, if one may. */
  get endsAtMs(): number | undefined {
    return this.#wordEndMs === undefined || this.#goesOn ? undefined : this.#wordEndMs + this.#options.gapMs;
  }

  /** Of a result that is not final. */
  interim(segment: number, words: readonly Word[]): Stretch {
    this.#heard(segment, words);
    return this.#stretch(toMs(words.at(-1)?.end ?? 0));
  }

  /** Of a final; up to `end` in seconds where more than its words is decided. */
  final(segment: number | undefined, words: readonly Word[], end: Seconds = 0): Stretch {
    if (segment !== undefined) this.#heard(segment, words);
    const last = words.at(-1);
    const stretch = this.#stretch(Math.max(toMs(end), toMs(last?.end ?? 0)));
    this.#decidedMs = toMs(stretch.start) + toMs(stretch.duration);
    if (last !== undefined) this.#wordEndMs = toMs(last.end);
    // whatever was heard behind the last final is in this one, or was nothing
    this.#goesOn = false;
    return stretch;
  }

  /** All results about the audio before this are out. */
  decided(end: Seconds): void {
    const endsAt = this.endsAtMs;
    if (endsAt !== undefined && toMs(end) >= endsAt) this.#ended();
  }

  #heard(segment: number, words: readonly Word[]): void {
    const first = words[0];
    if (first === undefined) return;
    const endsAt = this.endsAtMs;
    if (endsAt !== undefined) {
      if (toMs(first.start) >= endsAt) this.#ended();
      else this.#goesOn = true;
    }
    if (segment === this.#segment) return;
    this.#segment = segment;
    this.#options.speechStarted?.(first.start);
  }

  #ended(): void {
    this.#options.utteranceEnd?.(this.#wordEndMs! / 1000);
    this.#wordEndMs = undefined;
  }

  #stretch(endMs: number): Stretch {
    const start = this.#decidedMs;
    return { start: start / 1000, duration: Math.max(0, endMs - start) / 1000 };
  }
}

function toMs(seconds: Seconds): number {
  return Math.round(seconds * 1000);
}
