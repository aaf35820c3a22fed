import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** A file of a model folder as its manifest describes it. */
export interface DescribedFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Reads a described file into memory that threads may share.
 * @throws Error where it is not what the manifest says
 */
export async function readDescribed(
  path: string,
  { bytes: size, sha256 }: DescribedFile,
  manifest: string,
): Promise<SharedArrayBuffer> {
  const shared = new SharedArrayBuffer(size);
  const bytes = new Uint8Array(shared);
  const file = await open(path);
  try {
    const found = (await file.stat()).size;
    if (found !== size) {
      throw new Error(
        `${path} has ${found} bytes, but ${manifest} says ${size}: the files are of different versions. Restore the model folder.`,
      );
    }
    await file.read(bytes, 0, size, 0);
  } finally {
    await file.close();
  }
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw new Error(
      `${path} does not have the sha256 that ${manifest} says: it is damaged. Restore the model folder.`,
    );
  }
  return shared;
}
