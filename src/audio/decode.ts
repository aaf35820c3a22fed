/** Bytes become samples: one frame of a client's audio, in any of the encodings, split into its channels. */
import { AudioFormatError } from './format-error.js';
import { decodeAlaw, decodeMulaw } from './g711.js';
import { decodeF32le, decodeS16le } from './pcm.js';

const ENCODINGS = {
  s16le: { bytesPerSample: 2, decode: decodeS16le },
  f32le: { bytesPerSample: 4, decode: decodeF32le },
  mulaw: { bytesPerSample: 1, decode: decodeMulaw },
  alaw: { bytesPerSample: 1, decode: decodeAlaw },
} as const;

export type SampleEncoding = keyof typeof ENCODINGS;

export interface FrameFormat {
  readonly encoding: SampleEncoding;
  /** Interleaved. */
  readonly channels: number;
}

/** Bytes of one sample of every channel. */
export function bytesPerFrame({ encoding, channels }: FrameFormat): number {
  return ENCODINGS[encoding].bytesPerSample * channels;
}

/** Fresh arrays, one per channel, with samples in [-1, 1]; `bytes` is only read. */
export function decodeFrame(format: FrameFormat, bytes: Uint8Array): Float32Array[] {
  const step = bytesPerFrame(format);
  if (bytes.length % step !== 0) {
    const { encoding, channels } = format;
    throw new AudioFormatError(
      `The frame has ${bytes.length} bytes, which is not a multiple of ${step}: ${encoding} with ${channels} ` +
        `channel${channels === 1 ? '' : 's'} has ${step} bytes a sample. Send whole samples in every frame.`,
    );
  }
  return deinterleave(ENCODINGS[format.encoding].decode(bytes), format.channels);
}

function deinterleave(samples: Float32Array, channels: number): Float32Array[] {
  if (channels === 1) return [samples];
  return Array.from({ length: channels }, (_, channel) => {
    const own = new Float32Array(samples.length / channels);
    for (let i = 0; i < own.length; i++) own[i] = samples[i * channels + channel]!;
    return own;
  });
}
