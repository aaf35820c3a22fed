/**
 * The metadata of an ONNX file, which ONNX Runtime's binding for Node does not tell. A `ModelProto` (onnx.proto3) is a
 * protocol buffer whose field 14, repeated, is a pair of strings: key in field 1, value in field 2. Everything else,
 * the graph above all, is stepped over.
 */
const METADATA_FIELD = 14;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

export class OnnxFileError extends Error {
  override readonly name = 'OnnxFileError';
}

/** @throws OnnxFileError where the bytes are no protocol buffer */
export function readOnnxMetadata(file: Uint8Array): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  for (const { field, bytes } of fields(file)) {
    if (field !== METADATA_FIELD || bytes === undefined) continue;
    const pair = new Map([...fields(bytes)].map((part) => [part.field, text(part.bytes)]));
    metadata.set(pair.get(1) ?? '', pair.get(2) ?? '');
  }
  return metadata;
}

interface Field {
  readonly field: number;
  /** Borrowed; of fields with a length only. */
  readonly bytes?: Uint8Array;
}

function* fields(message: Uint8Array): Generator<Field> {
  const reader = new Reader(message);
  while (!reader.done) {
    const tag = reader.varint();
    const field = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === BYTES) yield { field, bytes: reader.take(reader.varint()) };
    else if (type === VARINT) reader.varint();
    else if (type === FIXED64) reader.take(8);
    else if (type === FIXED32) reader.take(4);
    else throw new OnnxFileError(`field ${field} has the wire type ${type}: this is no ONNX file`);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Exact up to 2^53, beyond which only negative numbers lie, whose value nothing here needs. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.take(1)[0]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 63) throw new OnnxFileError(`no number at byte ${this.#at}: this is no ONNX file`);
    }
  }

  take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length) {
      throw new OnnxFileError(
        `byte ${end} is missing, the file has ${this.#bytes.length}: it is no ONNX file, or cut short`,
      );
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}
