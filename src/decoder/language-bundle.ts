import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DescribedFile, readDescribed } from '../util/checked-file.js';

interface LanguageManifest {
  readonly languageModel?: DescribedFile;
}

/**
 * The language model of a bundle in memory that threads share: one copy serves all workers. `undefined` where the
 * bundle has none (a folder without `language.json` is a complete acoustic model).
 */
export async function loadLanguageModel(folder: string): Promise<SharedArrayBuffer | undefined> {
  const manifest = join(folder, 'language.json');
  if (!existsSync(manifest)) return undefined;
  const { languageModel } = JSON.parse(await readFile(manifest, 'utf8')) as LanguageManifest;
  return languageModel && readDescribed(join(folder, languageModel.file), languageModel, manifest);
}
