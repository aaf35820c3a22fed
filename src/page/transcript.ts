import { srtPrefix, writeSrt } from '../captions/srt.js';
import { type TimedWord, toCues } from '../captions/subtitles.js';
import { writeVtt } from '../captions/vtt.js';
import type { FinalMessage } from '../protocol/messages.js';

export const FORMATS = {
  srt: { name: 'SRT', type: 'application/x-subrip' },
  vtt: { name: 'WebVTT', type: 'text/vtt' },
  txt: { name: 'Text', type: 'text/plain' },
} as const;

export type TranscriptFormat = keyof typeof FORMATS;

/** What was decided in all sessions of the page, on one timeline: a session's begins where the one before ended. */
export class Transcript {
  readonly #words: TimedWord[] = [];
  readonly #segments: string[] = [];
  #offset = 0;
  /** Of the names that SRT writes before the words. */
  #prefixWidth = 0;

  get empty(): boolean {
    return this.#segments.length === 0;
  }

  /** @param speaker where there are several */
  add({ text, words }: FinalMessage, speaker?: string): void {
    if (text === '') return;
    this.#segments.push(srtPrefix(speaker) + text);
    this.#prefixWidth = Math.max(this.#prefixWidth, srtPrefix(speaker).length);
    for (const { word, start, end } of words) {
      const times = { start: this.#offset + start, end: this.#offset + end };
      this.#words.push({ text: word, ...times, ...(speaker !== undefined && { speaker }) });
    }
  }

  /** @param seconds of audio in the session that is over */
  endSession(seconds: number): void {
    this.#offset += seconds;
  }

  write(format: TranscriptFormat): string {
    if (format === 'txt') return this.#segments.map((text) => `${text}\n`).join('');
    return format === 'srt'
      ? writeSrt(toCues(this.#words, { prefixWidth: this.#prefixWidth }))
      : writeVtt(toCues(this.#words));
  }

  clear(): void {
    this.#words.length = 0;
    this.#segments.length = 0;
    this.#offset = 0;
    this.#prefixWidth = 0;
  }
}
