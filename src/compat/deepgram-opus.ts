import { createHash } from 'node:crypto';
import { OPUS_RATE, OpusStream } from '../audio/opus.js';
import { ProtocolError } from '../protocol/errors.js';
import type { AudioFormat } from '../protocol/messages.js';
import type { SessionLimits } from '../session/limits.js';
import { type ListenAudio, RawAudio } from './deepgram-audio.js';
import type { ListenOptions } from './deepgram-query.js';

/**
 * Audio of one frame. Decoding is work of the thread that serves the sockets: a minute takes it 0.1 s, of two channels
 * 0.15 s (CPU time, measured). Files are sent in smaller pieces.
 */
const MAX_FRAME_SECONDS = 60;

/** Whichever way the query says that the audio comes. */
export function openAudio(options: ListenOptions, limits: SessionLimits): ListenAudio {
  const { encoding } = options;
  if (encoding === 'opus' || encoding === 'contained') return new OpusAudio(options, limits);
  return new RawAudio({ ...options, encoding }, limits);
}

/** Opus, decoded to 16 bits. libopus mixes channels that are not asked for apart. */
export class OpusAudio implements ListenAudio {
  readonly format: AudioFormat;
  readonly #stream: OpusStream;
  readonly #maxFrameBytes: number;
  readonly #hash = createHash('sha256');
  #samples = 0;

  constructor(
    { encoding, channels, multichannel }: ListenOptions,
    { maxFrameBytes }: Pick<SessionLimits, 'maxFrameBytes'>,
  ) {
    const apart = multichannel ? channels : 1;
    this.format = { encoding: 's16le', sampleRate: OPUS_RATE, channels: apart };
    this.#maxFrameBytes = maxFrameBytes;
    this.#stream = new OpusStream({
      channels: apart,
      ...(encoding === 'contained' && { contained: true }),
      // decoded, a frame is no larger than the session allows one to be
      maxPushSeconds: Math.min(MAX_FRAME_SECONDS, maxFrameBytes / (2 * OPUS_RATE * apart)),
    });
  }

  get samples(): number {
    return this.#samples;
  }

  get ready(): Promise<void> {
    return this.#stream.ready;
  }

  push(bytes: Uint8Array): Uint8Array {
    if (bytes.length > this.#maxFrameBytes) {
      throw new ProtocolError(
        'frame_too_large',
        `A frame has ${bytes.length} bytes; send at most ${this.#maxFrameBytes}.`,
      );
    }
    const channels = this.#stream.push(bytes);
    this.#hash.update(bytes);
    this.#samples += channels[0]!.length;
    return interleaved(channels);
  }

  sha256(): string {
    return this.#hash.digest('hex');
  }

  close(): void {
    this.#stream.close();
  }
}

function interleaved(channels: readonly Float32Array[]): Uint8Array {
  const bytes = Buffer.alloc(2 * channels.length * channels[0]!.length);
  for (const [channel, samples] of channels.entries()) {
    for (let i = 0; i < samples.length; i++) {
      const value = Math.max(-32_768, Math.min(32_767, Math.round(samples[i]! * 32_768)));
      bytes.writeInt16LE(value, 2 * (i * channels.length + channel));
    }
  }
  return bytes;
}
