/** What sherpa-onnx's online server says, made of the native protocol's captions. */
import type { FinalMessage, PartialMessage, Word } from '../protocol/messages.js';

/** A result of sherpa-onnx (`OnlineRecognizerResult` as JSON), with words in the place of the model's pieces. */
export interface SherpaResult {
  readonly text: string;
  /** Each with the space before it, so that together they are the text. */
  readonly tokens: readonly string[];
  /** Seconds behind `start_time` at which each token begins. */
  readonly timestamps: readonly number[];
  /** Not offered: always empty, as with a model that does not give them. */
  readonly ys_probs: readonly number[];
  readonly lm_probs: readonly number[];
  readonly context_scores: readonly number[];
  readonly words: readonly number[];
  readonly segment: number;
  /** Seconds since the begin of the audio. */
  readonly start_time: number;
  /** The segment is decided. */
  readonly is_final: boolean;
  /** Nothing follows but `Done!`. */
  readonly is_eof: boolean;
}

export function sherpaResult(message: PartialMessage | FinalMessage): SherpaResult {
  const isFinal = message.type === 'final';
  return result({
    text: message.text,
    words: message.words ?? [],
    segment: message.segment,
    start: message.start,
    isFinal,
    isEof: isFinal && message.reason === 'stop',
  });
}

/** The last result where the audio ends in silence: nothing is heard in the segment that it opens. */
export function emptyEnd(segment: number, start: number): SherpaResult {
  return result({ text: '', words: [], segment, start, isFinal: true, isEof: true });
}

interface Heard {
  readonly text: string;
  readonly words: readonly Word[];
  readonly segment: number;
  readonly start: number;
  readonly isFinal: boolean;
  readonly isEof: boolean;
}

function result({ text, words, segment, start, isFinal, isEof }: Heard): SherpaResult {
  return {
    text,
    tokens: words.map(({ word }) => ` ${word}`),
    // a difference of two times in milliseconds has none of its own beyond them
    timestamps: words.map((word) => Math.round((word.start - start) * 1000) / 1000),
    ys_probs: [],
    lm_probs: [],
    context_scores: [],
    words: [],
    segment,
    start_time: start,
    is_final: isFinal,
    is_eof: isEof,
  };
}
