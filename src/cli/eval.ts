#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { EncoderDescription, Latency } from '../encoder/runtime.js';
import { CONFIGURATIONS, type Configuration, chooseConfigurations } from '../evaluation/configurations.js';
import { drawDistractors, poolOfEntities, readPool } from '../evaluation/distractors.js';
import { type Manifest, openManifest, type Utterance } from '../evaluation/manifest.js';
import { Progress } from '../evaluation/progress.js';
import { formatReport, formatTranscripts, makeReport, type ReportFacts } from '../evaluation/report.js';
import { type ConfigurationResult, run } from '../evaluation/run.js';
import type { WorkerPool } from '../session/pool.js';
import { chooseLatency } from '../session/start.js';
import { packageRoot } from '../util/package-root.js';
import { startWorkers } from './compose.js';

interface EvalOptions {
  readonly manifest: string;
  readonly distractors?: string;
  readonly n: number;
  readonly configs: string;
  readonly limit?: number;
  readonly chunk?: number;
  readonly out?: string;
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
  .option('--n <number>', 'distractors per utterance', wholeFrom(0), 100)
  .option(
    '--configs <names>',
    `separated by commas, of ${CONFIGURATIONS.map(({ name }) => name).join(', ')}`,
    'none,adaptive',
  )
  .option('--limit <number>', 'only the first utterances', wholeFrom(1))
  .option('--chunk <ms>', 'latency, chunk and look-ahead together, as the model offers', wholeFrom(1))
  .option('--out <file>', 'write the report as JSON')
  .option('--transcripts <file>', 'write what was heard, tab-separated')
  .option('--seed <number>', 'of the draw of distractors', wholeFrom(0), 1)
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

async function evaluate(options: EvalOptions): Promise<void> {
  const configurations = chooseConfigurations(options.configs.split(',').map((name) => name.trim()));
  warnWithoutLanguageModel(configurations, options.model);
  const manifest = await openManifest(options.manifest);
  try {
    const lists = await drawLists(manifest, options);
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

/** The utterances to be evaluated, with their distractors. */
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
  const measured = new Map<string, ConfigurationResult>();
  for (const configuration of configurations) {
    measured.set(configuration.name, await measureOne(measurement, configuration, latency));
  }
  const report = makeReport(
    {
      model: { name: description.name, version: description.version },
      manifest: manifest.name,
      distractors: listFacts(lists, options),
      seed: options.seed,
      latencyMs: millisecondsOf(latency, description),
      endpoints: options.endpoints,
    },
    measured,
  );
  process.stdout.write(formatReport(report));
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(report, null, 2)}\n`);
  if (options.transcripts !== undefined) await writeFile(options.transcripts, formatTranscripts(measured));
}

async function measureOne(
  { manifest, lists, recognisers, options }: Measurement,
  configuration: Configuration,
  latency: Latency,
): Promise<ConfigurationResult> {
  const progress = new Progress(process.stderr, configuration.name, lists.size);
  try {
    return await run({
      manifest,
      recognisers,
      configuration,
      utterances: [...lists.keys()],
      distractors: (utterance) => lists.get(utterance)!,
      parallel: options.workers * STREAMS_PER_WORKER,
      latency,
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

/** Distractors of every utterance; says so where they are fewer than asked for. */
async function drawLists(manifest: Manifest, options: EvalOptions): Promise<Lists> {
  const pool =
    options.distractors === undefined
      ? poolOfEntities(manifest.utterances)
      : await readPool(options.distractors);
  const lists = new Map(
    manifest.utterances
      .slice(0, options.limit)
      .map((utterance) => [utterance, drawDistractors(pool, utterance, options)] as const),
  );
  const { source, least } = listFacts(lists, options);
  if (least < options.n) {
    const help = options.distractors === undefined ? '; give --distractors FILE for more' : '';
    process.stderr.write(
      `eval: ${source} yield only ${least} distractors for some utterances where ${options.n} were asked for${help}\n`,
    );
  }
  return lists;
}

function listFacts(lists: Lists, { distractors, n }: EvalOptions): ReportFacts['distractors'] {
  const sizes = [...lists.values()].map((list) => list.length);
  const source = distractors === undefined ? 'entities' : basename(distractors);
  return { source, n, least: Math.min(...sizes), most: Math.max(...sizes) };
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
