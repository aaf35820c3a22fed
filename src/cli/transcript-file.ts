import { extname } from 'node:path';
import { speakerName } from '../captions/speaker.js';
import { srtPrefix, writeSrt } from '../captions/srt.js';
import { type TimedWord, toCues } from '../captions/subtitles.js';
import { writeVtt } from '../captions/vtt.js';
import type { FinalMessage } from '../protocol/messages.js';

/** Forms of a transcript that are written once all of it is known. */
const WRITERS = { srt, vtt, txt } as const;

export type TranscriptFormat = keyof typeof WRITERS | 'json';

export const TRANSCRIPT_FORMATS: readonly TranscriptFormat[] = ['srt', 'vtt', 'txt', 'json'];

/** What is asked for by a flag, or else by the file's name. */
export function chooseFormat(
  flags: Readonly<Partial<Record<TranscriptFormat, boolean>>>,
  out: string | undefined,
): TranscriptFormat | undefined {
  const flag = TRANSCRIPT_FORMATS.find((format) => flags[format] === true);
  if (flag !== undefined || out === undefined) return flag;
  const extension = extname(out).slice(1).toLowerCase();
  const named = TRANSCRIPT_FORMATS.find((format) => format === extension);
  if (named !== undefined) return named;
  const flagged = TRANSCRIPT_FORMATS.map((format) => `--${format}`);
  throw new Error(`${out} does not end in a format; give one of ${flagged.join(', ')}`);
}

/** @param channels 2: who speaks is said, by number */
export function formatTranscript(
  format: keyof typeof WRITERS,
  finals: readonly FinalMessage[],
  channels: number,
): string {
  return WRITERS[format](inOrder(finals), channels === 2);
}

/** Segments of all channels in the order in which they were spoken. */
export function inOrder(finals: readonly FinalMessage[]): FinalMessage[] {
  return finals.toSorted((a, b) => a.startSample - b.startSample);
}

function srt(finals: readonly FinalMessage[], named: boolean): string {
  const words = timedWords(finals, named);
  const prefixWidth = Math.max(0, ...finals.map(({ channel }) => srtPrefix(speaker(channel, named)).length));
  return writeSrt(toCues(words, { prefixWidth }));
}

function vtt(finals: readonly FinalMessage[], named: boolean): string {
  return writeVtt(toCues(timedWords(finals, named)));
}

/** A segment a line. */
function txt(finals: readonly FinalMessage[], named: boolean): string {
  return finals
    .map(({ text, channel }) => `${named ? `${speaker(channel, named)}: ` : ''}${text}\n`)
    .join('');
}

function timedWords(finals: readonly FinalMessage[], named: boolean): TimedWord[] {
  return finals.flatMap(({ words, channel }) =>
    words.map(({ word, start, end }) => {
      const who = speaker(channel, named);
      return { text: word, start, end, ...(who !== undefined && { speaker: who }) };
    }),
  );
}

function speaker(channel: number, named: boolean): string | undefined {
  return named ? speakerName(channel) : undefined;
}
