import type { AudioEncoding, AudioFormat } from '../protocol/messages.js';

const SAMPLE_BYTES: Readonly<Record<AudioEncoding, number>> = { s16le: 2, f32le: 4, mulaw: 1, alaw: 1 };

/** Bytes of one sample of all channels. */
export function bytesOfSample({ encoding, channels }: AudioFormat): number {
  return SAMPLE_BYTES[encoding] * channels;
}
