/** Linear PCM, little-endian, to samples in [-1, 1]. Read through a `DataView`: the bytes may begin at any address. */

const S16_SCALE = 2 ** 15;

export function decodeS16le(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / S16_SCALE;
  return samples;
}

/** What is beyond full scale is clipped, infinities with it; what is no number is silence. */
export function decodeF32le(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Float32Array(bytes.length >> 2);
  for (let i = 0; i < samples.length; i++) {
    const value = view.getFloat32(4 * i, true);
    samples[i] = Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value));
  }
  return samples;
}
