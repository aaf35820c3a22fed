import { readFile } from 'node:fs/promises';
import { readWav } from '../audio/wav.js';
import type { AudioFormat } from '../protocol/messages.js';

/** A WAV file as a client sends it: interleaved 16-bit samples. */
export interface AudioFile {
  readonly format: AudioFormat;
  readonly bytes: Uint8Array;
  readonly seconds: number;
}

export async function readAudioFile(path: string): Promise<AudioFile> {
  const { sampleRate, channels } = readWav(await readFile(path));
  const count = channels.length;
  if (count !== 1 && count !== 2) throw new Error(`${path} has ${count} channels; give a file with 1 or 2`);
  const frames = channels[0]!.length;
  const samples = new Int16Array(frames * count);
  channels.forEach((channel, c) => {
    for (let i = 0; i < frames; i++) {
      samples[i * count + c] = Math.max(-32768, Math.min(32767, Math.round(channel[i]! * 32768)));
    }
  });
  return {
    format: { encoding: 's16le', sampleRate, channels: count },
    bytes: new Uint8Array(samples.buffer),
    seconds: frames / sampleRate,
  };
}

/** Packets of `ms` milliseconds. */
export function* packets({ format, bytes }: AudioFile, ms = 100): Generator<Uint8Array> {
  const size = Math.round((format.sampleRate * ms) / 1000) * 2 * format.channels;
  // copies: a packet that is handed to a socket must not keep the whole file in its buffer
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** Sends a file, at the speed of speech or as fast as the connection takes it. */
export async function sendFile(
  file: AudioFile,
  send: (packet: Uint8Array) => Promise<void>,
  { realtime }: { realtime: boolean },
): Promise<void> {
  const begun = performance.now();
  let sent = 0;
  for (const packet of packets(file)) {
    if (realtime) {
      // a microphone's packet is complete when its last sample has sounded
      sent += packet.length / (2 * file.format.channels * file.format.sampleRate);
      const wait = begun + sent * 1000 - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    }
    await send(packet);
  }
}
