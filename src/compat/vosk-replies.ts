import type { FinalMessage } from '../protocol/messages.js';

/** What a reply says. */
export type Answer =
  | { readonly is: 'partial'; readonly text: string }
  | { readonly is: 'result'; readonly finals: readonly FinalMessage[] };

/** A reply that is owed. */
type Owed =
  /** `count` audio frames, due once everything before the sample is decided. */
  | { readonly is: 'audio'; readonly from: number; count: number }
  | { readonly is: 'reset' }
  | { readonly is: 'eof' };

/** Frames whose replies are due within a tenth of a second count as one entry: tiny frames must not make a long queue. */
const GRAIN_SECONDS = 0.1;

export interface RepliesOptions {
  readonly sampleRate: number;
  /**
   * Seconds of audio that may be undecided while its frames are answered. More than the recogniser needs to hear before
   * it decides, or a client that waits for the reply before it sends on would wait for ever.
   */
  readonly heldBackSeconds: number;
  readonly answer: (answer: Answer) => void;
}

/**
 * When each reply is due and what it says. vosk-server decides a frame before it answers it; here recognition goes on
 * elsewhere, behind the audio by its look-ahead. So a frame's answer is the newest that is known, given at once while
 * recognition keeps up, and held back while it does not: the client then waits, as it would for vosk. Invariants:
 * 1. Every frame, reset and eof is answered once, in their order.
 * 2. Every final is told once, in order: an answer to audio takes the oldest, to reset and eof all that are left.
 * 3. What a reset or eof ended is told in its answer, not before.
 * The queue has at most ten entries a second of undecided audio, which the session bounds, and one a reset, which it
 * bounds too.
 */
export class VoskReplies {
  readonly #options: RepliesOptions;
  readonly #owed: Owed[] = [];
  readonly #finals: FinalMessage[] = [];
  #partial = '';
  #decided = 0;
  #progress = 0;
  #flushed = 0;
  #stopped = false;

  constructor(options: RepliesOptions) {
    this.#options = options;
  }

  /** An audio frame came. @param end samples since the begin, its own included */
  audioAsked(end: number): void {
    const { sampleRate, heldBackSeconds } = this.#options;
    const grain = Math.round(sampleRate * GRAIN_SECONDS);
    const from = Math.floor(Math.max(0, end - heldBackSeconds * sampleRate) / grain) * grain;
    const last = this.#owed.at(-1);
    if (last?.is === 'audio' && last.from === from) last.count++;
    else this.#owed.push({ is: 'audio', from, count: 1 });
    this.#answer();
  }

  resetAsked(): void {
    this.#owed.push({ is: 'reset' });
    this.#answer();
  }

  eofAsked(): void {
    this.#owed.push({ is: 'eof' });
    this.#answer();
  }

  partial(text: string): void {
    this.#partial = text;
  }

  final(message: FinalMessage): void {
    this.#finals.push(message);
    this.#partial = '';
  }

  /** Decoded up to this sample. The messages about it follow; those about what was decoded before are here. */
  progress(sample: number): void {
    this.#decided = Math.max(this.#decided, this.#progress);
    this.#progress = sample;
    this.#answer();
  }

  /** A reset has come through: all before this sample is decided. */
  flushed(sample: number): void {
    this.#decided = sample;
    this.#flushed++;
    this.#answer();
  }

  /** Everything is decided. */
  stopped(): void {
    this.#decided = Number.POSITIVE_INFINITY;
    this.#stopped = true;
    this.#answer();
  }

  #answer(): void {
    for (let owed = this.#owed[0]; owed !== undefined; owed = this.#owed[0]) {
      if (owed.is === 'audio') {
        if (owed.from > this.#decided) return;
        this.#answerAudio(owed);
      } else {
        if (owed.is === 'reset' ? this.#flushed === 0 : !this.#stopped) return;
        if (owed.is === 'reset') this.#flushed--;
        this.#owed.shift();
        this.#options.answer({ is: 'result', finals: this.#finals.splice(0) });
      }
    }
  }

  #answerAudio(owed: { count: number }): void {
    if (--owed.count === 0) this.#owed.shift();
    const [oldest] = this.#finals;
    if (oldest === undefined) this.#options.answer({ is: 'partial', text: this.#partial });
    else if (oldest.reason === 'flush' || oldest.reason === 'stop') {
      this.#options.answer({ is: 'partial', text: '' });
    } else this.#options.answer({ is: 'result', finals: this.#finals.splice(0, 1) });
  }
}
