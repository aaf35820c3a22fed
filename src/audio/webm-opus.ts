import { AudioFormatError } from './format-error.js';
import type { OpusPacket } from './opus-packet.js';

/** Element ids (RFC 9559), the marker bits of their length kept. */
const SEGMENT = 0x18538067;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;
const CLUSTER = 0x1f43b675;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const SIMPLE_BLOCK = 0xa3;

/** Their children are read as though they stood beside them: where each ends is of no interest. */
const OPENED: ReadonlySet<number> = new Set([SEGMENT, TRACKS, CLUSTER, BLOCK_GROUP]);
/** Read whole; everything else is passed over, however large. */
const READ: ReadonlySet<number> = new Set([TRACK_ENTRY, BLOCK, SIMPLE_BLOCK]);
const MAX_ELEMENT_BYTES = 64 * 1024;

/** Behind a block's track number: two bytes of time and the flags. */
const BLOCK_HEAD = 3;
const LACING = 0x06;
const PRE_SKIP_AT = 10;

/** Whether bytes begin as a WebM file does; undefined where they are too few to tell. */
export function looksLikeWebm(bytes: Uint8Array): boolean | undefined {
  const id = [0x1a, 0x45, 0xdf, 0xa3];
  if (id.some((byte, i) => i < bytes.length && bytes[i] !== byte)) return false;
  return bytes.length >= id.length ? true : undefined;
}

/**
 * The packets of the first Opus track of a WebM stream (RFC 8794, RFC 9559) whose bytes come cut anywhere, as browsers'
 * MediaRecorder makes it: sizes may be left open, cues need not be there. Holds one element at most.
 */
export class WebmOpusReader {
  #rest: Uint8Array = new Uint8Array();
  /** Bytes still to be passed over. */
  #skip = 0;
  #track: number | undefined;
  #preSkip = 0;

  /** @throws AudioFormatError where the bytes are no WebM, or hold no Opus */
  push(bytes: Uint8Array): OpusPacket[] {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const packets: OpusPacket[] = [];
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.#skip, all.length - at);
      this.#skip -= skipped;
      at += skipped;
      const element = this.#skip > 0 ? undefined : elementAt(all, at);
      if (element === undefined) break;
      if (OPENED.has(element.id)) at = element.body;
      else if (READ.has(element.id)) {
        const end = element.body + bounded(element);
        if (end > all.length) break;
        this.#read(element.id, all.subarray(element.body, end), packets);
        at = end;
      } else {
        this.#skip = sized(element);
        at = element.body;
      }
    }
    this.#rest = all.slice(at);
    return packets;
  }

  #read(id: number, body: Uint8Array, packets: OpusPacket[]): void {
    if (id === TRACK_ENTRY) this.#entry(body);
    else {
      const packet = this.#block(body);
      if (packet !== undefined) packets.push(packet);
    }
  }

  #entry(body: Uint8Array): void {
    if (this.#track !== undefined) return;
    const children = childrenOf(body);
    if (Buffer.from(children.get(CODEC_ID) ?? []).toString('latin1') !== 'A_OPUS') return;
    this.#track = Buffer.from(children.get(TRACK_NUMBER) ?? [0]).at(-1);
    const head = children.get(CODEC_PRIVATE) ?? new Uint8Array();
    this.#preSkip = (head[PRE_SKIP_AT] ?? 0) + 256 * (head[PRE_SKIP_AT + 1] ?? 0);
  }

  #block(body: Uint8Array): OpusPacket | undefined {
    if (this.#track === undefined) {
      throw new AudioFormatError('The WebM stream holds no Opus: none of its tracks is "A_OPUS".');
    }
    const track = numberAt(body, 0);
    if (track === undefined || body.length < track.end + BLOCK_HEAD) {
      throw new AudioFormatError(`The WebM stream is damaged: a block has ${body.length} bytes.`);
    }
    if (track.value !== this.#track) return undefined;
    if ((body[track.end + BLOCK_HEAD - 1]! & LACING) !== 0) {
      throw new AudioFormatError(
        'The WebM stream has several packets in a block (lacing), which is not read.',
      );
    }
    const preSkip = this.#preSkip;
    this.#preSkip = 0;
    return { bytes: body.slice(track.end + BLOCK_HEAD), preSkip };
  }
}

interface Element {
  readonly id: number;
  /** Undefined: left open. */
  readonly size: number | undefined;
  /** Where what it holds begins. */
  readonly body: number;
}

/** The head of the element that begins there; undefined where it is not whole. */
function elementAt(bytes: Uint8Array, at: number): Element | undefined {
  const id = numberAt(bytes, at, true);
  if (id === undefined) return undefined;
  if (id.end - at > 4)
    throw new AudioFormatError('The WebM stream is damaged: where an element should begin, none does.');
  const size = numberAt(bytes, id.end);
  if (size === undefined) return undefined;
  return { id: id.value, size: size.open ? undefined : size.value, body: size.end };
}

function sized({ id, size }: Element): number {
  if (size !== undefined) return size;
  throw new AudioFormatError(
    `The WebM stream leaves the size of its element ${id.toString(16)} open, which only clusters may.`,
  );
}

function bounded(element: Element): number {
  const size = sized(element);
  if (size <= MAX_ELEMENT_BYTES) return size;
  throw new AudioFormatError(
    `An element of the WebM stream has ${size} bytes; a block of Opus has at most ${MAX_ELEMENT_BYTES}.`,
  );
}

function childrenOf(body: Uint8Array): Map<number, Uint8Array> {
  const children = new Map<number, Uint8Array>();
  for (let at = 0; at < body.length; ) {
    const element = elementAt(body, at);
    if (element === undefined) break;
    at = element.body + sized(element);
    children.set(element.id, body.subarray(element.body, at));
  }
  return children;
}

/**
 * A number of EBML: as many bytes as its first one has leading zeros, and one (RFC 8794, section 4).
 * @param marked with the marker bit, as ids are written
 */
function numberAt(
  bytes: Uint8Array,
  at: number,
  marked = false,
): { readonly value: number; readonly open: boolean; readonly end: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const length = Math.clz32(first) - 23;
  if (length > 8) throw new AudioFormatError('The WebM stream is damaged: a number in it has no length.');
  if (at + length > bytes.length) return undefined;
  const marker = 256 >> length;
  let value = marked ? first : first & (marker - 1);
  let ones = (first & (marker - 1)) === marker - 1;
  for (let i = 1; i < length; i++) {
    value = value * 256 + bytes[at + i]!;
    ones &&= bytes[at + i] === 255;
  }
  return { value, open: ones, end: at + length };
}
