/** What streams say: recordings as packets of 100 ms, encoded as clients send them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import alawmulaw from 'alawmulaw';
import { createResampler } from '../../src/audio/resample.js';
import { decodeAudio, type MonoAudio } from '../../src/evaluation/audio.js';
import { openManifest } from '../../src/evaluation/manifest.js';
import type { AudioFormat } from '../../src/protocol/messages.js';
import { packageRoot } from '../../src/util/package-root.js';

export const PACKET_MS = 100;

/** One recording, filled up with silence to whole packets. */
export interface Utterance {
  readonly packets: readonly Uint8Array[];
  /** Words of the reference, where there is one. */
  readonly words: readonly string[];
}

export interface Speech {
  readonly format: AudioFormat;
  readonly utterances: readonly Utterance[];
}

/** How a client sends it. `telephone`: two channels of mu-law at 8 kHz, the second speaker an utterance behind. */
export type Line = 'microphone' | 'telephone' | 'float';

interface Recording {
  readonly audio: MonoAudio;
  readonly words: readonly string[];
}

/** @param manifest of a development set; without it the two bundled sentences */
export async function readSpeech(line: Line, manifest?: string, limit = 8): Promise<Speech> {
  const recordings = manifest === undefined ? await readSamples() : await readRecordings(manifest, limit);
  return { format: FORMATS[line], utterances: await encodeAll(line, recordings) };
}

const FORMATS: Readonly<Record<Line, AudioFormat>> = {
  microphone: { encoding: 's16le', sampleRate: 16_000, channels: 1 },
  float: { encoding: 'f32le', sampleRate: 16_000, channels: 1 },
  telephone: { encoding: 'mulaw', sampleRate: 8000, channels: 2 },
};

async function readSamples(): Promise<Recording[]> {
  const files = ['before.wav', 'after.wav'].map((name) => readFile(join(packageRoot(), 'samples', name)));
  return Promise.all(files.map(async (file) => ({ audio: await decodeAudio(await file), words: [] })));
}

/** Spread over the set, so that they are of several speakers. */
async function readRecordings(path: string, limit: number): Promise<Recording[]> {
  const manifest = await openManifest(path);
  const every = Math.max(1, Math.floor(manifest.utterances.length / limit));
  const chosen = manifest.utterances.filter((_, i) => i % every === 0).slice(0, limit);
  const recordings: Recording[] = [];
  for (const utterance of chosen) {
    const audio = await decodeAudio(await manifest.read(utterance));
    recordings.push({ audio, words: utterance.words });
  }
  await manifest.close();
  return recordings;
}

async function encodeAll(line: Line, recordings: readonly Recording[]): Promise<Utterance[]> {
  const { sampleRate } = FORMATS[line];
  const spoken = await Promise.all(
    recordings.map(async ({ audio, words }) => ({ samples: await resample(audio, sampleRate), words })),
  );
  return spoken.map(({ samples, words }, i) => {
    const other = spoken[(i + 1) % spoken.length]!.samples;
    const bytes =
      line === 'telephone' ? telephone(samples, other) : line === 'float' ? floats(samples) : pcm(samples);
    return { packets: cut(bytes, line), words };
  });
}

async function resample({ samples, sampleRate }: MonoAudio, toRate: number): Promise<Float32Array> {
  const resampler = await createResampler(sampleRate, toRate);
  const parts = [resampler.push(samples), resampler.flush()];
  resampler.close();
  const packet = (toRate * PACKET_MS) / 1000;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const out = new Float32Array(Math.ceil(length / packet) * packet);
  out.set(parts[0]!);
  out.set(parts[1]!, parts[0]!.length);
  return out;
}

function toInt16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (value) => Math.max(-32768, Math.min(32767, Math.round(value * 32768))));
}

function pcm(samples: Float32Array): Uint8Array {
  return new Uint8Array(toInt16(samples).buffer);
}

function floats(samples: Float32Array): Uint8Array {
  return new Uint8Array(samples.buffer.slice(0) as ArrayBuffer);
}

function telephone(first: Float32Array, second: Float32Array): Uint8Array {
  const [left, right] = [first, second].map((samples) => alawmulaw.mulaw.encode(toInt16(samples)));
  const silence = alawmulaw.mulaw.encodeSample(0);
  return Uint8Array.from({ length: 2 * left!.length }, (_, i) =>
    i % 2 === 0 ? left![i >> 1]! : (right![i >> 1] ?? silence),
  );
}

function cut(bytes: Uint8Array, line: Line): Uint8Array[] {
  const { encoding, sampleRate, channels } = FORMATS[line];
  const size =
    ((sampleRate * PACKET_MS) / 1000) * channels * { s16le: 2, f32le: 4, mulaw: 1, alaw: 1 }[encoding];
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}
