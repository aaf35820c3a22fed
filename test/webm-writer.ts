/** WebM as browsers record it (RFC 9559): sizes of segment and clusters left open, one packet a block. */

/** An element; without a body its size is left open. */
export function element(id: number, body?: Uint8Array): Buffer {
  const hex = id.toString(16);
  const head = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  if (body === undefined) return Buffer.concat([head, Buffer.of(0x01, 255, 255, 255, 255, 255, 255, 255)]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length);
  size[0] = 0x10 | size[0]!;
  return Buffer.concat([head, size, body]);
}

export interface Track {
  readonly number: number;
  readonly codec: string;
  readonly head: Uint8Array;
}

export function begin(tracks: readonly Track[]): Buffer {
  const entries = tracks.map(({ number, codec, head }) =>
    element(
      0xae,
      Buffer.concat([
        element(0xd7, Buffer.of(number)),
        element(0x86, Buffer.from(codec)),
        element(0x63a2, head),
      ]),
    ),
  );
  return Buffer.concat([
    element(0x1a45dfa3, element(0x4282, Buffer.from('webm'))),
    element(0x18538067),
    // what nobody needs, and may be large
    element(0xec, Buffer.alloc(5000)),
    element(0x1654ae6b, Buffer.concat(entries)),
    element(0x1f43b675),
    element(0xe7, Buffer.of(0)),
  ]);
}

/** @param lacing of the flags; 0 is none */
export function block(track: number, packet: Uint8Array, { simple = true, lacing = 0 } = {}): Buffer {
  const body = Buffer.concat([Buffer.of(0x80 | track, 0, 0, 0x80 | lacing), packet]);
  return simple ? element(0xa3, body) : element(0xa0, element(0xa1, body));
}
