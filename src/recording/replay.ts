import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filter, firstValueFrom, map, ReplaySubject, tap } from 'rxjs';
import { bytesPerFrame } from '../audio/decode.js';
import type { Recogniser, RecogniserEvent, RecogniserFactory } from '../session/recogniser.js';
import { type CommandRecord, type EndRecord, FILES, FORMAT, lineOf, type SessionRecord } from './format.js';

/** Audio of a packet. */
const PACKET_SECONDS = 0.1;
/** Audio that may wait to be decoded: more would only fill memory. */
const AHEAD_SECONDS = 10;

export interface Recording {
  readonly folder: string;
  readonly session: SessionRecord;
  readonly commands: readonly CommandRecord[];
  /** Lines without their ends. */
  readonly messages: readonly string[];
  /** `cut` also where the gateway did not live to say so. */
  readonly end: EndRecord;
}

/** @throws Error that names what is missing or wrong */
export async function readRecording(folder: string): Promise<Recording> {
  const read = async (name: string): Promise<string> => {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch (cause) {
      throw new Error(
        `${folder} is no recording: ${name} cannot be read. Give the folder of one session below that of "serve --record".`,
        { cause },
      );
    }
  };
  const session = parse<SessionRecord>(folder, FILES.session, await read(FILES.session));
  if (session.format !== FORMAT) {
    throw new Error(
      `${folder} has the format ${String(session.format)}; this version reads ${FORMAT}. Replay it with lexigate ${session.lexigate}.`,
    );
  }
  const commands = linesOf(await read(FILES.commands)).map((line) =>
    parse<CommandRecord>(folder, FILES.commands, line),
  );
  const messages = linesOf(await read(FILES.messages));
  const end = await read(FILES.end).then(
    (text) => parse<EndRecord>(folder, FILES.end, text),
    (): EndRecord => ({ ended: 'cut' }),
  );
  return { folder, session, commands, messages, end };
}

function linesOf(text: string): string[] {
  // a gateway that was killed may have left half a line
  return text.split('\n').slice(0, -1);
}

function parse<T>(folder: string, name: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new Error(`${join(folder, name)} is damaged: ${text.slice(0, 60)} is not JSON.`, { cause });
  }
}

/**
 * Does again what was recorded. A session that was not stopped is stopped at the end of what there is.
 * @param told each message, as a line without its end
 */
export async function replay(
  { folder, session, commands }: Recording,
  recognisers: RecogniserFactory,
  told: (line: string) => void,
): Promise<void> {
  const { config } = session;
  const recogniser = await recognisers.open(config);
  const decoded = new ReplaySubject<number>(1);
  decoded.next(0);
  const over = firstValueFrom(
    recogniser.events.pipe(
      tap((event) => {
        if (event.type === 'progress') decoded.next(event.sample);
        const line = lineOf(event);
        if (line !== undefined) told(line);
      }),
      filter(isLast),
      map(() => undefined),
    ),
  );
  for (const command of commands) {
    // they wait for their steps
    if ('update' in command) recogniser.send({ type: 'vocabulary', ...command.update });
  }
  const audio = await open(join(folder, FILES.audio));
  try {
    const sender = new AudioSender(audio, recogniser, config.audio, decoded, over);
    for (const command of commands) {
      if (!('boundary' in command)) continue;
      await sender.sendTo(command.sample);
      recogniser.send({ type: 'boundary', boundary: command.boundary });
    }
    await sender.sendTo(Infinity);
    const stopped = commands.some((each) => 'boundary' in each && each.boundary.type === 'stop');
    if (!stopped) recogniser.send({ type: 'boundary', boundary: { type: 'stop' } });
    await over;
  } finally {
    await audio.close();
    recogniser.close();
  }
}

function isLast(event: RecogniserEvent): boolean {
  return event.type === 'stopped' || (event.type === 'failed' && event.id === undefined);
}

/** Recorded audio as a client sends it, no faster than it is decoded. */
class AudioSender {
  readonly #file: FileHandle;
  readonly #recogniser: Recogniser;
  readonly #frameBytes: number;
  readonly #rate: number;
  readonly #decoded: ReplaySubject<number>;
  readonly #over: Promise<void>;
  #sent = 0;

  constructor(
    file: FileHandle,
    recogniser: Recogniser,
    audio: SessionRecord['config']['audio'],
    decoded: ReplaySubject<number>,
    over: Promise<void>,
  ) {
    this.#file = file;
    this.#recogniser = recogniser;
    this.#frameBytes = bytesPerFrame(audio);
    this.#rate = audio.sampleRate;
    this.#decoded = decoded;
    this.#over = over;
  }

  /** Everything before a sample, or what there is of it. */
  async sendTo(sample: number): Promise<void> {
    const packet = Math.ceil(this.#rate * PACKET_SECONDS);
    while (this.#sent < sample) {
      const wanted = Math.min(packet, sample - this.#sent) * this.#frameBytes;
      const bytes = new Uint8Array(wanted);
      const { bytesRead } = await this.#file.read(bytes, 0, wanted, this.#sent * this.#frameBytes);
      const samples = Math.floor(bytesRead / this.#frameBytes);
      if (samples === 0) return;
      this.#recogniser.send({ type: 'audio', bytes: bytes.slice(0, samples * this.#frameBytes) });
      this.#sent += samples;
      const enough = this.#sent - AHEAD_SECONDS * this.#rate;
      // a recogniser that has failed decodes nothing any more
      await Promise.race([firstValueFrom(this.#decoded.pipe(filter((each) => each >= enough))), this.#over]);
    }
  }
}

/** What a replay says to what was recorded. */
export interface Comparison {
  readonly same: boolean;
  /** Messages that are as they were. */
  readonly messages: number;
  /** The first that is not, from 1, with both lines; one of them may be missing. */
  readonly difference?: { readonly line: number; readonly recorded?: string; readonly replayed?: string };
}

/** A recording without a stop may end before all was told; what it has must be the begin of what is told now. */
export function compare({ messages, end }: Recording, replayed: readonly string[]): Comparison {
  const length = end.ended === 'stopped' ? Math.max(messages.length, replayed.length) : messages.length;
  for (let i = 0; i < length; i++) {
    const [recorded, now] = [messages[i], replayed[i]];
    if (recorded === now) continue;
    const lines = {
      ...(recorded !== undefined && { recorded }),
      ...(now !== undefined && { replayed: now }),
    };
    return { same: false, messages: i, difference: { line: i + 1, ...lines } };
  }
  return { same: true, messages: length };
}
