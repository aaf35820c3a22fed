import {
  type Capture,
  type CaptureOptions,
  FILE_FORMAT,
  LexigateClient,
  type Packet,
  packetsOf,
} from '../client/browser/client.js';
import type {
  AudioFormat,
  EntryObject,
  FinalMessage,
  PartialMessage,
  ReadyMessage,
  StoppedMessage,
} from '../protocol/messages.js';
import { LiveSender } from './live-sender.js';

/** Of a capture's packets. */
const PACKET_MS = 100;

/** Packets that wait for the connection to be made, the oldest given up beyond: 10 s, as for a slow connection. */
const MAX_WAITING_PACKETS = 100;

export interface ListeningEvents {
  onReady(ready: ReadyMessage, format: AudioFormat): void;
  onCaption(message: PartialMessage | FinalMessage): void;
  /** Root mean square, 0 to 1. */
  onLevel(level: number): void;
  /** What the server reports, or the page notices, while the session goes on. */
  onTrouble(text: string): void;
}

export interface ListeningOptions extends ListeningEvents {
  readonly url: string;
  /** What to connect with, where the gateway asks for something. */
  readonly token: () => Promise<string | undefined>;
  readonly vocabulary: readonly EntryObject[];
}

/** What a capture is made with: the microphone's, or that of audio that is played. */
export type OpenCapture = (options: CaptureOptions) => Promise<Capture>;

/** One session: sound goes in, captions come out, until its end is asked for or the audio is over. */
export class Listening {
  readonly #options: ListeningOptions;
  readonly #done = new AbortController();
  #client: LexigateClient | undefined;
  #sender: LiveSender | undefined;
  #sampleRate = 1;
  /** Samples of a file that were sent. */
  #read = 0;

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /** The session while it is open. */
  get client(): LexigateClient | undefined {
    return this.#client;
  }

  /** Of the audio that is sent. */
  get sampleRate(): number {
    return this.#sampleRate;
  }

  /** Of audio that were sent. */
  get seconds(): number {
    return this.#sender?.seconds ?? this.#read / this.#sampleRate;
  }

  /** When that second of the audio was heard, where it is heard as it is spoken. */
  heardAt(seconds: number): number | undefined {
    return this.#sender?.heardAt(seconds);
  }

  /** Asks for the end; the promise of `hear…` resolves behind the last caption. */
  stop(): void {
    this.#done.abort();
  }

  /** Sound as it is spoken; resolves with the totals. */
  async hear(open: OpenCapture): Promise<StoppedMessage> {
    const waiting: Packet[] = [];
    let send = (packet: Packet): void => {
      waiting.push(packet);
      if (waiting.length > MAX_WAITING_PACKETS) waiting.shift();
    };
    const capture = await open({
      onPacket: (packet) => {
        this.#options.onLevel(packet.level);
        send(packet);
      },
      onEnded: () => this.stop(),
    });
    try {
      const client = await this.#connect(capture.format);
      const sender = new LiveSender({
        session: client,
        sampleRate: capture.format.sampleRate,
        onDropped: (seconds) => {
          this.#options.onTrouble(
            `The connection is too slow: ${seconds.toFixed(1)} s of audio were left out.`,
          );
        },
      });
      this.#sender = sender;
      send = (packet) => sender.send(packet, performance.now());
      // late, and sent all the same: the first words were spoken while the connection was made
      waiting.forEach((packet, i) => {
        sender.send(packet, performance.now() - (waiting.length - 1 - i) * PACKET_MS);
      });
      await this.#stopAsked();
      await capture.stop();
      return await client.stop();
    } finally {
      this.#client?.close();
      await capture.stop();
    }
  }

  /** A file as fast as the gateway takes it; resolves with the totals. @param apart see `packetsOf` */
  async read(audio: AudioBuffer, apart: boolean): Promise<StoppedMessage> {
    const client = await this.#connect({ ...FILE_FORMAT, channels: apart ? 2 : 1 });
    try {
      for (const packet of packetsOf(audio, apart)) {
        if (this.#done.signal.aborted) break;
        this.#options.onLevel(packet.level);
        this.#read += packet.samples;
        await client.sendAudio(packet.bytes);
      }
      return await client.stop();
    } finally {
      client.close();
    }
  }

  async #connect(format: AudioFormat): Promise<LexigateClient> {
    const { url, token, vocabulary, onReady, onCaption, onTrouble } = this.#options;
    const list = vocabulary.length === 0 ? {} : { vocabulary: [...vocabulary] };
    const start = { audio: format, options: { explain: true }, ...list };
    const client = await LexigateClient.connect(url, start, { token });
    client.on('partial', onCaption).on('final', onCaption);
    client.on('error', ({ message }) => onTrouble(message));
    client.on('reconnecting', () => onTrouble('The connection is lost. What you say is kept; reconnecting…'));
    client.on('resumed', () => onTrouble('The connection is back.'));
    client.on('lost', ({ message }) => onTrouble(message));
    client.on('close', () => this.stop());
    this.#client = client;
    this.#sampleRate = format.sampleRate;
    onReady(client.ready, format);
    return client;
  }

  async #stopAsked(): Promise<void> {
    const { signal } = this.#done;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
