import type { AudioFormat } from '../../protocol/messages.js';
import { type Packet, Packetiser } from '../packets.js';

/** What the model hears: a file need not be sent at more. */
const SAMPLE_RATE = 16_000;

export const FILE_FORMAT: AudioFormat = { encoding: 's16le', sampleRate: SAMPLE_RATE, channels: 1 };

/** Reads whatever audio the browser can, at 16 kHz. */
export async function decodeAudioFile(file: Blob): Promise<AudioBuffer> {
  const bytes = await file.arrayBuffer();
  try {
    // decoding resamples to the context's rate; what it renders is of no interest
    return await new OfflineAudioContext(1, 1, SAMPLE_RATE).decodeAudioData(bytes);
  } catch (cause) {
    throw new Error('The browser cannot read this file as audio.', { cause });
  }
}

/** The packets of a decoded file. @param apart left and right stay apart, as two channels; otherwise they are mixed */
export function* packetsOf(audio: AudioBuffer, apart = false): Generator<Packet> {
  const size = SAMPLE_RATE / 10;
  const channels = Array.from({ length: audio.numberOfChannels }, (_, c) => audio.getChannelData(c));
  const packetiser = new Packetiser(size, apart ? 2 : 1);
  for (let at = 0; at < audio.length; at += size) {
    yield* packetiser.push(channels.map((channel) => channel.subarray(at, at + size)));
  }
  const rest = packetiser.flush();
  if (rest !== undefined) yield rest;
}
