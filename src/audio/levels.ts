/** How loud the audio is. 0 dBFS is a signal whose every sample is at full scale; a sine at full scale has -3.01. */

/** Level of digital silence, for which the logarithm has none; 16-bit audio cannot be softer than -90. */
export const SILENCE_DBFS = -120;

/** Level of each whole frame; 640 samples are 40 ms at 16 kHz. */
export function frameLevels(samples: Float32Array, frameSamples = 640): Float32Array {
  return Float32Array.from({ length: Math.floor(samples.length / frameSamples) }, (_, frame) =>
    level(samples, frame * frameSamples, (frame + 1) * frameSamples),
  );
}

/** Root mean square of the samples from `begin` to `end`, in dBFS. */
export function level(samples: Float32Array, begin = 0, end = samples.length): number {
  let energy = 0;
  for (let i = begin; i < end; i++) energy += samples[i]! ** 2;
  return energy === 0 ? SILENCE_DBFS : Math.max(SILENCE_DBFS, 10 * Math.log10(energy / (end - begin)));
}
