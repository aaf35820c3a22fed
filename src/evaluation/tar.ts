import type { FileHandle } from 'node:fs/promises';

/** Where a file lies in a tar, in bytes. */
export interface TarMember {
  readonly offset: number;
  readonly size: number;
}

/** Headers and contents begin at multiples of this (POSIX ustar). */
const BLOCK = 512;

/** Of what holds a long path: more is a damaged number, for which no memory shall be taken. */
const MAX_NAME_BYTES = 2 ** 20;

/**
 * The regular files of an uncompressed tar by their path, without a leading `./`; only the headers are read. Long paths
 * come from a ustar prefix, a GNU `L` header or a pax `path` record.
 */
export async function indexTar(file: FileHandle): Promise<Map<string, TarMember>> {
  const members = new Map<string, TarMember>();
  const header = Buffer.alloc(BLOCK);
  let longName: string | undefined;
  for (let at = 0; (await file.read(header, 0, BLOCK, at)).bytesRead === BLOCK && header[0] !== 0; ) {
    const size = sizeOf(header);
    const offset = at + BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === 'L' || type === 'x') {
      if (size > MAX_NAME_BYTES) throw new Error(`the tar has a path of ${size} bytes; it is damaged`);
      const content = Buffer.alloc(size);
      await file.read(content, 0, size, offset);
      longName = type === 'L' ? text(content, 0, size) : paxPath(content);
    } else {
      const name = longName ?? nameOf(header);
      longName = undefined;
      if (type === '0' || type === '\0') members.set(name.replace(/^\.\//, ''), { offset, size });
    }
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}

export async function readMember(file: FileHandle, { offset, size }: TarMember): Promise<Uint8Array> {
  const missing = offset + size - (await file.stat()).size;
  if (missing > 0) throw new Error(`the tar ends ${missing} bytes early; copy it again`);
  const bytes = new Uint8Array(size);
  await file.read(bytes, 0, size, offset);
  return bytes;
}

function nameOf(header: Buffer): string {
  const prefix = text(header, 257, 262) === 'ustar' ? text(header, 345, 500) : '';
  const name = text(header, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function sizeOf(header: Buffer): number {
  const size = Number.parseInt(text(header, 124, 136).trim() || '0', 8);
  if (!(size >= 0)) throw new Error('it is not an uncompressed tar, or is damaged');
  return size;
}

/** Bytes up to the first zero. */
function text(bytes: Buffer, from: number, to: number): string {
  const end = bytes.indexOf(0, from);
  return bytes.toString('utf8', from, end < 0 ? to : Math.min(end, to));
}

/** Records are `length key=value\n`. */
function paxPath(content: Buffer): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)/.exec(content.toString('utf8'))?.[1];
}
