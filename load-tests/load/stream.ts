import WebSocket from 'ws';
import type { ServerMessage, StartMessage } from '../../src/protocol/messages.js';
import type { Paced, Pacer } from './pacer.js';
import { partialKey, type Reference, type ReferenceMaker } from './reference.js';
import type { Sightings } from './sightings.js';
import { PACKET_MS } from './speech.js';
import type { Track } from './track.js';

/** How long a stream waits for its last answers before they count as lost. */
const PATIENCE_MS = 30_000;

export interface Target {
  readonly url: string;
  readonly key?: string | undefined;
}

export interface StreamOptions {
  readonly target: Target;
  /** Without `type`: what is said to begin with. */
  readonly start: Omit<StartMessage, 'type'>;
  readonly track: Track;
  readonly pacer: Pacer;
  readonly seen: Sightings;
  /** What the idle gateway said, or who writes it down. */
  readonly reference: { readonly compare: Reference } | { readonly record: ReferenceMaker };
}

/** Opens a connection of the native protocol. */
export function dialStream({ url, key }: Target): WebSocket {
  const offered = key === undefined ? ['lexigate.v1'] : ['lexigate.v1', 'bearer', key];
  return new WebSocket(url, offered, { perMessageDeflate: false, skipUTF8Validation: true });
}

/**
 * One client, as cheap as may be, since it shares its machine with the gateway: no validation, nothing kept to be sent
 * again, packets that all streams share.
 */
export class LoadStream implements Paced {
  readonly #options: StreamOptions;
  readonly #socket: WebSocket;
  #begun = 0;
  /** Packets sent. */
  #sent = 0;
  /** Utterances flushed, and those answered. */
  #flushed = 0;
  #answered = 0;
  #flushedAt: number[] = [];
  /** Finals by channel of the utterance that is answered next. */
  #finals: string[] = [];
  #firstOfUtterance = true;
  readonly #updatesAt = new Map<string, number>();
  #patience: NodeJS.Timeout | undefined;
  #finish: (ended: boolean) => void = () => undefined;

  private constructor(options: StreamOptions) {
    this.#options = options;
    this.#socket = dialStream(options.target);
  }

  /** @returns the stream once it is under way, and what resolves when it is over */
  static async open(options: StreamOptions): Promise<{ stream: LoadStream; over: Promise<void> }> {
    const stream = new LoadStream(options);
    const over = new Promise<void>((resolve) => {
      stream.#finish = (ended) => {
        clearTimeout(stream.#patience);
        options.pacer.remove(stream);
        if (!ended) stream.#fail();
        stream.#finish = () => undefined;
        resolve();
      };
    });
    await stream.#ready();
    return { stream, over };
  }

  get remaining(): number {
    return this.#options.track.packets.length - this.#sent;
  }

  send(): void {
    const { packets, ends } = this.#options.track;
    this.#socket.send(packets[this.#sent++]!);
    if (this.#sent !== ends[this.#flushed]) return;
    this.#flushedAt.push(performance.now());
    this.#socket.send(`{"type":"flush","id":"${this.#flushed++}"}`);
    if (this.remaining > 0) return;
    this.#socket.send('{"type":"stop"}');
    this.#patience = setTimeout(() => this.#finish(false), PATIENCE_MS);
  }

  update(frame: (id: string) => string): void {
    if (this.remaining === 0) return;
    const id = `u${this.#updatesAt.size}`;
    this.#socket.send(frame(id));
    this.#updatesAt.set(id, performance.now());
  }

  async #ready(): Promise<void> {
    const { start, pacer } = this.#options;
    this.#socket.on('error', () => this.#finish(false));
    this.#socket.on('close', () => this.#finish(false));
    await new Promise<void>((resolve) => {
      this.#socket.on('open', () => this.#socket.send(JSON.stringify({ type: 'start', ...start })));
      this.#socket.on('close', () => resolve());
      this.#socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as ServerMessage;
        if (message.type !== 'ready') this.#receive(message);
        else {
          this.#begun = performance.now();
          pacer.add(this, this.#begun);
          resolve();
        }
      });
    });
  }

  #receive(message: ServerMessage): void {
    const { seen } = this.#options;
    const now = performance.now();
    switch (message.type) {
      case 'partial': {
        const { channel, segment, text, committed, words, end } = message;
        this.#partial(partialKey(channel, segment, text, committed), now);
        if (this.#firstOfUtterance) seen.firstPartial.push(now - this.#begun - words![0]!.end * 1000);
        this.#firstOfUtterance = false;
        seen.word.push(now - this.#begun - end * 1000);
        return;
      }
      case 'final':
        this.#finals.push(`${message.channel} ${message.text}`);
        return;
      case 'flushed':
        this.#utterance(now);
        return;
      case 'vocabulary.applied':
        seen.updateToEffect.push(now - this.#updatesAt.get(message.id)!);
        return;
      case 'error':
        seen.error(message.code);
        return;
      case 'stopped':
        this.#finish(true);
        return;
      default:
    }
  }

  #partial(key: string, now: number): void {
    const { reference, seen } = this.#options;
    if ('record' in reference) {
      const { partials } = reference.record;
      partials.set(key, Math.min(this.#sent, partials.get(key) ?? this.#sent));
      return;
    }
    const packets = reference.compare.partials.get(key);
    // after the packet was due, not after it was sent: a generator that is late does not make the gateway look better
    if (packets !== undefined) seen.partial.push(now - this.#begun - packets * PACKET_MS);
  }

  #utterance(now: number): void {
    const { reference, seen } = this.#options;
    const which = this.#answered++;
    // channels are decided apart, and in either order
    const finals = this.#finals.toSorted();
    this.#finals = [];
    this.#firstOfUtterance = true;
    seen.final.push(now - this.#flushedAt[which]!);
    seen.utterances++;
    if ('record' in reference) {
      reference.record.texts[which] = finals;
      return;
    }
    const expected = reference.compare.texts[which]!;
    if (finals.length < expected.length) seen.lostFinals++;
    else if (finals.join('|') !== expected.join('|')) seen.textChanged++;
  }

  #fail(): void {
    const { seen, track } = this.#options;
    seen.failed++;
    seen.lostFinals += track.ends.length - this.#answered;
    this.#socket.terminate();
  }
}
