#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { knownWords } from '../decoder/known-words.js';
import { loadLanguageModel } from '../decoder/language-bundle.js';
import { NgramModel } from '../decoder/ngram.js';
import type { EncoderDescription, Latency } from '../encoder/runtime.js';
import { CONFIGURATIONS, type Configuration, chooseConfigurations } from '../evaluation/configurations.js';
import { type DistractorPool, drawDistractors, poolOfEntities, readPool } from '../evaluation/distractors.js';
import { type Manifest, openManifest, type Utterance } from '../evaluation/manifest.js';
import { phoneticNeighbours } from '../evaluation/neighbours.js';
import { Progress } from '../evaluation/progress.js';
import { formatTranscripts, type ListSize, type Measured, makeReport } from '../evaluation/report.js';
import { writeReport } from '../evaluation/report-files.js';
import { type ConfigurationResult, type RunOptions, rescore, run } from '../evaluation/run.js';
import { formatReport } from '../evaluation/table.js';
import { loadPhonetics } from '../phonetics/bundle.js';
import { Lexicon } from '../phonetics/lexicon.js';
import type { WorkerPool } from '../session/pool.js';
import { chooseLatency } from '../session/start.js';
import { packageRoot } from '../util/package-root.js';
import { startWorkers } from './compose.js';

interface EvalOptions {
  readonly manifest: string;
  readonly distractors?: string;
  readonly n: readonly number[];
  readonly anti?: 'drawn' | 'hard';
  readonly configs: string;
  readonly limit?: number;
  readonly every: number;
  readonly chunk?: number;
  readonly out?: string;
  readonly report?: string;
  readonly transcripts?: string;
  readonly seed: number;
  readonly workers: number;
  readonly model: string;
  readonly endpoints: boolean;
}

/** Streams per worker: enough to fill the encoder's batches while some of them decode. */
const STREAMS_PER_WORKER = 8;
/** The gateway's own. */
const MAX_BATCH = 16;

const program = new Command('eval')
  .description(
    'Measure word error rates and the recognition of listed entities on recordings with transcripts.',
  )
  .showHelpAfterError('(add --help for what can be given)')
  .requiredOption(
    '--manifest <file>',
    'tab-separated, the first line naming the columns: path, transcript, entities (separated by |); audio as WAV, Ogg Opus or FLAC beside it, or in a tar of its name',
  )
  .option(
    '--distractors <file>',
    'entries to draw distractors from, one a line, may be gzipped (default: entities of the other utterances)',
  )
  .option(
    '--n <numbers>',
    'distractors per utterance; several, separated by commas, are a sweep',
    sizes,
    [100],
  )
  .addOption(
    new Option(
      '--anti [kind]',
      'lists without what is spoken: distractors alone, or (hard) dictionary words that sound like common ones',
    )
      .choices(['drawn', 'hard'])
      .preset('drawn'),
  )
  .option(
    '--configs <names>',
    `separated by commas, of ${CONFIGURATIONS.map(({ name }) => name).join(', ')}`,
    'none,adaptive',
  )
  .option('--limit <number>', 'only the first utterances', wholeFrom(1))
  .option('--every <number>', 'only the first of so many utterances each', wholeFrom(1), 1)
  .option('--chunk <ms>', 'latency, chunk and look-ahead together, as the model offers', wholeFrom(1))
  .option('--out <file>', 'write the report as JSON')
  .option('--report <folder>', 'write the report as JSON and Markdown, with plots as SVG')
  .option('--transcripts <file>', 'write what was heard, tab-separated')
  .option('--seed <number>', 'of the draw of distractors and of the bootstrap', wholeFrom(0), 1)
  .option('--workers <number>', 'recognition threads', wholeFrom(1), availableParallelism())
  .option('--model <folder>', 'folder of the model bundle', join(packageRoot(), 'models', 'en-base'))
  .option('--no-endpoints', 'let no pause end a segment')
  .action(async (options: EvalOptions) => {
    await evaluate(options);
  });

function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least) {
      throw new InvalidArgumentError(`Give a whole number from ${least}.`);
    }
    return value;
  };
}

/** Ascending, each once. */
function sizes(text: string): number[] {
  return [...new Set(text.split(',').map(wholeFrom(0)))].sort((a, b) => a - b);
}

async function evaluate(options: EvalOptions): Promise<void> {
  const configurations = chooseConfigurations(options.configs.split(',').map((name) => name.trim()));
  warnWithoutLanguageModel(configurations, options.model);
  const manifest = await openManifest(options.manifest);
  try {
    const lists = drawLists(manifest, await poolFor(manifest, options), options);
    const recognisers = await startWorkers({ ...options, maxBatch: MAX_BATCH });
    try {
      await measure({ configurations, manifest, lists, recognisers, options });
    } finally {
      await recognisers.stop();
    }
  } finally {
    await manifest.close();
  }
}

/** The utterances to be evaluated, with as many distractors as the longest lists have. */
type Lists = ReadonlyMap<Utterance, readonly string[]>;

interface Measurement {
  readonly configurations: readonly Configuration[];
  readonly manifest: Manifest;
  readonly lists: Lists;
  readonly recognisers: WorkerPool;
  readonly options: EvalOptions;
}

async function measure(measurement: Measurement): Promise<void> {
  const { configurations, manifest, lists, recognisers, options } = measurement;
  const { description } = recognisers;
  const latency = chooseLatency(options.chunk, description);
  const measured: Measured[] = [];
  for (const configuration of configurations) {
    measured.push(...(await sweep(measurement, configuration, latency)));
  }
  const report = makeReport(
    {
      model: { name: description.name, version: description.version },
      manifest: manifest.name,
      lists: options.anti === undefined ? 'spoken' : options.anti === 'hard' ? 'hard anti' : 'anti',
      distractors: sourceOf(options),
      sizes: options.n.map((n) => sizeOf(lists, n)),
      seed: options.seed,
      latencyMs: millisecondsOf(latency, description),
      endpoints: options.endpoints,
    },
    measured,
  );
  process.stdout.write(formatReport(report));
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(report, null, 2)}\n`);
  if (options.report !== undefined) await writeReport(options.report, report);
  if (options.transcripts !== undefined) await writeFile(options.transcripts, formatTranscripts(measured));
}

/** One configuration with lists of every size; what is never told its list is recognised once and scored with each. */
async function sweep(
  measurement: Measurement,
  configuration: Configuration,
  latency: Latency,
): Promise<Measured[]> {
  const { lists, options } = measurement;
  const measured: Measured[] = [];
  for (const n of options.n) {
    const distractors = (utterance: Utterance): readonly string[] => lists.get(utterance)!.slice(0, n);
    const [before] = measured;
    const result =
      before !== undefined && !configuration.vocabulary
        ? rescore(before.result, distractors)
        : await measureOne(measurement, { configuration, latency, n, distractors });
    measured.push({ config: configuration.name, n, result });
  }
  return measured;
}

async function measureOne(
  { manifest, lists, recognisers, options }: Measurement,
  one: Pick<RunOptions, 'configuration' | 'latency' | 'distractors'> & { readonly n: number },
): Promise<ConfigurationResult> {
  const progress = new Progress(process.stderr, `${one.configuration.name} ${one.n}`, lists.size);
  try {
    return await run({
      ...one,
      manifest,
      recognisers,
      utterances: [...lists.keys()],
      anti: options.anti !== undefined,
      parallel: options.workers * STREAMS_PER_WORKER,
      endpoints: options.endpoints,
      progress: (done, seconds) => {
        progress.update(done, `(${(seconds / 60).toFixed(1)} min of audio)`);
      },
    });
  } finally {
    progress.end();
  }
}

/** A bundle may be an acoustic model alone; what is called `none` would then be `beam`. */
function warnWithoutLanguageModel(configurations: readonly Configuration[], model: string): void {
  const wanting = configurations.filter(({ languageModel }) => languageModel).map(({ name }) => name);
  if (wanting.length === 0 || existsSync(join(model, 'language.json'))) return;
  process.stderr.write(
    `eval: ${model} has no language model, so ${wanting.join(', ')} will be measured without one\n`,
  );
}

async function poolFor(manifest: Manifest, options: EvalOptions): Promise<DistractorPool> {
  if (options.anti === 'hard') return poolBySound(options.model);
  return options.distractors === undefined
    ? poolOfEntities(manifest.utterances)
    : readPool(options.distractors);
}

async function poolBySound(model: string): Promise<DistractorPool> {
  const [languageModel, phonetics] = await Promise.all([loadLanguageModel(model), loadPhonetics(model)]);
  if (languageModel === undefined || phonetics === undefined) {
    throw new Error(
      `--anti hard needs a language model and a dictionary, which ${model} has not; use --anti`,
    );
  }
  const { isCommon } = knownWords(NgramModel.fromBuffer(languageModel));
  return phoneticNeighbours(Lexicon.fromBytes(new Uint8Array(phonetics.lexicon)), isCommon);
}

/** Distractors of every utterance; says so where they are fewer than asked for. */
function drawLists(manifest: Manifest, pool: DistractorPool, options: EvalOptions): Lists {
  const n = Math.max(...options.n);
  const lists = new Map(
    manifest.utterances
      .filter((_, i) => i % options.every === 0)
      .slice(0, options.limit)
      .map((utterance) => [utterance, drawDistractors(pool, utterance, { n, seed: options.seed })] as const),
  );
  const { least } = sizeOf(lists, n);
  if (least < n) {
    const source = sourceOf(options);
    const help = source === 'entities' ? '; give --distractors FILE for more' : '';
    process.stderr.write(
      `eval: ${source} yield only ${least} distractors for some utterances where ${n} were asked for${help}\n`,
    );
  }
  return lists;
}

function sourceOf({ anti, distractors }: EvalOptions): string {
  if (anti === 'hard') return 'the dictionary';
  return distractors === undefined ? 'entities' : basename(distractors);
}

function sizeOf(lists: Lists, n: number): ListSize {
  const lengths = [...lists.values()].map((list) => Math.min(list.length, n));
  return { n, least: Math.min(...lengths), most: Math.max(...lengths) };
}

function millisecondsOf(latency: Latency, { frameSamples, sampleRate }: EncoderDescription): number {
  return ((latency.chunkFrames + latency.lookaheadFrames) * frameSamples * 1000) / sampleRate;
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`eval: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
