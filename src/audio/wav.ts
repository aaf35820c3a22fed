/** WAV files: what is in them as samples in [-1, 1], or a sentence that says why not. */
import nodeWav from 'node-wav';
import { decodeFrame, type SampleEncoding } from './decode.js';
import { AudioFormatError } from './format-error.js';

export interface WavAudio {
  readonly sampleRate: number;
  /** One array per channel, all of the same length. */
  readonly channels: readonly Float32Array[];
}

/** Samples a second. */
const MAX_RATE = 768_000;
/** Format tags of the `fmt ` chunk (RFC 2361). */
const PCM = 0x0001;
const FLOAT = 0x0003;
const G711: Readonly<Record<number, SampleEncoding>> = { 6: 'alaw', 7: 'mulaw' };
const EXTENSIBLE = 0xfffe;

export function readWav(file: Uint8Array): WavAudio {
  const wav = layOut(file);
  const { sampleRate } = wav;
  if (wav.channels < 1 || sampleRate < 1 || wav.blockBytes !== (wav.channels * wav.bits) / 8) {
    throw new AudioFormatError(
      `The WAV header contradicts itself: ${wav.channels} channels of ${wav.bits} bits in ${wav.blockBytes} bytes.`,
    );
  }
  if (sampleRate > MAX_RATE) {
    throw new AudioFormatError(
      `The WAV file claims ${sampleRate} samples a second, more than any recorder makes; at most ${MAX_RATE} are read.`,
    );
  }
  const encoding = G711[wav.tag];
  if (encoding !== undefined) {
    return { sampleRate, channels: decodeFrame({ encoding, channels: wav.channels }, wav.data) };
  }
  return { sampleRate, channels: decodeLinear(wav) };
}

interface Layout {
  readonly tag: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly blockBytes: number;
  readonly bits: number;
  /** Whole blocks only. */
  readonly data: Uint8Array;
}

/** Where things lie in the file. A data chunk that claims more than there is (a recorder that was cut off) ends with it. */
function layOut(file: Uint8Array): Layout {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 12 || tagAt(file, 0) !== 'RIFF' || tagAt(file, 8) !== 'WAVE') {
    throw new AudioFormatError('This is not a WAV file: it does not begin with a RIFF WAVE header.');
  }
  let format: Omit<Layout, 'data'> | undefined;
  for (let at = 12; at + 8 <= file.length; ) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tagAt(file, at) === 'fmt ') format = formatOf(view, body, size);
    if (tagAt(file, at) === 'data') {
      if (format === undefined) throw new AudioFormatError('The WAV file has its data before its format.');
      const bytes = Math.min(size, file.length - body);
      const whole = bytes - (bytes % Math.max(1, format.blockBytes));
      return { ...format, data: file.subarray(body, body + whole) };
    }
    at = body + size + (size & 1); // chunks begin at even places
  }
  throw new AudioFormatError('The WAV file has no data chunk.');
}

function formatOf(view: DataView, at: number, size: number): Omit<Layout, 'data'> {
  if (size < 16 || at + size > view.byteLength)
    throw new AudioFormatError('The format chunk of the WAV file is cut off.');
  const outer = view.getUint16(at, true);
  // the extended form names the format in the first two bytes of a GUID
  const tag = outer === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : outer;
  return {
    tag,
    channels: view.getUint16(at + 2, true),
    sampleRate: view.getUint32(at + 4, true),
    blockBytes: view.getUint16(at + 12, true),
    bits: view.getUint16(at + 14, true),
  };
}

function tagAt(file: Uint8Array, at: number): string {
  return String.fromCharCode(...file.subarray(at, at + 4));
}

function decodeLinear(wav: Layout): Float32Array[] {
  const known =
    (wav.tag === PCM && [8, 16, 24, 32].includes(wav.bits)) ||
    (wav.tag === FLOAT && [32, 64].includes(wav.bits));
  if (!known) {
    throw new AudioFormatError(
      `The WAV file's format (tag 0x${wav.tag.toString(16)}, ${wav.bits} bits) is not supported; ` +
        'convert it to 16-bit PCM.',
    );
  }
  const channels = nodeWav.decode(canonical(wav)).channelData as readonly Float32Array[];
  return channels.map((samples) => (wav.tag === FLOAT ? clip(samples) : symmetric(samples, wav.bits)));
}

/** The same audio behind the plainest header, aligned as node-wav needs it. */
function canonical({ tag, channels, sampleRate, blockBytes, bits, data }: Layout): Buffer {
  // 48 bytes, not 44: node-wav reads the data in place, and 64-bit floats must begin at a multiple of 8
  const file = Buffer.from(new ArrayBuffer(48 + data.length));
  file.write('RIFF', 0);
  file.writeUInt32LE(40 + data.length, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(20, 16);
  file.writeUInt16LE(tag, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(sampleRate * blockBytes, 28);
  file.writeUInt16LE(blockBytes, 32);
  file.writeUInt16LE(bits, 34);
  file.write('data', 40);
  file.writeUInt32LE(data.length, 44);
  file.set(data, 48);
  return file;
}

/** node-wav divides positive integers by 2^(n-1) - 1; here both signs are divided by 2^(n-1), as the network learned. */
function symmetric(samples: Float32Array, bits: number): Float32Array {
  const scale = 2 ** (bits - 1);
  return samples.map((value) => (value > 0 ? Math.round(value * (scale - 1)) / scale : value));
}

function clip(samples: Float32Array): Float32Array {
  return samples.map((value) => (Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value))));
}
