import type {
  AudioFormat,
  FinalMessage,
  FlushedMessage,
  MarkedMessage,
  ModelInfo,
  PartialMessage,
  Word,
} from '../protocol/messages.js';
import { ListenChannel, type Stretch } from './deepgram-channel.js';
import {
  type ListenAnswer,
  type ResultsMetadata,
  toAlternative,
  toListenWord,
  toResultsMetadata,
} from './deepgram-messages.js';
import type { ListenOptions } from './deepgram-query.js';

interface Kind {
  readonly is_final: boolean;
  readonly speech_final: boolean;
  readonly from_finalize: boolean;
}

/** An interim result and the final of a stretch that was only too long: the speaker goes on. */
const INTERIM: Kind = { is_final: false, speech_final: false, from_finalize: false };
const CUT: Kind = { is_final: true, speech_final: false, from_finalize: false };
const PAUSE: Kind = { is_final: true, speech_final: true, from_finalize: false };
const FINALIZED: Kind = { is_final: true, speech_final: true, from_finalize: true };

export interface ListenAnswersOptions {
  readonly requestId: string;
  readonly options: ListenOptions;
  readonly format: AudioFormat;
  readonly send: (answer: ListenAnswer) => void;
}

/**
 * The session's captions in Deepgram's messages. A final that a flush or the end of the stream brought about is kept
 * until the session says how far the audio is decided: its stretch ends there, and each channel has one, words or none.
 */
export class ListenAnswers {
  readonly #options: ListenOptions;
  readonly #format: AudioFormat;
  readonly #send: (answer: ListenAnswer) => void;
  readonly #requestId: string;
  readonly #channels: ListenChannel[];
  readonly #kept = new Map<number, FinalMessage>();
  /** Known from `ready` on, and no caption comes before. */
  #metadata: ResultsMetadata | undefined;
  /** The audio behind which the last mark was set. */
  #markedMs = -1;

  constructor({ requestId, options, format, send }: ListenAnswersOptions) {
    this.#requestId = requestId;
    this.#options = options;
    this.#format = format;
    this.#send = send;
    this.#channels = Array.from({ length: format.channels }, (_, channel) => this.#channel(channel));
  }

  get metadata(): ResultsMetadata | undefined {
    return this.#metadata;
  }

  ready(model: ModelInfo): void {
    this.#metadata = toResultsMetadata(this.#requestId, model);
  }

  partial({ channel, segment, words = [] }: PartialMessage): void {
    const stretch = this.#channels[channel]!.interim(segment, words);
    if (this.#options.interimResults) this.#results(channel, stretch, words, INTERIM);
  }

  final(message: FinalMessage): void {
    const { channel, segment, words, reason } = message;
    if (reason === 'flush' || reason === 'stop') {
      this.#kept.set(channel, message);
      return;
    }
    const stretch = this.#channels[channel]!.final(segment, words);
    this.#results(channel, stretch, words, reason === 'limit' ? CUT : PAUSE);
  }

  /** Answers a Finalize: in every channel, also where nothing was said. */
  flushed({ sample }: Pick<FlushedMessage, 'sample'>): void {
    this.#decide(sample, FINALIZED, true);
  }

  /** The end of the stream: what is left of it, in every channel that has something left. */
  stopped({ samples }: { readonly samples: number }): void {
    this.#decide(samples, PAUSE, false);
  }

  marked({ sample }: Pick<MarkedMessage, 'sample'>): void {
    for (const channel of this.#channels) channel.decided(this.#seconds(sample));
  }

  /**
   * Whether a mark behind the samples so far would tell an utterance's end. One is set for an utterance: true is said
   * once, and again only where an utterance ends later.
   */
  wantsMark(samples: number): boolean {
    const ends = this.#channels.flatMap(({ endsAtMs = -1 }) => (endsAtMs > this.#markedMs ? [endsAtMs] : []));
    const nowMs = this.#seconds(samples) * 1000;
    if (!ends.some((end) => end <= nowMs)) return false;
    this.#markedMs = nowMs;
    return true;
  }

  /** The mark was refused; the next audio asks for another. */
  markRefused(): void {
    this.#markedMs = -1;
  }

  #decide(sample: number, kind: Kind, always: boolean): void {
    const end = this.#seconds(sample);
    this.#channels.forEach((each, channel) => {
      const kept = this.#kept.get(channel);
      const words = kept?.words ?? [];
      const stretch = each.final(kept?.segment, words, end);
      if (always || words.length > 0 || stretch.duration > 0) this.#results(channel, stretch, words, kind);
      each.decided(end);
    });
    this.#kept.clear();
  }

  #results(channel: number, { start, duration }: Stretch, words: readonly Word[], kind: Kind): void {
    const shown = words.map((word) => toListenWord(word, this.#options.punctuated));
    this.#send({
      type: 'Results',
      channel_index: [channel, this.#channels.length],
      duration,
      start,
      ...kind,
      channel: { alternatives: [toAlternative(shown)] },
      metadata: this.#metadata!,
    });
  }

  #channel(index: number): ListenChannel {
    const channel = [index, this.#format.channels] as const;
    const { vadEvents, utteranceEndMs } = this.#options;
    return new ListenChannel({
      gapMs: utteranceEndMs ?? Number.POSITIVE_INFINITY,
      ...(vadEvents && {
        speechStarted: (timestamp) => this.#send({ type: 'SpeechStarted', channel, timestamp }),
      }),
      utteranceEnd: (last_word_end) => this.#send({ type: 'UtteranceEnd', channel, last_word_end }),
    });
  }

  #seconds(samples: number): number {
    return Math.round((samples * 1000) / this.#format.sampleRate) / 1000;
  }
}
