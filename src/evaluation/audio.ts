import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { OggOpusDecoder } from 'ogg-opus-decoder';
import { readWav } from '../audio/wav.js';

/** Samples in [-1, 1] of one channel. */
export interface MonoAudio {
  readonly sampleRate: number;
  readonly samples: Float32Array;
}

interface DecodedChannels {
  readonly sampleRate: number;
  readonly channels: readonly Float32Array[];
}

/** A WAV, Ogg Opus or FLAC file, told by its first bytes; several channels are averaged. */
export async function decodeAudio(file: Uint8Array): Promise<MonoAudio> {
  const { sampleRate, channels } = await decodeChannels(file);
  return { sampleRate, samples: average(channels) };
}

async function decodeChannels(file: Uint8Array): Promise<DecodedChannels> {
  const magic = String.fromCharCode(...file.subarray(0, 4));
  switch (magic) {
    case 'RIFF':
      return readWav(file);
    case 'OggS':
      return decodeWith(new OggOpusDecoder(), file, 'Ogg Opus');
    case 'fLaC':
      return decodeWith(new FLACDecoder(), file, 'FLAC');
    default:
      throw new Error('the audio is neither WAV, Ogg Opus nor FLAC; convert it to one of these');
  }
}

/** What the WebAssembly decoders of one family share. */
interface WasmDecoder {
  readonly ready: Promise<void>;
  decodeFile(file: Uint8Array): Promise<{
    readonly channelData: readonly Float32Array[];
    readonly sampleRate: number;
    readonly samplesDecoded: number;
    readonly errors: readonly { readonly message: string }[];
  }>;
  free(): void;
}

async function decodeWith(decoder: WasmDecoder, file: Uint8Array, format: string): Promise<DecodedChannels> {
  try {
    await decoder.ready;
    const { channelData, sampleRate, samplesDecoded, errors } = await decoder.decodeFile(file);
    const problem = errors[0]?.message ?? (samplesDecoded === 0 ? 'it holds no samples' : undefined);
    if (problem !== undefined) throw new Error(`the ${format} file is damaged (${problem}); copy it again`);
    return { sampleRate, channels: channelData };
  } finally {
    decoder.free();
  }
}

function average(channels: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(0), ...others] = channels;
  if (others.length === 0) return first;
  return first.map(
    (sample, i) => others.reduce((sum, channel) => sum + channel[i]!, sample) / channels.length,
  );
}
