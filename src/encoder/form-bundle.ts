import { join } from 'node:path';
import { Ajv2020, type JSONSchemaType } from 'ajv/dist/2020.js';
import {
  type BundleFile,
  fileRequired,
  fileSchema,
  ModelBundleError,
  parseJson,
  read,
  readChecked,
} from './bundle.js';
import { type CtcForm, Facts, FORMS, type FormName } from './ctc-form.js';
import { nemoForm } from './nemo.js';
import { readOnnxMetadata } from './onnx-metadata.js';
import { parseTokens, type Tokens } from './tokens.js';
import { zipformerForm } from './zipformer.js';

/** `bundle.json` of a model in one of the forms that sherpa-onnx runs. */
export interface FormManifest {
  readonly format: 1;
  readonly form: FormName;
  readonly name: string;
  readonly version: string;
  readonly encoder: BundleFile;
  readonly tokens: BundleFile;
}

/** Such a model, read and checked. */
export interface FormBundle {
  readonly name: string;
  readonly version: string;
  readonly graph: Uint8Array;
  readonly tokens: Tokens;
  readonly form: CtcForm;
}

const fileOf = { type: 'object', required: fileRequired, properties: fileSchema } as const;

const schema: JSONSchemaType<FormManifest> = {
  type: 'object',
  required: ['format', 'form', 'name', 'version', 'encoder', 'tokens'],
  properties: {
    format: { type: 'integer', const: 1 },
    form: { type: 'string', enum: FORMS },
    name: { type: 'string' },
    version: { type: 'string' },
    encoder: fileOf,
    tokens: fileOf,
  },
};

const isManifest = new Ajv2020().compile(schema);

const READERS: Readonly<Record<FormName, (facts: Facts) => CtcForm>> = {
  zipformer2Ctc: zipformerForm,
  nemoCtc: nemoForm,
};

/** Whether a folder's `bundle.json` names a form; Lexigate's own models have none. */
export async function namesForm(folder: string): Promise<boolean> {
  const path = join(folder, 'bundle.json');
  const manifest = parseJson<unknown>(path, await read(path));
  return typeof manifest === 'object' && manifest !== null && 'form' in manifest;
}

/** Reads `bundle.json` and the files it names; every file is checked against its hash. */
export async function loadFormBundle(folder: string): Promise<FormBundle> {
  const path = join(folder, 'bundle.json');
  const manifest = parseJson<unknown>(path, await read(path));
  if (!isManifest(manifest)) {
    const [error] = isManifest.errors ?? [];
    const form = (manifest as { form?: unknown }).form;
    throw new ModelBundleError(
      `${path}: ${error?.instancePath || 'the document'} ${error?.message}; its form is ${JSON.stringify(form)}, known are ${FORMS.join(', ')}. Make the bundle with "lexigate import-model".`,
    );
  }
  const [graph, tokens] = await Promise.all([
    readChecked(folder, manifest.encoder),
    readChecked(folder, manifest.tokens),
  ]);
  const { name, version, form } = manifest;
  return {
    name,
    version,
    graph,
    ...explained(folder, () => ({
      tokens: parseTokens(new TextDecoder().decode(tokens)),
      form: READERS[form](new Facts(readOnnxMetadata(graph))),
    })),
  };
}

/** The form of a model file, by the metadata that each exporter writes and the other does not. */
export function recogniseForm(file: Uint8Array): FormName | undefined {
  const metadata = readOnnxMetadata(file);
  if (metadata.has('decode_chunk_len') && metadata.has('encoder_dims')) return 'zipformer2Ctc';
  return metadata.has('chunk_shift') && metadata.has('cache_last_channel_dim1') ? 'nemoCtc' : undefined;
}

/** Whatever is wrong with a model is said with the folder where it lies. */
export function explained<T>(folder: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new ModelBundleError(`${folder}: ${cause instanceof Error ? cause.message : String(cause)}.`, {
      cause,
    });
  }
}
