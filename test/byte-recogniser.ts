import { Subject } from 'rxjs';
import { DEFAULT_ENDPOINT } from '../src/decoder/endpoint.js';
import type { FinalMessage, PartialMessage } from '../src/protocol/messages.js';
import type {
  Recogniser,
  RecogniserCommand,
  RecogniserConfig,
  RecogniserEvent,
} from '../src/session/recogniser.js';
import { DESCRIPTION } from './session-support.js';

/** A second has ten samples: small numbers to read. */
const RATE = 10;

export const BYTE_CONFIG: RecogniserConfig = {
  audio: { encoding: 'mulaw', sampleRate: RATE, channels: 1 },
  latency: DESCRIPTION.latencies[0]!,
  beam: 1,
  partials: true,
  partialIntervalMs: 0,
  nBest: 1,
  languageModel: false,
  explain: false,
  biasing: {
    adaptive: true,
    unigram: true,
    phonetic: true,
    lexicon: true,
    g2g: true,
    encoder: true,
    acceptance: true,
  },
  endpoint: DEFAULT_ENDPOINT,
  vocabulary: [],
  maxEntries: 100,
  maxEntryLength: 100,
};

/**
 * Hears each byte of mu-law above 1 as a word at once, nothing in 1, and ends a segment at 0. What it was told can be told
 * from what it says.
 */
export class ByteRecogniser implements Recogniser {
  readonly #events = new Subject<RecogniserEvent>();
  readonly events = this.#events.asObservable();
  readonly vocabulary;
  readonly #entries: Set<string>;
  #version: number;
  #sample = 0;
  readonly #rate: number;
  #segment = 0;
  #words: { word: string; startSample: number; endSample: number }[] = [];
  #total = 0;
  dead = false;

  constructor({ audio, vocabulary }: RecogniserConfig) {
    this.#rate = audio.sampleRate;
    this.#entries = new Set(vocabulary.map(({ text }) => text));
    this.#version = vocabulary.length === 0 ? 0 : 1;
    this.vocabulary = this.#summary();
  }

  send(command: RecogniserCommand): void {
    if (this.dead) return;
    if (command.type === 'audio') for (const byte of command.bytes) this.#hear(byte);
    else if (command.type === 'vocabulary') {
      if ('replace' in command.change) this.#entries.clear();
      const { set, remove } =
        'replace' in command.change ? { set: command.change.replace, remove: [] } : command.change.patch;
      for (const text of remove) this.#entries.delete(text);
      for (const { text } of set) this.#entries.add(text);
      this.#version++;
      this.#events.next({ type: 'vocabulary.applied', id: command.id, ...this.#summary() });
    } else {
      const { type, id } = command.boundary;
      if (type === 'mark') this.#events.next({ type, id: id!, sample: this.#sample });
      else this.#final('flush');
      if (type === 'flush') this.#events.next({ type: 'flushed', id: id!, sample: this.#sample });
      if (type === 'stop') {
        this.#events.next({
          type: 'stopped',
          audioSeconds: this.#sample / this.#rate,
          samples: this.#sample,
          segments: this.#segment,
          words: this.#total,
          vocabularyVersion: this.#version,
        });
      }
    }
  }

  die(): void {
    if (this.dead) return;
    this.dead = true;
    this.#events.next({ type: 'failed', code: 'internal', message: 'It died.', lost: true });
  }

  close(): void {
    this.dead = true;
  }

  #summary() {
    const { size } = this.#entries;
    const hash = `list:${[...this.#entries].sort().join()}`;
    return { version: this.#version, hash, entries: size, sample: this.#sample, buildMs: 0, rejected: [] };
  }

  #hear(byte: number): void {
    this.#sample++;
    this.#events.next({ type: 'progress', sample: this.#sample });
    if (byte === 0) this.#final('endpoint');
    if (byte < 2) return;
    this.#words.push({ word: `${byte}`, startSample: this.#sample - 1, endSample: this.#sample });
    const caption = this.#caption();
    this.#events.next({
      type: 'partial',
      ...caption,
      committed: '',
      tail: caption.text,
    } satisfies PartialMessage);
  }

  #final(reason: 'endpoint' | 'flush'): void {
    if (this.#words.length === 0) return;
    const { startSample } = this.#words[0]!;
    const { endSample } = this.#words.at(-1)!;
    const final: FinalMessage = { type: 'final', ...this.#caption(), startSample, endSample, reason };
    this.#segment++;
    this.#total += this.#words.length;
    this.#words = [];
    this.#events.next(final);
  }

  #caption() {
    const words = this.#words.map((word) => ({
      ...word,
      start: word.startSample / this.#rate,
      end: word.endSample / this.#rate,
      confidence: 1,
    }));
    const text = words.map(({ word }) => word).join(' ');
    return {
      channel: 0,
      segment: this.#segment,
      start: words[0]!.start,
      end: words.at(-1)!.end,
      text,
      words,
    };
  }
}
