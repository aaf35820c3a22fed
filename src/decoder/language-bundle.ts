import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface LanguageManifest {
  readonly languageModel?: { readonly file: string; readonly bytes: number; readonly sha256: string };
}

/**
 * The language model of a bundle in memory that threads share: one copy serves all workers. `undefined` where the
 * bundle has none (a folder without `language.json` is a complete acoustic model).
 */
export async function loadLanguageModel(folder: string): Promise<SharedArrayBuffer | undefined> {
  const manifest = join(folder, 'language.json');
  if (!existsSync(manifest)) return undefined;
  const { languageModel } = JSON.parse(await readFile(manifest, 'utf8')) as LanguageManifest;
  if (languageModel === undefined) return undefined;
  const path = join(folder, languageModel.file);
  const shared = new SharedArrayBuffer(languageModel.bytes);
  const bytes = new Uint8Array(shared);
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size !== languageModel.bytes) {
      throw new Error(
        `${path} has ${size} bytes, but ${manifest} says ${languageModel.bytes}: the files are of different versions. Restore the model folder.`,
      );
    }
    await file.read(bytes, 0, size, 0);
  } finally {
    await file.close();
  }
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (hash !== languageModel.sha256) {
    throw new Error(
      `${path} does not have the sha256 that ${manifest} says: it is damaged. Restore the model folder.`,
    );
  }
  return shared;
}
