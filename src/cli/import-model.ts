import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { BundleFile } from '../encoder/bundle.js';
import { FORMS } from '../encoder/ctc-form.js';
import { FbankEncoder } from '../encoder/fbank-encoder.js';
import { type FormManifest, recogniseForm } from '../encoder/form-bundle.js';
import type { EncoderDescription } from '../encoder/runtime.js';

interface ImportOptions {
  readonly tokens: string;
  readonly out: string;
  readonly name?: string;
  readonly modelVersion: string;
  readonly language?: string;
}

/** `lexigate import-model`: a folder for `serve --model` from a model file in another system's form. */
export function addImportCommand(program: Command): void {
  program
    .command('import-model')
    .description(
      'Make a model folder of a streaming CTC model that sherpa-onnx runs (zipformer2Ctc or nemoCtc).',
    )
    .argument('<model>', 'the ONNX file')
    .requiredOption('--tokens <file>', 'its tokens.txt')
    .requiredOption('--out <folder>', 'the folder to make')
    .option('--name <text>', 'what it is called; else after the file')
    .option('--model-version <text>', 'which one it is', '1')
    .option('--language <folder>', 'take the language model and spellings of this model folder')
    .action(async (model: string, options: ImportOptions) => {
      const description = await importModel(model, options);
      process.stdout.write(`${told(options.out, description)}\n`);
    });
}

/** @returns what the model says of itself, having run once */
export async function importModel(model: string, options: ImportOptions): Promise<EncoderDescription> {
  const { tokens, out, name = basename(model, extname(model)), modelVersion, language } = options;
  const form = recogniseForm(await readFile(model));
  if (form === undefined) {
    throw new Error(
      `${model} has not the metadata of ${FORMS.join(' or ')}: it is another kind of model, or was exported without them. Export it with icefall's export-onnx-streaming-ctc.py or sherpa-onnx's export-onnx-ctc.py.`,
    );
  }
  await makeFolder(out);
  try {
    const manifest: FormManifest = {
      format: 1,
      form,
      name,
      version: modelVersion,
      encoder: await adopt(model, out, 'model.onnx'),
      tokens: await adopt(tokens, out, 'tokens.txt'),
    };
    await writeFile(join(out, 'bundle.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
    if (language !== undefined) await adoptLanguage(language, out);
    const encoder = await FbankEncoder.load(out);
    await encoder.close();
    return encoder.description;
  } catch (reason) {
    await rm(out, { recursive: true });
    throw reason;
  }
}

async function makeFolder(out: string): Promise<void> {
  await mkdir(resolve(out, '..'), { recursive: true });
  try {
    await mkdir(out);
  } catch (cause) {
    throw new Error(
      `${out} cannot be made: ${(cause as Error).message}. Give a folder that is not there yet.`,
      {
        cause,
      },
    );
  }
}

async function adopt(from: string, out: string, file: string): Promise<BundleFile> {
  const bytes = await readFile(from);
  await writeFile(join(out, file), bytes);
  return { file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** `language.json` and the files that it names. */
async function adoptLanguage(from: string, out: string): Promise<void> {
  const manifest = await readFile(join(from, 'language.json'), 'utf8');
  const entries = Object.values(JSON.parse(manifest) as Record<string, { readonly file: string }>);
  await Promise.all(
    entries.map(({ file }) => copyFile(join(from, basename(file)), join(out, basename(file)))),
  );
  await writeFile(join(out, 'language.json'), manifest);
}

function told(
  out: string,
  { name, frameSamples, sampleRate, pieces, latencies }: EncoderDescription,
): string {
  const frameMs = (frameSamples * 1000) / sampleRate;
  const [latency] = latencies;
  return [
    `${out}: ${name}, ${pieces.length} symbols and the blank, a row each ${frameMs} ms,`,
    `chunks of ${latency!.chunkFrames * frameMs} ms that see ${latency!.lookaheadFrames * frameMs} ms more.`,
    `Start it: lexigate serve --model ${out}`,
  ].join(' ');
}
