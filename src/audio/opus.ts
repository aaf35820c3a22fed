import { OpusDecoder } from 'opus-decoder';
import { AudioFormatError } from './format-error.js';
import { looksLikeOgg, OggOpusReader } from './ogg-opus.js';
import { opusSamples } from './opus-packet.js';

/** libopus decodes to this rate itself, which is what recognition needs. */
export const OPUS_RATE = 16_000;
/** Packets count at 48 kHz, whatever they are decoded to. */
const PER_SAMPLE = 48_000 / OPUS_RATE;
/** What the decoder has room for, a channel: 120 ms at 256 kbit/s. */
const MAX_PACKET_BYTES = 3840;

export interface OpusStreamOptions {
  /** To which the audio is decoded, however many it has. */
  readonly channels: 1 | 2;
  /** Packets come in Ogg pages. Undefined: the first bytes tell; otherwise a packet a push. */
  readonly ogg?: true;
  /** More audio in one push is refused: a few bytes can hold much of it. */
  readonly maxPushSeconds: number;
}

/**
 * A stream of Opus, its packets as they come or in Ogg pages that are cut anywhere, decoded by libopus (WebAssembly).
 * Nothing may be pushed before `ready`, and nothing after `close`.
 */
export class OpusStream {
  readonly ready: Promise<void>;
  readonly #options: OpusStreamOptions;
  readonly #decoder: OpusDecoder<typeof OPUS_RATE>;
  /** Unknown until the first bytes are there. */
  #reader: OggOpusReader | 'packets' | undefined;
  #begin: Uint8Array = new Uint8Array();
  /** Samples still to be left out. */
  #skip = 0;
  #closed = false;

  constructor(options: OpusStreamOptions) {
    this.#options = options;
    this.#decoder = new OpusDecoder({ sampleRate: OPUS_RATE, channels: options.channels });
    this.ready = this.#decoder.ready;
  }

  /**
   * @returns an array a channel, samples in [-1, 1] at `OPUS_RATE`
   * @throws AudioFormatError where the bytes are no Opus, or hold too much of it
   */
  push(bytes: Uint8Array): Float32Array[] {
    const packets = this.#packets(bytes);
    const room = MAX_PACKET_BYTES * this.#options.channels;
    const sizes = packets.map(({ bytes: packet }) =>
      packet.length > room ? undefined : opusSamples(packet),
    );
    const bad = sizes.indexOf(undefined);
    if (bad >= 0) {
      throw new AudioFormatError(
        `${packets[bad]!.bytes.length} bytes are no Opus packet of at most ${room} bytes; send one packet in each frame, or an Ogg stream.`,
      );
    }
    const seconds = sizes.reduce<number>((sum, size) => sum + size!, 0) / 48_000;
    if (seconds > this.#options.maxPushSeconds) {
      throw new AudioFormatError(
        `A frame holds ${seconds.toFixed(1)} seconds of audio; send at most ${this.#options.maxPushSeconds} in each.`,
      );
    }
    return this.#decode(packets);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // there is nothing to free before; whoever waits for `ready` is told of a failure there
    this.ready.then(
      () => this.#decoder.free(),
      () => undefined,
    );
  }

  #packets(bytes: Uint8Array): readonly { readonly bytes: Uint8Array; readonly preSkip: number }[] {
    if (this.#reader === undefined) {
      const begin = Buffer.concat([this.#begin, bytes]);
      const ogg = looksLikeOgg(begin);
      if (ogg === false && this.#options.ogg) {
        throw new AudioFormatError(
          'The audio does not begin as Ogg does, and without a name for its encoding only Ogg Opus is read; name the encoding of raw samples or packets.',
        );
      }
      // a packet is a frame of its own, and none begins as Ogg does
      if (ogg === undefined && this.#options.ogg) {
        this.#begin = begin;
        return [];
      }
      this.#reader = ogg ? new OggOpusReader() : 'packets';
      this.#begin = new Uint8Array();
      if (this.#reader !== 'packets') return this.#reader.push(begin);
    }
    return this.#reader === 'packets' ? [{ bytes, preSkip: 0 }] : this.#reader.push(bytes);
  }

  #decode(packets: readonly { readonly bytes: Uint8Array; readonly preSkip: number }[]): Float32Array[] {
    const parts: Float32Array[][] = Array.from({ length: this.#options.channels }, () => []);
    for (const { bytes, preSkip } of packets) {
      this.#skip += Math.round(preSkip / PER_SAMPLE);
      const { channelData, samplesDecoded } = this.#decoder.decodeFrame(bytes);
      const skipped = Math.min(this.#skip, samplesDecoded);
      this.#skip -= skipped;
      for (const [channel, samples] of channelData.entries()) parts[channel]!.push(samples.subarray(skipped));
    }
    return parts.map(concatenated);
  }
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
