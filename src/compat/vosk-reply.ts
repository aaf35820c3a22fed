/** What vosk-server says, made of the native protocol's finals. */
import type { FinalMessage, RejectedEntry, Word } from '../protocol/messages.js';

/** What a client asked to have in results. */
export interface ResultOptions {
  readonly words: boolean;
  readonly maxAlternatives: number;
}

interface VoskWord {
  /** 0 to 1; vosk has none in alternatives. */
  readonly conf?: number;
  /** Seconds since the begin of the connection's audio. */
  readonly start: number;
  readonly end: number;
  readonly word: string;
}

interface VoskText {
  readonly text: string;
  readonly result?: readonly VoskWord[];
}

export type VoskResult =
  | VoskText
  | { readonly alternatives: readonly (VoskText & { readonly confidence: number })[] };

/** What became of a phrase list, told with the next reply: the protocol has no reply of its own for it. */
export type PhraseListNote =
  | { readonly entries: number; readonly rejected: readonly RejectedEntry[] }
  /** The list before it stays in force. */
  | { readonly error: string };

export type VoskReply = (VoskResult | { readonly partial: string }) & {
  readonly phrase_list?: PhraseListNote;
};

/** One result of any number of segments: a client that reads one reply must not lose the others' words. */
export function voskResult(
  finals: readonly FinalMessage[],
  { words, maxAlternatives }: ResultOptions,
): VoskResult {
  const text = finals.map((final) => final.text).join(' ');
  const heard = finals.flatMap((final) => final.words);
  const named = words && heard.length > 0;
  if (maxAlternatives === 0) {
    const result = heard.map((word) => ({ conf: word.confidence, ...timed(word) }));
    return { text, ...(named && { result }) };
  }
  const best = { text, confidence: confidenceOf(heard), ...(named && { result: heard.map(timed) }) };
  const [only, ...more] = finals;
  const others = more.length === 0 ? (only?.alternatives ?? []).slice(1) : [];
  return {
    alternatives: [
      best,
      ...others.map((other) => ({ text: other.text, confidence: other.confidence })),
    ].slice(0, maxAlternatives),
  };
}

function timed({ word, start, end }: Word): VoskWord {
  return { start, end, word };
}

function confidenceOf(words: readonly Word[]): number {
  // vosk says 1 where nothing was heard
  if (words.length === 0) return 1;
  const mean = words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length;
  return Math.round(mean * 1000) / 1000;
}
