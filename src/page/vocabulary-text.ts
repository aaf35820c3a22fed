import type { EntryObject } from '../protocol/messages.js';

/** A line that is no entry, and why. */
export interface LineFault {
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

export interface VocabularyText {
  readonly entries: readonly EntryObject[];
  readonly faults: readonly LineFault[];
}

/** As the protocol has them. */
const MAX_TEXT = 100;
const MAX_WEIGHT = 10;
const MAX_SPELLINGS = 8;

/**
 * A vocabulary as people type it: an entry a line, `text | weight | sounds like, or like`, the last two optional; empty
 * lines and those that begin with `#` are passed over. Tabs separate too: so do the files of `lexigate transcribe`.
 */
export function parseVocabulary(text: string): VocabularyText {
  const entries: EntryObject[] = [];
  const faults: LineFault[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const entry = parseLine(line);
    if (typeof entry === 'string') faults.push({ line: i + 1, reason: entry });
    else entries.push(entry);
  }
  return { entries, faults };
}

/** The entry, or what is wrong with the line. */
function parseLine(line: string): EntryObject | string {
  const [text = '', weight = '', ...rest] = line.split(/[|\t]/).map((field) => field.trim());
  const soundsLike = rest.flatMap((field) => field.split(',')).flatMap((part) => part.trim() || []);
  const value = Number(weight);
  if (text === '') return 'there is no text before the first separator';
  if ([text, ...soundsLike].some((part) => part.length > MAX_TEXT)) {
    return `a text has more than ${MAX_TEXT} characters`;
  }
  if (weight !== '' && !(value > 0 && value <= MAX_WEIGHT)) {
    return `the weight is “${weight}”; it must be a number above 0 and at most ${MAX_WEIGHT}`;
  }
  if (soundsLike.length > MAX_SPELLINGS) return `it has more than ${MAX_SPELLINGS} spellings`;
  return {
    text,
    ...(weight !== '' && { weight: value }),
    ...(soundsLike.length > 0 && { soundsLike }),
  };
}
