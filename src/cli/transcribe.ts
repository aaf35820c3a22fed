import { LexigateClient } from '../client/client.js';
import type { EntryObject, FinalMessage, SessionOptions, Word } from '../protocol/messages.js';
import { type AudioFile, readAudioFile, sendFile } from './audio-file.js';
import { CaptionsView } from './captions-view.js';
import { startService } from './compose.js';
import type { ServeSettings } from './settings.js';
import { readVocabularyFile } from './vocabulary-file.js';

export interface TranscribeOptions {
  readonly vocabulary?: string;
  readonly json: boolean;
  readonly url?: string;
  readonly realtime: boolean;
  readonly latency?: number;
  readonly beam?: number;
  /** False: without the word language model. */
  readonly languageModel: boolean;
}

/** Transcribes files one after the other, through a gateway of its own where no address is given. */
export async function transcribe(
  files: readonly string[],
  options: TranscribeOptions,
  settings: ServeSettings,
): Promise<void> {
  const vocabulary =
    options.vocabulary === undefined ? undefined : await readVocabularyFile(options.vocabulary);
  // read before anything starts: a wrong file name should not take a model's loading time to be told
  const audio = await Promise.all(files.map(readNamed));
  const service =
    options.url === undefined
      ? await startService({ ...settings, host: '127.0.0.1', port: 0, workers: 1 })
      : undefined;
  try {
    for (const [i, file] of audio.entries()) {
      if (!options.json && files.length > 1) process.stdout.write(`${i > 0 ? '\n' : ''}${files[i]}:\n`);
      await transcribeFile(files[i]!, file, service?.url ?? options.url!, vocabulary, options);
    }
  } finally {
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

async function transcribeFile(
  name: string,
  file: AudioFile,
  url: string,
  vocabulary: EntryObject[] | undefined,
  { json, realtime, latency, beam, languageModel }: TranscribeOptions,
): Promise<void> {
  const wishes: SessionOptions = {
    ...(latency !== undefined && { latencyMs: latency }),
    ...(beam !== undefined && { beam }),
    languageModel,
  };
  const client = await LexigateClient.connect(url, {
    audio: file.format,
    ...(vocabulary !== undefined && { vocabulary }),
    options: wishes,
  });
  const finals: FinalMessage[] = [];
  const print = (value: unknown): void => {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  };
  client.on('final', (message) => finals.push(message));
  if (json) {
    print(client.ready);
    client.on('message', print);
  } else {
    const view = new CaptionsView({ out: process.stdout, speakers: file.format.channels === 2 });
    client.on('partial', (message) => view.partial(message)).on('final', (message) => view.final(message));
    client.on('error', ({ code, message }) => view.note(`${code}: ${message}`));
    for (const { text, reason } of client.ready.vocabulary?.rejected ?? []) {
      process.stderr.write(`not in the vocabulary: "${text}": ${reason}\n`);
    }
  }
  await sendFile(file, (packet) => client.sendAudio(packet), { realtime });
  await client.stop();
  if (json) print(transcript(name, finals, file.format.channels));
}

interface Transcript {
  readonly type: 'transcript';
  readonly file: string;
  readonly text: string;
  readonly words: readonly (Word & { readonly channel?: number })[];
}

/** All of a file: its segments in the order in which they were spoken. */
function transcript(file: string, finals: readonly FinalMessage[], channels: number): Transcript {
  const inOrder = finals.toSorted((a, b) => a.startSample - b.startSample);
  return {
    type: 'transcript',
    file,
    text: inOrder.map(({ text }) => text).join(' '),
    words: inOrder.flatMap(({ words, channel }) =>
      words.map((word) => (channels === 2 ? { ...word, channel } : word)),
    ),
  };
}
