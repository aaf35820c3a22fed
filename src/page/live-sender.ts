import type { Packet } from '../client/packets.js';
import type { LexigateSession } from '../client/session.js';
import { AudioClock } from './audio-clock.js';

/**
 * Bytes that may wait to be sent, 30 s of a microphone at 48 kHz: as long as a session is kept whose connection is lost.
 * Captions that are later are of no use.
 */
const MAX_WAITING_BYTES = 2_880_000;

export interface LiveSenderOptions {
  readonly session: Pick<LexigateSession, 'bufferedBytes' | 'sendAudio'>;
  readonly sampleRate: number;
  /** @param seconds of audio that were left out so far */
  readonly onDropped: (seconds: number) => void;
}

/** Sends what is spoken now. It cannot make anyone wait: where the connection is too slow, packets are left out. */
export class LiveSender {
  readonly #options: LiveSenderOptions;
  readonly #clock: AudioClock;
  #sent = 0;
  #dropped = 0;

  constructor(options: LiveSenderOptions) {
    this.#options = options;
    this.#clock = new AudioClock(options.sampleRate);
  }

  /** Of audio that were sent: what was left out has no place on the session's clock. */
  get seconds(): number {
    return this.#sent / this.#options.sampleRate;
  }

  /** @param heardAt when the packet's last sample was heard, in milliseconds */
  send({ bytes, samples }: Packet, heardAt: number): void {
    const { session, sampleRate, onDropped } = this.#options;
    if (session.bufferedBytes > MAX_WAITING_BYTES) {
      this.#dropped += samples;
      onDropped(this.#dropped / sampleRate);
      return;
    }
    this.#sent += samples;
    this.#clock.sent(samples, heardAt);
    // that the connection has ended is told by its close
    session.sendAudio(bytes).catch(() => undefined);
  }

  /** When that second of the session's audio was heard. */
  heardAt(seconds: number): number | undefined {
    return this.#clock.heardAt(seconds * 1000);
  }
}
