import { existsSync } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { indexTar, readMember, type TarMember } from './tar.js';
import { normaliseText, wordsOf } from './text.js';

/** A recording and what is said in it; texts normalised for scoring. */
export interface Utterance {
  /** As the manifest gives it; names the utterance. */
  readonly path: string;
  readonly words: readonly string[];
  readonly entities: readonly string[];
  /** What its entities are (medicines, places, ...), where the manifest says. */
  readonly domain?: string;
}

export interface Manifest {
  /** File name without its ending. */
  readonly name: string;
  readonly utterances: readonly Utterance[];
  /** The audio file of an utterance, still encoded. */
  readonly read: (utterance: Utterance) => Promise<Uint8Array>;
  readonly close: () => Promise<void>;
}

/**
 * A tab-separated manifest with a header line: `path` (relative to the manifest, or within the tar of the same name
 * beside it), `transcript`, `entities` separated by `|`, and `domain` to be reported apart. Other columns are passed over.
 */
export async function openManifest(path: string): Promise<Manifest> {
  const utterances = parseManifest(await readText(path), path);
  const folder = dirname(path);
  const name = basename(path, extname(path));
  const tarPath = join(folder, `${name}.tar`);
  const tar = existsSync(tarPath) ? await Tar.open(tarPath) : undefined;
  return {
    name,
    utterances,
    read: async (utterance) => {
      const file = join(folder, utterance.path);
      if (existsSync(file)) return readFile(file);
      const bytes = await tar?.read(utterance.path);
      if (bytes !== undefined) return bytes;
      const inTar = tar === undefined ? `and there is no ${tarPath}` : `nor is it in ${tarPath}`;
      throw new Error(`${file} does not exist, ${inTar}; put the audio in one of the two places`);
    },
    close: async () => {
      await tar?.close();
    },
  };
}

/** @param source named in errors */
export function parseManifest(text: string, source: string): Utterance[] {
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = header.split('\t');
  for (const needed of ['path', 'transcript']) {
    if (columns.includes(needed)) continue;
    throw new Error(
      `${source}: the first line has no column "${needed}"; it names the columns, separated by tabs: path, transcript, entities`,
    );
  }
  const utterances = lines.flatMap((line, i) =>
    line.trim() === '' ? [] : [parseLine(line.split('\t'), columns, `${source}:${i + 2}`)],
  );
  if (utterances.length === 0) throw new Error(`${source} has no utterances behind its first line`);
  return utterances;
}

function parseLine(fields: readonly string[], columns: readonly string[], place: string): Utterance {
  const field = (name: string): string => fields[columns.indexOf(name)] ?? '';
  const path = field('path').trim();
  if (path === '') throw new Error(`${place}: the path is empty`);
  if (fields.length < columns.length - 1 || fields.length > columns.length) {
    // one missing field is an empty last one whose tab an editor took away
    throw new Error(`${place}: ${fields.length} fields where the first line has ${columns.length}`);
  }
  const entities = field('entities')
    .split('|')
    .map(normaliseText)
    .filter((entity) => entity !== '');
  const domain = field('domain').trim();
  return {
    path,
    words: wordsOf(normaliseText(field('transcript'))),
    entities: [...new Set(entities)],
    ...(domain !== '' && { domain }),
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the manifest cannot be read: ${why}`, { cause });
  }
}

class Tar {
  readonly #file: FileHandle;
  readonly #members: ReadonlyMap<string, TarMember>;

  private constructor(file: FileHandle, members: ReadonlyMap<string, TarMember>) {
    this.#file = file;
    this.#members = members;
  }

  static async open(path: string): Promise<Tar> {
    const file = await open(path);
    try {
      return new Tar(file, await indexTar(file));
    } catch (cause) {
      await file.close();
      throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const member = this.#members.get(path.replace(/^\.\//, ''));
    return member === undefined ? undefined : readMember(this.#file, member);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
