import { readFile } from 'node:fs/promises';
import type { EntryObject } from '../protocol/messages.js';

/**
 * A vocabulary file: an entry a line, `text`, optionally a tab and a weight, optionally further tabs and sounds-like
 * spellings. Empty lines and lines that begin with `#` are passed over.
 */
export async function readVocabularyFile(path: string): Promise<EntryObject[]> {
  const lines = (await read(path)).split(/\r?\n/);
  return lines.flatMap((line, i) =>
    line.trim() === '' || line.startsWith('#') ? [] : [parseLine(line, `${path}:${i + 1}`)],
  );
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error(
      `the vocabulary file ${path} cannot be read: ${(cause as Error).message}. It is text with an entry a line.`,
      { cause },
    );
  }
}

function parseLine(line: string, place: string): EntryObject {
  const [text = '', weight = '', ...spellings] = line.split('\t').map((field) => field.trim());
  if (text === '') throw new Error(`${place}: the line has no text before its first tab`);
  const soundsLike = spellings.filter((spelling) => spelling !== '');
  const value = Number(weight);
  if (weight !== '' && !(value > 0)) {
    throw new Error(`${place}: the weight is ${JSON.stringify(weight)}; give a number above 0, such as 1.5`);
  }
  return {
    text,
    ...(weight !== '' && { weight: value }),
    ...(soundsLike.length > 0 && { soundsLike: soundsLike as NonNullable<EntryObject['soundsLike']> }),
  };
}
