import { createHash } from 'node:crypto';
import { bytesPerFrame, decodeFrame } from '../audio/decode.js';
import { ProtocolError } from '../protocol/errors.js';
import type { AudioEncoding, AudioFormat } from '../protocol/messages.js';
import type { ListenOptions } from './deepgram-query.js';

/** What a client's audio becomes on its way to the session. */
export interface ListenAudio {
  /** As the session hears it. */
  readonly format: AudioFormat;
  /** Samples so far, per channel. */
  readonly samples: number;
  /** Where there is one, nothing may be pushed before. */
  readonly ready?: Promise<void>;
  /** What is complete with these bytes, in the session's format. */
  push(bytes: Uint8Array): Uint8Array;
  /** SHA-256 of all bytes so far; nothing may be pushed after. */
  sha256(): string;
  close(): void;
}

type RawOptions = Pick<ListenOptions, 'sampleRate' | 'channels' | 'multichannel'> & {
  readonly encoding: AudioEncoding;
};

/**
 * A stream of bytes, cut anywhere, becomes whole samples in the session's format. Deepgram's clients think of their
 * audio as bytes: a frame may end within a sample, and what is missing begins the next one.
 */
export class RawAudio implements ListenAudio {
  readonly format: AudioFormat;
  readonly #encoding: AudioEncoding;
  readonly #channels: number;
  readonly #sampleBytes: number;
  readonly #maxFrameBytes: number;
  readonly #hash = createHash('sha256');
  #rest: Uint8Array = new Uint8Array();
  #samples = 0;

  constructor(
    { encoding, sampleRate, channels, multichannel }: RawOptions,
    { maxFrameBytes }: { readonly maxFrameBytes: number },
  ) {
    const mixed = channels === 2 && !multichannel;
    // mixed down to 16 bits, no frame grows
    this.format = mixed ? { encoding: 's16le', sampleRate, channels: 1 } : { encoding, sampleRate, channels };
    this.#encoding = encoding;
    this.#channels = channels;
    this.#sampleBytes = bytesPerFrame({ encoding, channels });
    this.#maxFrameBytes = maxFrameBytes;
  }

  get samples(): number {
    return this.#samples;
  }

  /** The whole samples that are complete with these bytes, copied; throws, nothing changed, where they are too many. */
  push(bytes: Uint8Array): Uint8Array {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    if (all.length > this.#maxFrameBytes) {
      throw new ProtocolError(
        'frame_too_large',
        `A frame has ${bytes.length} bytes; send at most ${this.#maxFrameBytes}, in packets of about 100 ms.`,
      );
    }
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    this.#hash.update(bytes);
    const count = Math.floor(all.length / this.#sampleBytes);
    this.#rest = all.slice(count * this.#sampleBytes);
    this.#samples += count;
    const whole = all.subarray(0, count * this.#sampleBytes);
    return this.format.channels === this.#channels ? whole : this.#mix(whole);
  }

  sha256(): string {
    return this.#hash.digest('hex');
  }

  close(): void {
    // there is nothing to give back
  }

  #mix(bytes: Uint8Array): Uint8Array {
    const [left, right] = decodeFrame({ encoding: this.#encoding, channels: 2 }, bytes);
    const mixed = Buffer.alloc(left!.length * 2);
    for (let i = 0; i < left!.length; i++) {
      const value = Math.round((left![i]! + right![i]!) * 16_384);
      mixed.writeInt16LE(Math.max(-32_768, Math.min(32_767, value)), 2 * i);
    }
    return mixed;
  }
}
