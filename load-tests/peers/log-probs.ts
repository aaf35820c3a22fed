import { createResampler } from '../../src/audio/resample.js';
import { Windower } from '../../src/audio/windower.js';
import type { EncoderRuntime, EncoderState, Latency } from '../../src/encoder/runtime.js';
import { decodeAudio } from '../../src/evaluation/audio.js';
import { type DistractorPool, drawDistractors } from '../../src/evaluation/distractors.js';
import type { Manifest, Utterance } from '../../src/evaluation/manifest.js';

/** An utterance as every decoder gets it. */
export interface Sample {
  readonly utterance: Utterance;
  /** Drawn for the longest list; shorter ones have the first of them. */
  readonly distractors: readonly string[];
  /** Natural log-probabilities, row-major (frames, pieces + 1). */
  readonly rows: Float32Array;
}

/** Recordings as the gateway's encoder hears them, window by window. */
export async function encodeSamples(
  encoder: EncoderRuntime,
  manifest: Manifest,
  utterances: readonly Utterance[],
  lists: { readonly pool: DistractorPool; readonly n: number; readonly seed: number },
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const utterance of utterances) {
    const audio = await decodeAudio(await manifest.read(utterance));
    const resampler = await createResampler(audio.sampleRate, encoder.description.sampleRate);
    const speech = [resampler.push(audio.samples), resampler.flush()];
    resampler.close();
    samples.push({
      utterance,
      distractors: drawDistractors(lists.pool, utterance, lists),
      rows: await encode(encoder, encoder.description.latencies[0]!, speech),
    });
  }
  return samples;
}

async function encode(
  encoder: EncoderRuntime,
  latency: Latency,
  [certain, rest]: readonly Float32Array[],
): Promise<Float32Array> {
  const { pieces, frameSamples } = encoder.description;
  const width = pieces.length + 1;
  const windower = new Windower({ ...latency, frameSamples });
  const blocks: Float32Array[] = [];
  let state: EncoderState = encoder.start();
  for (const { pcm, from, to } of [...windower.push(certain!), ...windower.flush(rest!)]) {
    const [result] = await encoder.run([{ pcm, state }], latency);
    state = result!.state;
    blocks.push(result!.logProbs.subwords.slice(from * width, to * width));
  }
  return concatenate(blocks);
}

export function concatenate(blocks: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}
