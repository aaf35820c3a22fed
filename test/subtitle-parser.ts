import * as mediaCaptions from 'media-captions';
import * as assert from 'uvu/assert';

interface ParsedCue {
  readonly startTime: number;
  readonly endTime: number;
  readonly text: string;
}

/** What is used of the parser. Its own declarations are written for bundlers, and empty as Node resolves them. */
const { parseText } = mediaCaptions as unknown as {
  parseText(
    text: string,
    options: { type: 'srt' | 'vtt'; strict: boolean; errors: boolean },
  ): Promise<{ cues: ParsedCue[]; errors: unknown[] }>;
};

/** Reads subtitles as a player does; fails on anything that the parser finds wrong. */
export async function parseSubtitles(text: string, type: 'srt' | 'vtt'): Promise<ParsedCue[]> {
  const { cues, errors } = await parseText(text, { type, strict: true, errors: true });
  assert.equal(errors, []);
  return cues;
}
