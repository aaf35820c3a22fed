import { OpusDecoder } from 'opus-decoder';
import { AudioFormatError } from './format-error.js';
import { looksLikeOgg, OggOpusReader } from './ogg-opus.js';
import { type OpusPacket, opusSamples } from './opus-packet.js';
import { looksLikeWebm, WebmOpusReader } from './webm-opus.js';

/** libopus decodes to this rate itself, which is what recognition needs. */
export const OPUS_RATE = 16_000;
/** Packets count at 48 kHz, whatever they are decoded to. */
const PER_SAMPLE = 48_000 / OPUS_RATE;
/** What the decoder has room for, a channel: 120 ms at 256 kbit/s. */
const MAX_PACKET_BYTES = 3840;

export interface OpusStreamOptions {
  /** To which the audio is decoded, however many it has. */
  readonly channels: 1 | 2;
  /** Packets come in a container. Undefined: the first bytes tell; where they begin none, a packet a push. */
  readonly contained?: true;
  /** More audio in one push is refused: a few bytes can hold much of it. */
  readonly maxPushSeconds: number;
}

/** What finds packets in bytes. */
interface Reader {
  push(bytes: Uint8Array): readonly OpusPacket[];
}

const PACKETWISE: Reader = { push: (bytes) => [{ bytes, preSkip: 0 }] };

/**
 * A stream of Opus, its packets as they come or in Ogg or WebM that is cut anywhere, decoded by libopus (WebAssembly).
 * Nothing may be pushed before `ready`, and nothing after `close`.
 */
export class OpusStream {
  readonly ready: Promise<void>;
  readonly #options: OpusStreamOptions;
  readonly #decoder: OpusDecoder<typeof OPUS_RATE>;
  /** Unknown until the first bytes are there. */
  #reader: Reader | undefined;
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
        `${packets[bad]!.bytes.length} bytes are no Opus packet of at most ${room} bytes; send one packet in each frame, or an Ogg or WebM stream.`,
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

  #packets(bytes: Uint8Array): readonly OpusPacket[] {
    if (this.#reader !== undefined) return this.#reader.push(bytes);
    const begin = Buffer.concat([this.#begin, bytes]);
    const reader = this.#readerFor(begin);
    this.#begin = reader === undefined ? begin : new Uint8Array();
    this.#reader = reader;
    return reader?.push(begin) ?? [];
  }

  /** Undefined: too little has come to tell. */
  #readerFor(begin: Uint8Array): Reader | undefined {
    const [ogg, webm] = [looksLikeOgg(begin), looksLikeWebm(begin)];
    if (ogg) return new OggOpusReader();
    if (webm) return new WebmOpusReader();
    // a packet is a frame of its own, and none begins as a container does
    if (!this.#options.contained) return PACKETWISE;
    if (ogg === undefined || webm === undefined) return undefined;
    throw new AudioFormatError(
      'The audio begins neither as Ogg nor as WebM, the containers that are read; name the encoding of raw samples or packets.',
    );
  }

  #decode(packets: readonly OpusPacket[]): Float32Array[] {
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
