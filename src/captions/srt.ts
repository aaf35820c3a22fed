import type { Cue } from './subtitles.js';
import { timestamp } from './subtitles-time.js';

/** What stands before a speaker's words; its length is the `prefixWidth` of the cues. */
export function srtPrefix(speaker: string | undefined): string {
  return speaker === undefined ? '' : `${plain(speaker)}: `;
}

/** SubRip: what nearly every player and editor reads. */
export function writeSrt(cues: readonly Cue[]): string {
  const blocks = cues.map(({ start, end, lines, speaker }, i) => {
    const text = srtPrefix(speaker) + lines.map(plain).join('\n');
    return `${i + 1}\n${timestamp(start, ',')} --> ${timestamp(end, ',')}\n${text}\n`;
  });
  return blocks.join('\n');
}

/**
 * SRT has no escapes. Players take `<b>` and `{\an8}` for markup, and parsers `-->` for times: an invisible word joiner
 * (U+2060) in between leaves the text as it looks and is neither.
 */
function plain(text: string): string {
  return text
    .replaceAll('-->', '--\u2060>')
    .replace(/<(?=[a-z/])/gi, '<\u2060')
    .replace(/\{(?=\\)/g, '{\u2060');
}
