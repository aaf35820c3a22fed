import WebSocket from 'ws';
import type { Paced, Pacer } from '../load/pacer.js';
import type { Utterance } from '../load/speech.js';
import type { Dialect, Heard } from './dialects.js';

/** How long a server may take for its last words; one that is hopelessly behind is not waited for. */
const PATIENCE_MS = 20_000;

/** What came of one utterance; times in milliseconds. */
export interface Outcome {
  /** From the begin of the audio to the first words. */
  readonly firstPartialMs: number | undefined;
  /** From the end of the newest word to the first message that has it. */
  readonly wordMs: readonly number[];
  /** From the last packet to the end of the answers. */
  readonly finalMs: number;
  readonly text: string;
}

/** One client that says one utterance at the speed of speech over a connection of its own. */
export class UtteranceStream implements Paced {
  readonly #utterance: Utterance;
  readonly #dialect: Dialect;
  readonly #pacer: Pacer;
  readonly #socket: WebSocket;
  #sent = 0;
  #begun = 0;
  #lastAt = 0;
  #firstPartialMs: number | undefined;
  readonly #wordMs: number[] = [];
  readonly #finals = new Map<number, string>();
  #text = '';
  #finish: (outcome: Outcome | undefined) => void = () => undefined;

  private constructor(url: string, dialect: Dialect, utterance: Utterance, pacer: Pacer) {
    this.#utterance = utterance;
    this.#dialect = dialect;
    this.#pacer = pacer;
    this.#socket = new WebSocket(url, [...dialect.subprotocols], {
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
  }

  /** Resolves with undefined where the server did not bring it to its end. */
  static say(
    url: string,
    dialect: Dialect,
    utterance: Utterance,
    pacer: Pacer,
  ): Promise<Outcome | undefined> {
    const stream = new UtteranceStream(url, dialect, utterance, pacer);
    return new Promise((resolve) => {
      stream.#finish = (outcome) => {
        stream.#finish = () => undefined;
        pacer.remove(stream);
        stream.#socket.terminate();
        resolve(outcome);
      };
      stream.#listen();
    });
  }

  get remaining(): number {
    return this.#utterance.packets.length - this.#sent;
  }

  send(): void {
    this.#socket.send(this.#utterance.packets[this.#sent++]!);
    if (this.remaining > 0) return;
    this.#lastAt = performance.now();
    this.#socket.send(this.#dialect.last);
    setTimeout(() => this.#finish(undefined), PATIENCE_MS).unref();
  }

  #listen(): void {
    const { first, waits } = this.#dialect;
    this.#socket.on('error', () => this.#finish(undefined));
    this.#socket.on('close', () => this.#finish(undefined));
    this.#socket.on('open', () => {
      if (first !== undefined) this.#socket.send(first);
      if (!waits) this.#begin();
    });
    this.#socket.on('message', (data: Buffer) => {
      if (this.#begun === 0) this.#begin();
      for (const heard of this.#dialect.hear(data.toString())) this.#hear(heard, performance.now());
    });
  }

  #begin(): void {
    this.#begun = performance.now();
    this.#pacer.add(this, this.#begun);
  }

  #hear(heard: Heard, now: number): void {
    if (heard.type === 'final') this.#finals.set(heard.segment, heard.text);
    else if (heard.type === 'over') {
      this.#finish({
        firstPartialMs: this.#firstPartialMs,
        wordMs: this.#wordMs,
        finalMs: now - this.#lastAt,
        text: [...this.#finals.values()].join(' '),
      });
    } else if (heard.text !== '' && heard.text !== this.#text && this.remaining > 0) {
      this.#text = heard.text;
      this.#firstPartialMs ??= now - this.#begun;
      this.#wordMs.push(now - this.#begun - heard.end * 1000);
    }
  }
}
