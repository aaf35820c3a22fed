import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020, type JSONSchemaType } from 'ajv/dist/2020.js';
import { type DescribedFile, readDescribed } from '../util/checked-file.js';
import type { AdapterDescription } from './runtime.js';

interface AdapterManifest {
  readonly catalogue: DescribedFile;
  readonly adapter: DescribedFile;
  readonly keySize: number;
  readonly valueSize: number;
  readonly shortlist: number;
  readonly subwordsMax: number;
  readonly phonesMax: number;
  readonly stride: number;
  readonly phones: readonly string[];
}

interface BundleManifest {
  readonly encoder: { readonly taps: readonly number[] };
  readonly subwords: { readonly file: string };
  readonly adapter: AdapterManifest;
}

/** The adapter of a model folder, read and checked. */
export interface AdapterFiles {
  readonly description: AdapterDescription;
  /** Bytes of the two graphs. */
  readonly catalogue: Uint8Array;
  readonly adapter: Uint8Array;
}

const described = {
  type: 'object',
  required: ['file', 'sha256', 'bytes'],
  properties: { file: { type: 'string' }, sha256: { type: 'string' }, bytes: { type: 'integer' } },
} as const;
const count = { type: 'integer', minimum: 1 } as const;

const schema: JSONSchemaType<AdapterManifest> = {
  type: 'object',
  required: [
    'catalogue',
    'adapter',
    'keySize',
    'valueSize',
    'shortlist',
    'subwordsMax',
    'phonesMax',
    'stride',
    'phones',
  ],
  properties: {
    catalogue: described,
    adapter: described,
    keySize: count,
    valueSize: count,
    shortlist: count,
    subwordsMax: count,
    phonesMax: count,
    stride: count,
    phones: { type: 'array', items: { type: 'string' } },
  },
};

const isAdapter = new Ajv2020().compile(schema);

/**
 * Reads what `bundle.json` says of an adapter, and its graphs; undefined where the model has none.
 * @throws Error where the files are not what the manifest says
 */
export async function readAdapter(folder: string): Promise<AdapterFiles | undefined> {
  const path = join(folder, 'bundle.json');
  const { adapter, encoder, subwords } = JSON.parse(await readFile(path, 'utf8')) as BundleManifest;
  if (adapter === undefined) return undefined;
  if (!isAdapter(adapter)) {
    const [error] = isAdapter.errors ?? [];
    throw new Error(`${path}: adapter${error?.instancePath} ${error?.message}. Export the bundle again.`);
  }
  const [catalogue, graph, table] = await Promise.all([
    readDescribed(join(folder, adapter.catalogue.file), adapter.catalogue, path),
    readDescribed(join(folder, adapter.adapter.file), adapter.adapter, path),
    readFile(join(folder, subwords.file), 'utf8'),
  ]);
  const { pieces, scores } = JSON.parse(table) as { pieces: string[]; scores: number[] };
  const { keySize, valueSize, shortlist, subwordsMax, phonesMax, stride, phones } = adapter;
  return {
    description: {
      keySize,
      valueSize,
      shortlist,
      subwordsMax,
      phonesMax,
      stride,
      phones,
      pieces,
      pieceScores: scores,
      width: encoder.taps[0]!,
    },
    // copies: ONNX Runtime takes no shared memory
    catalogue: new Uint8Array(catalogue).slice(),
    adapter: new Uint8Array(graph).slice(),
  };
}
