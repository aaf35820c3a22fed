import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type EndRecord, FILES } from './format.js';

/** Bytes that may wait for the disk. Overflow rule: the recording ends there; the session is not held up. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

export interface RecordingFilesOptions {
  /** Asks for room in the folder. */
  readonly take: (bytes: number) => boolean;
  readonly tell: (what: string) => void;
}

/** The files of one recording, which end together wherever one of them cannot go on. */
export class RecordingFiles {
  readonly #folder: string;
  readonly #options: RecordingFilesOptions;
  readonly #streams = new Map<string, WriteStream>();
  #ended = false;

  private constructor(folder: string, options: RecordingFilesOptions) {
    this.#folder = folder;
    this.#options = options;
    // there even where nothing is written to them
    for (const name of [FILES.audio, FILES.commands, FILES.messages]) this.#stream(name);
  }

  static async create(folder: string, options: RecordingFilesOptions): Promise<RecordingFiles> {
    await mkdir(folder, { mode: 0o700 });
    return new RecordingFiles(folder, options);
  }

  /** Appends; the bytes are owned from now on. */
  write(name: string, data: string | Uint8Array): void {
    if (this.#ended) return;
    const waiting = [...this.#streams.values()].reduce((sum, { writableLength }) => sum + writableLength, 0);
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    if (waiting + bytes > MAX_WAITING_BYTES) this.end('truncated', 'the disk is too slow');
    else if (!this.#options.take(bytes)) this.end('truncated', 'the folder has no room left');
    else this.#stream(name).write(data);
  }

  end(ended: EndRecord['ended'], why?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const record: EndRecord = { ended, ...(why !== undefined && { why }) };
    if (why !== undefined) this.#options.tell(`${this.#folder} is truncated: ${why}`);
    let open = this.#streams.size;
    for (const stream of this.#streams.values()) {
      // last: where it is, all the rest is
      stream.on('close', () => {
        if (--open === 0) this.#stream(FILES.end).end(`${JSON.stringify(record)}\n`);
      });
      stream.end();
    }
  }

  #stream(name: string): WriteStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = createWriteStream(join(this.#folder, name), { flags: 'wx', mode: 0o600 });
      stream.on('error', (error) => this.end('truncated', error.message));
      this.#streams.set(name, stream);
    }
    return stream;
  }
}
