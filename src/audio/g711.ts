/** ITU-T G.711 (11/88), "Pulse code modulation of voice frequencies": a byte a sample, through a table each way in. */

/** Table 2a/2b of G.711: 14-bit values, scaled here to 16 bits (times 4) and then to [-1, 1]. */
const MULAW = tableOf((byte) => {
  const code = ~byte & 0xff; // all bits are inverted on the line (note to table 2a)
  const segment = (code >> 4) & 7;
  const step = code & 15;
  // decoder value y = (33 + 2 * step) * 2^segment - 33
  const magnitude = ((33 + 2 * step) << segment) - 33;
  return (4 * (code & 0x80 ? -magnitude : magnitude)) / 2 ** 15;
});

/** Table 1a/1b of G.711: 13-bit values, scaled here to 16 bits (times 8) and then to [-1, 1]. */
const ALAW = tableOf((byte) => {
  const code = byte ^ 0x55; // even bits are inverted on the line (note 2 to table 1a)
  const segment = (code >> 4) & 7;
  const step = code & 15;
  // decoder value y: 2 * step + 1 in the first segment, (2 * step + 33) * 2^(segment - 1) above, in half units
  const magnitude = segment === 0 ? 2 * step + 1 : (2 * step + 33) << (segment - 1);
  return (8 * (code & 0x80 ? magnitude : -magnitude)) / 2 ** 15;
});

function tableOf(decode: (byte: number) => number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => decode(byte));
}

export function decodeMulaw(bytes: Uint8Array): Float32Array {
  return lookUp(MULAW, bytes);
}

export function decodeAlaw(bytes: Uint8Array): Float32Array {
  return lookUp(ALAW, bytes);
}

function lookUp(table: Float32Array, bytes: Uint8Array): Float32Array {
  const samples = new Float32Array(bytes.length);
  for (let i = 0; i < samples.length; i++) samples[i] = table[bytes[i]!]!;
  return samples;
}
