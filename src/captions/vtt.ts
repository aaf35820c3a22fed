import type { Cue } from './subtitles.js';
import { timestamp } from './subtitles-time.js';

/** WebVTT: what browsers read, with who speaks as markup. */
export function writeVtt(cues: readonly Cue[]): string {
  const blocks = cues.map(({ start, end, lines, speaker }, i) => {
    const voice = speaker === undefined ? '' : `<v ${escaped(speaker)}>`;
    const text = voice + lines.map(escaped).join('\n');
    return `\n${i + 1}\n${timestamp(start, '.')} --> ${timestamp(end, '.')}\n${text}\n`;
  });
  return `WEBVTT\n${blocks.join('')}`;
}

/** `>` need not be escaped but for `-->`, which may not be in a cue at all. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
