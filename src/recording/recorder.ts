import { randomUUID } from 'node:crypto';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { tap } from 'rxjs';
import { bytesPerFrame } from '../audio/decode.js';
import type { EncoderDescription } from '../encoder/runtime.js';
import type {
  Recogniser,
  RecogniserCommand,
  RecogniserConfig,
  RecogniserEvent,
  RecogniserFactory,
  UpdateCommand,
} from '../session/recogniser.js';
import { FILES, FORMAT, lineOf, type ModelRecord } from './format.js';
import { RecordingFiles } from './recording-files.js';

export interface RecorderOptions {
  readonly recognisers: RecogniserFactory;
  readonly folder: string;
  /** Of all recordings in the folder together. Overflow rule: what is being recorded ends there; nothing is deleted. */
  readonly maxBytes: number;
  readonly model: ModelRecord;
  /** The gateway's version. */
  readonly version: string;
  /** Told what whoever runs the gateway should know: no content. */
  readonly tell: (what: string) => void;
}

/** Recognisers that write down what they are told and what they say, so that it can be repeated. */
export class Recorder implements RecogniserFactory {
  readonly #options: RecorderOptions;
  /** Bytes in the folder. */
  #used: number;
  #full = false;

  private constructor(options: RecorderOptions, used: number) {
    this.#options = options;
    this.#used = used;
  }

  /** @throws Error where the folder cannot be made */
  static async open(options: RecorderOptions): Promise<Recorder> {
    // speech: for nobody else's eyes
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    return new Recorder(options, await bytesIn(options.folder));
  }

  get description(): EncoderDescription {
    return this.#options.recognisers.description;
  }

  async open(given: RecogniserConfig): Promise<Recogniser> {
    const config = { ...given, repeatable: true };
    const recogniser = await this.#options.recognisers.open(config);
    const files = await this.#begin(config);
    return files === undefined ? recogniser : recorded(recogniser, config, files);
  }

  async #begin(config: RecogniserConfig): Promise<RecordingFiles | undefined> {
    const { folder, model, version, tell } = this.#options;
    if (this.#full) {
      // recordings may have been taken away in the meantime
      this.#used = await bytesIn(folder).catch(() => this.#used);
      this.#full = false;
    }
    const begun = new Date().toISOString();
    const name = `${begun.replace(/[:.]/g, '-')}-${randomUUID().slice(0, 8)}`;
    const take = (bytes: number): boolean => this.#take(bytes);
    try {
      const files = await RecordingFiles.create(join(folder, name), { take, tell });
      files.write(
        FILES.session,
        `${JSON.stringify({ format: FORMAT, lexigate: version, begun, model, config }, undefined, 2)}\n`,
      );
      return files;
    } catch (error) {
      tell(`a session is not recorded: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  #take(bytes: number): boolean {
    const { folder, maxBytes, tell } = this.#options;
    if (this.#used + bytes <= maxBytes) {
      this.#used += bytes;
      return true;
    }
    if (!this.#full) {
      tell(`${folder} holds ${this.#used} bytes of the ${maxBytes} allowed; nothing more is recorded`);
    }
    this.#full = true;
    return false;
  }
}

/** The recogniser, written down from both sides. */
function recorded(recogniser: Recogniser, config: RecogniserConfig, files: RecordingFiles): Recogniser {
  const frameBytes = bytesPerFrame(config.audio);
  let sample = 0;
  let stopped = false;
  /** Updates that were asked for and have not been told where they met the audio; in order. */
  const asked: { readonly sample: number; readonly update: UpdateCommand }[] = [];
  const line = (value: unknown): void => files.write(FILES.commands, `${JSON.stringify(value)}\n`);

  const heard = (event: RecogniserEvent): void => {
    if (event.type === 'placed') {
      const { sample: at, update } = asked.shift()!;
      const { type, ...what } = update;
      line({ sample: at, update: { ...what, step: event.step } });
    }
    if (event.type === 'stopped') stopped = true;
    const told = lineOf(event);
    if (told !== undefined) files.write(FILES.messages, `${told}\n`);
  };

  const send = (command: RecogniserCommand): void => {
    switch (command.type) {
      case 'audio':
        files.write(FILES.audio, Uint8Array.from(command.bytes));
        sample += command.bytes.length / frameBytes;
        break;
      case 'boundary':
        line({ sample, boundary: command.boundary });
        break;
      case 'vocabulary':
        asked.push({ sample, update: command });
    }
    recogniser.send(command);
  };

  return {
    vocabulary: recogniser.vocabulary,
    events: recogniser.events.pipe(tap(heard)),
    send,
    close: () => {
      recogniser.close();
      files.end(stopped ? 'stopped' : 'cut');
    },
  };
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map((entry) => stat(join(entry.parentPath, entry.name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}
