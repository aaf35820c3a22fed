import { AudioFormatError } from './format-error.js';
import type { OpusPacket } from './opus-packet.js';

const CAPTURE = [0x4f, 0x67, 0x67, 0x53];
/** Up to the table of segments, whose length is the last of these bytes. */
const HEADER_BYTES = 27;
const FLAGS_AT = 5;
const SERIAL_AT = 14;
const SEGMENTS_AT = 26;
const CONTINUED = 1;
const BEGIN = 2;
/** Segments of this size go on in the next. */
const FULL = 255;
/** Larger than any Opus packet; comments behind the header, which may hold pictures, are not kept. */
const MAX_PACKET_BYTES = 64 * 1024;

/** Whether bytes begin as an Ogg file does; undefined where they are too few to tell. */
export function looksLikeOgg(bytes: Uint8Array): boolean | undefined {
  if (CAPTURE.some((byte, i) => i < bytes.length && bytes[i] !== byte)) return false;
  return bytes.length >= CAPTURE.length ? true : undefined;
}

/**
 * The Opus packets of an Ogg stream (RFC 3533, RFC 7845) whose bytes come cut anywhere. Holds one page, and the begin of
 * the packet that the next page ends. Streams that follow one another are read one after the other, other streams
 * beside them are passed over.
 *
 * Own code, though libraries do this: the one that Node's Opus decoders use keeps as many streams as the sender names.
 */
export class OggOpusReader {
  #rest: Uint8Array = new Uint8Array();
  #serial: number | undefined;
  /** Pieces of the packet that is not whole. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  /** Packets of the stream so far: the first two are headers. */
  #packets = 0;
  #preSkip = 0;

  /** @throws AudioFormatError where the bytes are no Ogg pages, or none of Opus */
  push(bytes: Uint8Array): OpusPacket[] {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const packets: OpusPacket[] = [];
    let at = 0;
    for (let size = pageBytes(all, at); size !== undefined; size = pageBytes(all, at)) {
      this.#page(all.subarray(at, at + size), packets);
      at += size;
    }
    this.#rest = all.slice(at);
    return packets;
  }

  #page(page: Uint8Array, packets: OpusPacket[]): void {
    const flags = page[FLAGS_AT]!;
    const serial = new DataView(page.buffer, page.byteOffset).getUint32(SERIAL_AT, true);
    const table = page.subarray(HEADER_BYTES, HEADER_BYTES + page[SEGMENTS_AT]!);
    const body = page.subarray(HEADER_BYTES + table.length);
    if ((flags & BEGIN) !== 0 && beginsWith(body, 'OpusHead')) this.#begin(serial, body);
    else if (serial !== this.#serial) {
      if (this.#serial === undefined && (flags & BEGIN) === 0) {
        throw new AudioFormatError(
          'The Ogg stream holds no Opus: no stream in it begins with an Opus header.',
        );
      }
      return;
    }
    // the packet before was lost, or this begin of one was
    if ((flags & CONTINUED) === 0) this.#drop();
    let from = 0;
    let to = 0;
    for (const size of table) {
      to += size;
      if (size === FULL) continue;
      this.#piece(body.subarray(from, to));
      const packet = this.#whole();
      if (packet !== undefined) packets.push(packet);
      from = to;
    }
    // copied: the page is gone when its packet goes on
    if (from < to) this.#piece(body.slice(from, to));
  }

  #begin(serial: number, head: Uint8Array): void {
    if (head.length < 19 || head[8]! >= 16) {
      throw new AudioFormatError(
        'The Opus header of the Ogg stream is cut off, or of a version that is not known.',
      );
    }
    this.#serial = serial;
    this.#packets = 0;
    this.#preSkip = head[10]! + 256 * head[11]!;
    this.#drop();
  }

  #piece(bytes: Uint8Array): void {
    this.#pieceBytes += bytes.length;
    if (this.#pieceBytes <= MAX_PACKET_BYTES) this.#pieces.push(bytes);
    else if (this.#packets >= 2) {
      throw new AudioFormatError(
        `A packet of the Ogg stream has more than ${MAX_PACKET_BYTES} bytes; Opus has none such.`,
      );
    }
  }

  #whole(): OpusPacket | undefined {
    this.#packets++;
    const header = this.#packets <= 2;
    const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#drop();
    if (header) return undefined;
    return { bytes, preSkip: this.#packets === 3 ? this.#preSkip : 0 };
  }

  #drop(): void {
    this.#pieces = [];
    this.#pieceBytes = 0;
  }
}

/** Size of the page that begins there; undefined where it is not whole. */
function pageBytes(bytes: Uint8Array, at: number): number | undefined {
  const left = bytes.length - at;
  if (looksLikeOgg(bytes.subarray(at, at + CAPTURE.length)) === false) {
    throw new AudioFormatError('The Ogg stream is damaged: where a page should begin, none does.');
  }
  if (left < HEADER_BYTES) return undefined;
  const segments = bytes[at + SEGMENTS_AT]!;
  if (left < HEADER_BYTES + segments) return undefined;
  const table = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + segments);
  const size = HEADER_BYTES + segments + table.reduce((sum, each) => sum + each, 0);
  return left < size ? undefined : size;
}

function beginsWith(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text;
}
