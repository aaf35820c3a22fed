import { Subject, type Subscription } from 'rxjs';
import { bytesPerFrame } from '../audio/decode.js';
import type { EncoderDescription } from '../encoder/runtime.js';
import type { VocabularySummary } from '../protocol/messages.js';
import { ListLog } from './list-log.js';
import type {
  Recogniser,
  RecogniserCommand,
  RecogniserConfig,
  RecogniserEvent,
  RecogniserFactory,
} from './recogniser.js';
import { ReplayLog } from './replay-log.js';
import { type Past, shiftCommand, shiftEvent } from './shifted.js';

/** What kills a worker once may lie in a session's own audio, which would then kill one after another. */
const MAX_RESTARTS = 2;

/** Audio in which no word is heard and which may yet become the begin of one, in seconds. */
const UNHEARD_SECONDS = 2;

export interface RestartingOptions {
  readonly recognisers: RecogniserFactory;
  /** Resolves once those that died are replaced as far as they can be: the survivors alone would be overrun. */
  readonly replaced: () => Promise<void>;
  /** Audio kept of a session; 0: sessions end with their worker. */
  readonly maxReplayBytes: number;
}

/**
 * Recognisers that outlive the worker in which they sit. What is in no final is told to another recogniser, from the list
 * in force on; times, segments and versions go on as if nothing had been. Invariants:
 * 1. Each flush, mark and update is answered once, by whichever recogniser comes to it.
 * 2. What is said in finals is not said again.
 */
export class RestartingRecognisers implements RecogniserFactory {
  readonly #options: RestartingOptions;

  constructor(options: RestartingOptions) {
    this.#options = options;
  }

  get description(): EncoderDescription {
    return this.#options.recognisers.description;
  }

  async open(config: RecogniserConfig): Promise<Recogniser> {
    const first = await this.#options.recognisers.open(config);
    return this.#options.maxReplayBytes === 0
      ? first
      : new RestartingRecogniser(first, config, this.#options);
  }
}

class RestartingRecogniser implements Recogniser {
  readonly vocabulary: VocabularySummary;
  readonly #config: RecogniserConfig;
  readonly #options: RestartingOptions;
  readonly #events = new Subject<RecogniserEvent>();
  readonly events = this.#events.asObservable();
  readonly #log: ReplayLog;
  readonly #list: ListLog;
  /** Absent while there is none. */
  #inner: Recogniser | undefined;
  #subscription: Subscription | undefined;
  #past: Past;
  #restarts = 0;
  #closed = false;
  /** Of the session, by channel: segments told, up to where all is told, and whether words are open behind that. */
  readonly #segments: number[];
  readonly #settled: number[];
  readonly #open: boolean[];
  #words = 0;
  #version: number;
  /** Up to where all is decoded, and was before the last step. */
  #progress = 0;
  #before = 0;

  constructor(first: Recogniser, config: RecogniserConfig, options: RestartingOptions) {
    const { channels } = config.audio;
    this.vocabulary = first.vocabulary;
    this.#config = config;
    this.#options = options;
    this.#log = new ReplayLog(bytesPerFrame(config.audio), options.maxReplayBytes);
    this.#list = new ListLog(config.vocabulary);
    this.#segments = new Array<number>(channels).fill(0);
    this.#settled = new Array<number>(channels).fill(0);
    this.#open = new Array<boolean>(channels).fill(false);
    this.#past = { sample: 0, segments: [...this.#segments], words: 0, versions: 0 };
    this.#version = first.vocabulary.version;
    this.#follow(first);
  }

  send(command: RecogniserCommand): void {
    this.#log.add(command);
    this.#inner?.send(shiftCommand(command, this.#past.sample));
  }

  close(): void {
    this.#closed = true;
    this.#leave();
    this.#events.complete();
  }

  #follow(inner: Recogniser): void {
    this.#inner = inner;
    this.#subscription = inner.events.subscribe({
      next: (event) => this.#event(event),
      // a recogniser that is lost completes too, once another has been asked for
      complete: () => {
        if (this.#inner === inner) this.#events.complete();
      },
    });
  }

  #leave(): void {
    this.#subscription?.unsubscribe();
    this.#inner?.close();
    this.#inner = undefined;
  }

  #event(told: RecogniserEvent): void {
    if (told.type === 'failed' && told.lost === true && this.#restarts < MAX_RESTARTS) {
      void this.#restart(told);
      return;
    }
    const event = this.#restarts === 0 ? told : shiftEvent(told, this.#past, this.#config.audio.sampleRate);
    // what is decoded again was decoded before
    if (event.type === 'progress' && event.sample <= this.#progress) return;
    this.#note(event);
    this.#events.next(event);
  }

  /** What the event settles need not be told again. */
  #note(event: RecogniserEvent): void {
    switch (event.type) {
      case 'progress':
        this.#heard(event.sample);
        return;
      case 'partial':
        this.#open[event.channel] = true;
        return;
      case 'final':
        this.#segments[event.channel]! += 1;
        this.#words += event.words.length;
        this.#open[event.channel] = false;
        // what was decoded before the step that ended the segment is all in it
        this.#settle(event.channel, Math.max(event.endSample, this.#before));
        return;
      case 'mark':
      case 'flushed':
        this.#boundaryAnswered(event);
        return;
      case 'vocabulary.applied':
        this.#version = event.version;
        this.#updateAnswered(event.id, true);
        return;
      case 'failed':
        if (event.id !== undefined) this.#updateAnswered(event.id, false);
        return;
      default:
    }
  }

  #boundaryAnswered(event: RecogniserEvent & { readonly type: 'mark' | 'flushed' }): void {
    const type = event.type === 'mark' ? 'mark' : 'flush';
    this.#log.answered((command) => command.type === 'boundary' && command.boundary.type === type);
    if (type === 'mark') return;
    for (const channel of this.#settled.keys()) this.#settle(channel, event.sample);
  }

  #updateAnswered(id: string, inForce: boolean): void {
    this.#log.answered((command) => {
      if (command.type !== 'vocabulary' || command.id !== id) return false;
      if (inForce) this.#list.add(command.change);
      return true;
    });
  }

  /** @param sample up to which all channels are decoded */
  #heard(sample: number): void {
    this.#before = this.#progress;
    this.#progress = sample;
    // without partials it is not known whether words are open
    if (!this.#config.partials) return;
    const silent = sample - UNHEARD_SECONDS * this.#config.audio.sampleRate;
    for (const [channel, open] of this.#open.entries()) if (!open) this.#settle(channel, silent);
  }

  #settle(channel: number, sample: number): void {
    this.#settled[channel] = Math.max(this.#settled[channel]!, sample);
    this.#log.decided(Math.min(...this.#settled));
  }

  /** @param told what the session hears where it cannot go on */
  async #restart(told: RecogniserEvent): Promise<void> {
    this.#restarts++;
    this.#leave();
    const { recognisers, replaced } = this.#options;
    try {
      await replaced();
      if (this.#closed) return;
      // entries that were rejected are among them, and would count
      const vocabulary = this.#list.entries().slice(0, this.#config.maxEntries);
      const inner = await recognisers.open({ ...this.#config, vocabulary });
      if (this.#closed) inner.close();
      else this.#goOn(inner);
    } catch {
      if (!this.#closed) this.#events.next(told);
    }
  }

  #goOn(inner: Recogniser): void {
    const { begin, forgotten, commands } = this.#log;
    this.#past = {
      sample: begin,
      segments: [...this.#segments],
      words: this.#words,
      versions: this.#version - inner.vocabulary.version,
    };
    this.#open.fill(false);
    this.#events.next({
      type: 'failed',
      code: 'recogniser_restarted',
      message: this.#sentence(begin, forgotten),
    });
    this.#follow(inner);
    for (const command of commands) {
      // the recogniser owns what it is given, and a third may have to be told the same
      const own = command.type === 'audio' ? { ...command, bytes: Uint8Array.from(command.bytes) } : command;
      inner.send(shiftCommand(own, begin));
    }
  }

  #sentence(begin: number, forgotten: number): string {
    const seconds = (samples: number): string => (samples / this.#config.audio.sampleRate).toFixed(2);
    const lost = forgotten > 0 ? ` The ${seconds(forgotten)} s before that are lost.` : '';
    return `The recognition worker failed; another hears the audio again from ${seconds(begin)} s on. Nothing needs to be sent again.${lost}`;
  }
}
