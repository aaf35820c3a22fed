import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020, type JSONSchemaType } from 'ajv/dist/2020.js';
import type { EncoderDescription, Latency } from './runtime.js';

/** A state tensor of the encoder graph: input `name`, zeros at the begin of a stream. */
export interface StateTensor {
  readonly name: string;
  readonly type: 'float32' | 'float16' | 'int64' | 'int8';
  /** Without the leading batch axis. */
  readonly shape: readonly number[];
  /**
   * Absent: the graph returns the tensor's successor as output `next_<name>`. Otherwise the tensor, (heads, length,
   * width), is a ring of the newest rows, so many an output frame, and those that a step adds are output `new_<name>`.
   */
  readonly perFrame?: number;
}

/** A file of the folder as `bundle.json` describes it. */
export interface BundleFile {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

interface BundleManifest {
  readonly format: 1;
  readonly name: string;
  readonly version: string;
  readonly sampleRate: number;
  readonly frameSamples: number;
  readonly encoder: BundleFile & {
    readonly blank: number;
    readonly taps: readonly number[];
    readonly state: readonly StateTensor[];
  };
  readonly subwords: BundleFile;
  readonly phones: BundleFile;
  readonly latencies: readonly Latency[];
}

/** What lies in a model folder, read and checked. */
export interface ModelBundle {
  readonly folder: string;
  readonly description: EncoderDescription;
  readonly state: readonly StateTensor[];
  /** The encoder graph's bytes. */
  readonly graph: Uint8Array;
}

export class ModelBundleError extends Error {
  override readonly name = 'ModelBundleError';
}

const BYTES = { float32: 4, float16: 2, int64: 8, int8: 1 } as const;

export const fileSchema = {
  file: { type: 'string' },
  sha256: { type: 'string' },
  bytes: { type: 'integer' },
} as const;
const count = { type: 'integer', minimum: 1 } as const;
export const fileRequired = ['file', 'sha256', 'bytes'] as const;

const schema: JSONSchemaType<BundleManifest> = {
  type: 'object',
  required: [
    'format',
    'name',
    'version',
    'sampleRate',
    'frameSamples',
    'encoder',
    'subwords',
    'phones',
    'latencies',
  ],
  properties: {
    format: { type: 'integer', const: 1 },
    name: { type: 'string' },
    version: { type: 'string' },
    sampleRate: count,
    frameSamples: count,
    encoder: {
      type: 'object',
      required: [...fileRequired, 'blank', 'taps', 'state'],
      properties: {
        ...fileSchema,
        blank: count,
        taps: { type: 'array', items: count },
        state: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name', 'type', 'shape'],
            properties: {
              name: { type: 'string' },
              type: { type: 'string', enum: ['float32', 'float16', 'int64', 'int8'] },
              shape: { type: 'array', items: count },
              perFrame: { ...count, nullable: true },
            },
          },
        },
      },
    },
    subwords: { type: 'object', required: fileRequired, properties: fileSchema },
    phones: { type: 'object', required: fileRequired, properties: fileSchema },
    latencies: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['chunkFrames', 'lookaheadFrames'],
        properties: { chunkFrames: count, lookaheadFrames: { type: 'integer', minimum: 0 } },
      },
    },
  },
};

const isManifest = new Ajv2020().compile(schema);

/** Reads `bundle.json` and the files it names; every file is checked against its hash. */
export async function loadBundle(folder: string): Promise<ModelBundle> {
  const manifest = parseManifest(folder, await read(join(folder, 'bundle.json')));
  const [graph, subwords, phones] = await Promise.all(
    [manifest.encoder, manifest.subwords, manifest.phones].map((entry) => readChecked(folder, entry)),
  );
  const { pieces } = parseJson<{ pieces: string[] }>(join(folder, manifest.subwords.file), subwords!);
  const { phones: symbols } = parseJson<{ phones: string[] }>(join(folder, manifest.phones.file), phones!);
  if (manifest.encoder.blank !== pieces.length) {
    throw new ModelBundleError(
      `${folder}: the blank is ${manifest.encoder.blank} but there are ${pieces.length} subwords; the blank must follow the last of them. Export the bundle again.`,
    );
  }
  return {
    folder,
    graph: graph!,
    state: manifest.encoder.state,
    description: {
      name: manifest.name,
      version: manifest.version,
      sampleRate: manifest.sampleRate,
      frameSamples: manifest.frameSamples,
      pieces,
      blank: manifest.encoder.blank,
      phones: symbols,
      tapWidths: manifest.encoder.taps,
      latencies: manifest.latencies,
      stateBytes: manifest.encoder.state.reduce((sum, s) => sum + BYTES[s.type] * elements(s), 0),
    },
  };
}

/** Number of elements of a state tensor for one stream. */
export function elements(tensor: StateTensor): number {
  return tensor.shape.reduce((product, n) => product * n, 1);
}

function parseManifest(folder: string, bytes: Uint8Array): BundleManifest {
  const manifest = parseJson<unknown>(join(folder, 'bundle.json'), bytes);
  if (isManifest(manifest)) return manifest;
  const [error] = isManifest.errors ?? [];
  throw new ModelBundleError(
    `${join(folder, 'bundle.json')}: ${error?.instancePath || 'the document'} ${error?.message}; is this a Lexigate model of format 1?`,
  );
}

/** Reads a file of the folder. @throws ModelBundleError where it is not what the manifest says */
export async function readChecked(folder: string, entry: BundleFile): Promise<Uint8Array> {
  const path = join(folder, entry.file);
  const bytes = await read(path);
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (hash !== entry.sha256) {
    throw new ModelBundleError(
      `${path} has sha256 ${hash.slice(0, 12)}… (${bytes.length} bytes), but bundle.json says ${entry.sha256.slice(0, 12)}… (${entry.bytes} bytes): the file is damaged or of another version. Restore the model folder.`,
    );
  }
  return bytes;
}

export async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ModelBundleError(
      `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}. Give the folder of a model bundle with --model.`,
      { cause },
    );
  }
}

export function parseJson<T>(path: string, bytes: Uint8Array): T {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  } catch (cause) {
    throw new ModelBundleError(`${path} is not JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}
