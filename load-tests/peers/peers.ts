/**
 * The decoder beside those of other projects, on the same log-probabilities: pyctcdecode, ctc-beam-decoder and
 * fast-ctc-decode. Every second sample tunes the weights, the others give the figures. One thread, one beam for all;
 * times are processor time.
 *
 *   python3 -m venv VENV && VENV/bin/pip install -r load-tests/peers/requirements.txt
 *   npm run peers -- --python VENV/bin/python --manifest dev.tsv --distractors FILE --arpa lm.arpa
 *
 * `--arpa` is what `lm.bin` was packed from (training/language/lm.py).
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { loadLanguageModel } from '../../src/decoder/language-bundle.js';
import { NgramModel } from '../../src/decoder/ngram.js';
import { OnnxEncoder } from '../../src/encoder/onnx.js';
import { readPool } from '../../src/evaluation/distractors.js';
import { openManifest } from '../../src/evaluation/manifest.js';
import { add, type Rates, rates, score } from '../../src/evaluation/score.js';
import { percent, pipes } from '../../src/evaluation/table.js';
import { normaliseText, wordsOf } from '../../src/evaluation/text.js';
import { packageRoot } from '../../src/util/package-root.js';
import type { Job, JobResult, Weights } from './jobs.js';
import { concatenate, encodeSamples, type Sample } from './log-probs.js';
import { decodeOurs } from './ours.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    manifest: { type: 'string' },
    distractors: { type: 'string' },
    arpa: { type: 'string' },
    every: { type: 'string', default: '1' },
    limit: { type: 'string', default: '1000000' },
    beam: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '60' },
    n: { type: 'string', default: '0,100,1000,10000' },
  },
});
const { manifest: manifestPath, distractors, arpa } = values;
if (manifestPath === undefined || distractors === undefined || arpa === undefined) {
  throw new Error(
    '--manifest, --distractors and --arpa are needed; the head of load-tests/peers/peers.ts says how',
  );
}
const SIZES = [null, ...values.n.split(',').map(Number)];
const beam = Number(values.beam);
const model = join(packageRoot(), 'models', 'en-base');
const encoder = await OnnxEncoder.load(model);
const { pieces, blank, name, version } = encoder.description;
const buffer = await loadLanguageModel(model);
if (buffer === undefined) throw new Error(`${model} has no language model; the peers are given one`);
const languageModel = NgramModel.fromBuffer(buffer);

const manifest = await openManifest(manifestPath);
const utterances = manifest.utterances
  .filter((_, i) => i % Number(values.every) === 0)
  .slice(0, Number(values.limit));
const samples = await encodeSamples(encoder, manifest, utterances, {
  pool: await readPool(distractors),
  n: Math.max(...SIZES.map(Number)),
  seed: 1,
});
await Promise.all([encoder.close(), manifest.close()]);
const width = pieces.length + 1;
const tuning = samples.flatMap((_, i) => (i % 2 === 0 ? i : []));
const reporting = samples.flatMap((_, i) => (i % 2 === 1 ? i : []));
const folder = await mkdtemp(join(tmpdir(), 'peers-'));
try {
  await writePeers(samples);
  const weights = await tuned();
  process.stdout.write(await report(weights));
} finally {
  await rm(folder, { recursive: true });
}

async function writePeers(all: readonly Sample[]): Promise<void> {
  const rows = concatenate(all.map((sample) => sample.rows));
  await writeFile(join(folder, 'samples.f32'), new Uint8Array(rows.buffer));
  const described = all.map((sample) => ({
    frames: sample.rows.length / width,
    entities: sample.utterance.entities,
    distractors: sample.distractors,
  }));
  await writeFile(join(folder, 'samples.json'), JSON.stringify({ pieces, samples: described }));
}

/** Results of jobs in their order. */
async function decode(jobs: readonly Job[]): Promise<JobResult[]> {
  const ours = jobs.map((job) =>
    job.decoder === 'lexigate' ? decodeOurs(samples, job, { pieces, blank, beam, languageModel }) : undefined,
  );
  const theirs = jobs.filter(({ decoder }) => decoder !== 'lexigate');
  if (theirs.length === 0) return ours.map((result) => result!);
  await writeFile(join(folder, 'jobs.json'), JSON.stringify(theirs));
  const script = join(packageRoot(), 'load-tests', 'peers', 'decode.py');
  await promisify(execFile)(values.python, [script, folder, arpa!, values.beam]);
  const results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')) as JobResult[];
  return ours.map((result) => result ?? results.shift()!);
}

/** Scores as `npm run eval` does. */
function scoreOf({ samples: indices, n }: Job, { texts }: JobResult): Rates {
  const counts = texts.map((text, i) => {
    const { utterance, distractors: drawn } = samples[indices[i]!]!;
    const { words, entities } = utterance;
    return score(words, wordsOf(normaliseText(text)), { entities, distractors: drawn.slice(0, n ?? 0) });
  });
  return rates(add(counts));
}

/**
 * Weights of the language model by the least WER without a list, then those of entries (and of unlisted words, which
 * most entries are) and how much is tried by the greatest F1 less WER with 100 distractors.
 */
async function tuned(): Promise<Readonly<Record<string, Weights>>> {
  const ours = await tune('lexigate', {
    models: grid([0.5, 0.65, 0.8, 1], [0, 1, 2]),
    entries: grid([-5, -4, -3], [0.8, 1.2, 1.8, 2.7]),
    unlisted: -4,
    tokens: [-8, -10],
  });
  const peers = {
    models: grid([0.3, 0.5, 0.7, 0.9], [-0.5, 0.5, 1.5]),
    entries: grid([-10, -4, 0], [10, 15, 20, 30, 45]),
    unlisted: -10,
    // the libraries' own bounds, ours, and wider
    tokens: [-5, -8, -10],
  };
  return {
    lexigate: ours,
    'ctc-beam-decoder': await tune('ctc-beam-decoder', peers),
    pyctcdecode: await tune('pyctcdecode', peers),
    // has none
    'fast-ctc-decode': { alpha: 0, beta: 0, unlisted: 0, entry: 0, tokens: 0 },
  };
}

async function tune(
  decoder: string,
  points: {
    readonly models: readonly (readonly number[])[];
    readonly entries: readonly (readonly number[])[];
    readonly unlisted: number;
    readonly tokens: readonly number[];
  },
): Promise<Weights> {
  const { unlisted } = points;
  const tokens = points.tokens[0]!;
  const model = await best(
    points.models.map(([alpha, beta]) =>
      jobOf(decoder, { alpha: alpha!, beta: beta!, unlisted, entry: 0, tokens }, null),
    ),
    ({ wer }) => -wer,
  );
  const entries = await best(
    points.entries.map(([offset, entry]) =>
      jobOf(decoder, { ...model, unlisted: offset!, entry: entry! }, 100),
    ),
    worthOfEntries,
  );
  return best(
    points.tokens.map((each) => jobOf(decoder, { ...entries, tokens: each }, 100)),
    worthOfEntries,
  );
}

function worthOfEntries({ f1, wer }: Rates): number {
  return f1 - wer;
}

async function best(jobs: readonly Job[], worth: (rates: Rates) => number): Promise<Weights> {
  const results = await decode(jobs);
  const worths = results.map((result, i) => worth(scoreOf(jobs[i]!, result)));
  const { weights } = jobs[worths.indexOf(Math.max(...worths))]!;
  process.stderr.write(`peers: ${jobs[0]!.decoder} ${JSON.stringify(weights)}\n`);
  return weights;
}

function jobOf(decoder: string, weights: Weights, n: number | null): Job {
  return { decoder, weights, n, samples: tuning, seconds: Number.MAX_VALUE };
}

function grid(first: readonly number[], second: readonly number[]): number[][] {
  return first.flatMap((a) => second.map((b) => [a, b]));
}

/** A table of one run: a line a decoder and size of list. */
async function report(weights: Readonly<Record<string, Weights>>): Promise<string> {
  const jobs = Object.entries(weights).flatMap(([decoder, each]) =>
    SIZES.filter((n) => n === null || decoder !== 'fast-ctc-decode').map(
      (n): Job => ({ decoder, weights: each, n, samples: reporting, seconds: Number(values.seconds) }),
    ),
  );
  // compiled before it is timed, as it is in a gateway that has been up for a second
  await decode(jobs.filter(({ decoder, n }) => decoder === 'lexigate' && (n === null || n === 100)));
  const results = await decode(jobs);
  const rows = jobs.map((job, i) => rowOf(job, results[i]!));
  const header = ['decoder', 'list', 'WER %', 'U-WER %', 'F1 %', 'µs a frame', 'list ms', 'utterances'];
  const used = Object.entries(weights).map(
    ([decoder, { alpha, beta, unlisted, entry, tokens }]) =>
      `${decoder}: language model ${alpha}, word ${beta}, unlisted ${unlisted}, entry ${entry}, tokens ${tokens}`,
  );
  const frames = reporting.reduce((sum, index) => sum + samples[index]!.rows.length / width, 0);
  return `${[
    `${manifest.name}: ${reporting.length} utterances (${frames} frames), weights from ${tuning.length} others; model ${name} ${version}, beam ${beam}, one thread of ${cpus()[0]?.model ?? 'an unknown processor'}.`,
    '',
    ...pipes(header, rows),
    '',
    ...used.map((line) => `- ${line}`),
  ].join('\n')}\n`;
}

function rowOf(job: Job, result: JobResult): string[] {
  const { wer, uWer, f1 } = scoreOf(job, result);
  const { texts, decodeSeconds, listSeconds } = result;
  const frames = job.samples
    .slice(0, texts.length)
    .reduce((sum, index) => sum + samples[index]!.rows.length / width, 0);
  return [
    job.decoder,
    job.n === null ? 'none' : `own and ${job.n}`,
    percent(wer),
    percent(uWer),
    percent(f1),
    ((decodeSeconds * 1e6) / frames).toFixed(0),
    job.n === null ? '' : ((listSeconds * 1000) / texts.length).toFixed(1),
    `${texts.length}`,
  ];
}
