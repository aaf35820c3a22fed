/**
 * Opus packets (RFC 6716, section 3): how much audio one holds, without decoding it. Bad ones are told here, so that the
 * decoder meets none: what it says of them goes to the console.
 */

export interface OpusPacket {
  /** Borrowed until the next push of whoever found it. */
  readonly bytes: Uint8Array;
  /** Samples at 48 kHz to leave out at the stream's begin: the encoder's own, told with its first packet. */
  readonly preSkip: number;
}

/** Frames of a packet, in samples at 48 kHz, by the packet's configuration number (section 3.1, table 2). */
const SILK = [480, 960, 1920, 2880];
const HYBRID = [480, 960];
const CELT = [120, 240, 480, 960];

/** R2 and R5 of section 3.4: bytes of a frame, and 120 ms for a packet. */
const MAX_FRAME_BYTES = 1275;
const MAX_PACKET_SAMPLES = 5760;

function frameSamples(configuration: number): number {
  if (configuration < 12) return SILK[configuration % 4]!;
  return configuration < 16 ? HYBRID[configuration % 2]! : CELT[configuration % 4]!;
}

/** Samples at 48 kHz in a packet; undefined where it is none, by the rules of section 3.4. */
export function opusSamples(packet: Uint8Array): number | undefined {
  const [first] = packet;
  if (first === undefined) return undefined;
  const frames = countFrames(packet, first & 3);
  const samples = frames === undefined ? undefined : frames * frameSamples(first >> 3);
  return samples !== undefined && samples <= MAX_PACKET_SAMPLES ? samples : undefined;
}

function countFrames(packet: Uint8Array, code: number): number | undefined {
  const body = packet.length - 1;
  switch (code) {
    case 0:
      return body <= MAX_FRAME_BYTES ? 1 : undefined;
    case 1:
      return body % 2 === 0 && body / 2 <= MAX_FRAME_BYTES ? 2 : undefined;
    case 2: {
      const size = frameSize(packet, 1);
      const second = size && packet.length - size.next - size.bytes;
      return second !== undefined && second >= 0 && second <= MAX_FRAME_BYTES ? 2 : undefined;
    }
    default:
      return countMany(packet);
  }
}

/** Code 3: any number of frames, all of one size or each with its own, and padding behind them. */
function countMany(packet: Uint8Array): number | undefined {
  const described = packet[1];
  if (described === undefined) return undefined;
  const count = described & 63;
  const variable = (described & 128) !== 0;
  if (count === 0) return undefined;
  const padding = (described & 64) === 0 ? { bytes: 0, next: 2 } : paddingOf(packet);
  if (padding === undefined) return undefined;
  let { next } = padding;
  let left = packet.length - padding.bytes;
  if (!variable) {
    const bytes = (left - next) / count;
    return Number.isInteger(bytes) && bytes >= 0 && bytes <= MAX_FRAME_BYTES ? count : undefined;
  }
  for (let frame = 1; frame < count; frame++) {
    const size = frameSize(packet, next);
    if (size === undefined) return undefined;
    next = size.next;
    left -= size.bytes;
  }
  const last = left - next;
  return last >= 0 && last <= MAX_FRAME_BYTES ? count : undefined;
}

interface Size {
  readonly bytes: number;
  /** Where what follows the number begins. */
  readonly next: number;
}

/** Section 3.2.1: one byte up to 251, else two. */
function frameSize(packet: Uint8Array, at: number): Size | undefined {
  const first = packet[at];
  if (first === undefined || first < 252)
    return first === undefined ? undefined : { bytes: first, next: at + 1 };
  const second = packet[at + 1];
  return second === undefined ? undefined : { bytes: 4 * second + first, next: at + 2 };
}

/** Section 3.2.5: 255 stands for 254 bytes and that more are told. */
function paddingOf(packet: Uint8Array): Size | undefined {
  let bytes = 0;
  for (let at = 2; at < packet.length; at++) {
    if (packet[at] !== 255) return { bytes: bytes + packet[at]!, next: at + 1 };
    bytes += 254;
  }
  return undefined;
}
