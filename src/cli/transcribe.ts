import { type FileHandle, open } from 'node:fs/promises';
import { LexigateClient } from '../client/client.js';
import type { EntryObject, FinalMessage, SessionOptions, Word } from '../protocol/messages.js';
import { type AudioFile, readAudioFile, sendFile } from './audio-file.js';
import { CaptionsView } from './captions-view.js';
import { startService } from './compose.js';
import type { ServeSettings } from './settings.js';
import { chooseFormat, formatTranscript, inOrder, type TranscriptFormat } from './transcript-file.js';
import { readVocabularyFile } from './vocabulary-file.js';

export interface TranscribeOptions {
  readonly vocabulary?: string;
  readonly srt?: boolean;
  readonly vtt?: boolean;
  readonly txt?: boolean;
  readonly json?: boolean;
  /** File for what would be printed. */
  readonly out?: string;
  readonly url?: string;
  /** For the gateway at `url`. */
  readonly key?: string;
  readonly realtime: boolean;
  readonly latency?: number;
  readonly beam?: number;
  /** False: without the word language model. */
  readonly languageModel: boolean;
}

/** Nobody else uses it: a file may be read as fast as it is recognised. */
const OWN_GATEWAY = { host: '127.0.0.1', port: 0, workers: 1, maxSpeed: 1000, record: undefined };

/** Transcribes files one after the other, through a gateway of its own where no address is given. */
export async function transcribe(
  files: readonly string[],
  options: TranscribeOptions,
  settings: ServeSettings,
): Promise<void> {
  const format = chooseFormat(options, options.out);
  if (files.length > 1 && (options.out !== undefined || (format !== undefined && format !== 'json'))) {
    throw new Error('--srt, --vtt, --txt and --out are for one file at a time');
  }
  const vocabulary =
    options.vocabulary === undefined ? undefined : await readVocabularyFile(options.vocabulary);
  // read before anything starts: a wrong file name should not take a model's loading time to be told
  const audio = await Promise.all(files.map(readNamed));
  // likewise a file that cannot be written; what it holds stays until there is something to put in its place
  const out = options.out === undefined ? undefined : await open(options.out, 'a');
  const service = options.url === undefined ? await startService({ ...settings, ...OWN_GATEWAY }) : undefined;
  try {
    for (const [i, file] of audio.entries()) {
      if (format === undefined && files.length > 1)
        process.stdout.write(`${i > 0 ? '\n' : ''}${files[i]}:\n`);
      const job = { name: files[i]!, file, url: service?.url ?? options.url!, vocabulary, format, out };
      await transcribeFile(job, options);
    }
  } finally {
    await out?.close();
    await service?.stop({ graceMs: 0 });
  }
}

async function readNamed(path: string): Promise<AudioFile> {
  try {
    return await readAudioFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(why.includes(path) ? why : `${path}: ${why}`, { cause });
  }
}

interface Job {
  readonly name: string;
  readonly file: AudioFile;
  readonly url: string;
  readonly vocabulary: EntryObject[] | undefined;
  /** Absent: captions as they come, for people to read. */
  readonly format: TranscriptFormat | undefined;
  readonly out: FileHandle | undefined;
}

async function transcribeFile(
  { name, file, url, vocabulary, format, out }: Job,
  options: TranscribeOptions,
): Promise<void> {
  const { key, realtime, latency, beam, languageModel } = options;
  const wishes: SessionOptions = {
    ...(latency !== undefined && { latencyMs: latency }),
    ...(beam !== undefined && { beam }),
    languageModel,
  };
  const start = { audio: file.format, ...(vocabulary !== undefined && { vocabulary }), options: wishes };
  // the connection to a gateway of our own can be lost only with the gateway
  const reconnect = options.url !== undefined;
  const client = await LexigateClient.connect(url, start, { token: key, reconnect });
  const finals: FinalMessage[] = [];
  client.on('final', (message) => finals.push(message));
  const lines: string[] = [];
  const print = (text: string): void => {
    if (out === undefined) process.stdout.write(text);
    else lines.push(text);
  };
  const printJson = (value: unknown): void => {
    print(`${JSON.stringify(value)}\n`);
  };
  if (format === 'json') {
    // whoever has the token may take the session
    const { resume, ...ready } = client.ready;
    printJson(ready);
    client.on('message', printJson);
  } else showForPeople(client, file, format === undefined);
  await sendFile(file, (packet) => client.sendAudio(packet), { realtime });
  await client.stop();
  const { channels } = file.format;
  if (format === 'json') printJson(transcript(name, finals, channels));
  else if (format !== undefined) print(formatTranscript(format, finals, channels));
  await out?.truncate();
  await out?.writeFile(lines.join(''));
}

/** Captions on the terminal, or only what went wrong. */
function showForPeople(client: LexigateClient, { format }: AudioFile, captions: boolean): void {
  const view = new CaptionsView({
    out: captions ? process.stdout : process.stderr,
    speakers: format.channels === 2,
  });
  if (captions) {
    client.on('partial', (message) => view.partial(message)).on('final', (message) => view.final(message));
  }
  client.on('error', ({ code, message }) => view.note(`${code}: ${message}`));
  for (const { text, reason } of client.ready.vocabulary?.rejected ?? []) {
    process.stderr.write(`not in the vocabulary: "${text}": ${reason}\n`);
  }
}

interface Transcript {
  readonly type: 'transcript';
  readonly file: string;
  readonly text: string;
  readonly words: readonly (Word & { readonly channel?: number })[];
}

/** All of a file: its segments in the order in which they were spoken. */
function transcript(file: string, finals: readonly FinalMessage[], channels: number): Transcript {
  const ordered = inOrder(finals);
  return {
    type: 'transcript',
    file,
    text: ordered.map(({ text }) => text).join(' '),
    words: ordered.flatMap(({ words, channel }) =>
      words.map((word) => (channels === 2 ? { ...word, channel } : word)),
    ),
  };
}
