/**
 * The gateway beside other servers, in one run: the same utterances at the speed of speech through Lexigate, through
 * sherpa-onnx's own websocket server with the same weights, and through faster-whisper (Whisper base, int8) over a growing
 * buffer with local agreement. Each server is alone on the machine, but for the clients.
 *
 *   python3 -m venv VENV && VENV/bin/pip install -r load-tests/peers/requirements-servers.txt
 *   npm run load:peers -- --bin VENV/bin --sherpa-model NEMO --whisper-model WHISPER --manifest dev.tsv
 *                         [--p95-ms 1040,3000] [--utterances 16] [--only lexigate,sherpa-onnx,faster-whisper] [--json]
 *
 * NEMO is what training/export_nemo_ctc.py writes; WHISPER a folder with Whisper base in CTranslate2's form.
 * `--p95-ms`: bounds of the time from the end of a word to the message that shows it. The chunk and look-ahead of 640 ms
 * are in it, so 1040 is 400 beyond them.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { align } from '../../src/evaluation/alignment.js';
import { pipes } from '../../src/evaluation/table.js';
import { normaliseText, wordsOf } from '../../src/evaluation/text.js';
import { usage } from '../gateway-process.js';
import { findMax, type Trial } from '../load/find-max.js';
import { Pacer } from '../load/pacer.js';
import { readSpeech, type Speech } from '../load/speech.js';
import { percentiles, round } from '../statistics.js';
import { type Dialect, LEXIGATE, SHERPA, WHISPER } from './dialects.js';
import { type ServerProcess, startLexigate, startSherpa, startWhisper } from './server-process.js';
import { type Outcome, UtteranceStream } from './utterance-stream.js';

const { values } = parseArgs({
  options: {
    bin: { type: 'string' },
    'sherpa-model': { type: 'string' },
    'whisper-model': { type: 'string' },
    manifest: { type: 'string' },
    utterances: { type: 'string', default: '16' },
    'p95-ms': { type: 'string', default: '1040,3000' },
    only: { type: 'string', default: 'lexigate,sherpa-onnx,faster-whisper' },
    json: { type: 'boolean', default: false },
  },
});

interface System {
  readonly name: string;
  readonly dialect: Dialect;
  readonly start: () => Promise<ServerProcess>;
  /** Streams to begin the search with. */
  readonly from: number;
}

/** What a run with so many streams showed. */
interface Run {
  readonly streams: number;
  readonly wordMs: readonly number[];
  readonly firstPartialMs: readonly number[];
  readonly finalMs: readonly number[];
  readonly cpuSecondsPerAudioSecond: number;
  readonly rssMb: number;
  /** Share of the machine's processor time, the clients' included. */
  readonly busy: number;
  readonly failed: number;
  readonly wordErrors: number;
  readonly words: number;
}

function needed(name: 'bin' | 'sherpa-model' | 'whisper-model' | 'manifest'): string {
  const value = values[name];
  if (value === undefined)
    throw new Error(`--${name} is needed; the head of load-tests/peers/servers.ts says how`);
  return value;
}

const SYSTEMS: readonly System[] = [
  { name: 'lexigate', dialect: LEXIGATE, start: startLexigate, from: 24 },
  {
    name: 'sherpa-onnx',
    dialect: SHERPA,
    start: () => startSherpa(needed('bin'), needed('sherpa-model')),
    from: 16,
  },
  {
    name: 'faster-whisper',
    dialect: WHISPER,
    start: () => startWhisper(needed('bin'), needed('whisper-model')),
    from: 1,
  },
];

/** Streams begin spread over so many milliseconds. */
const SPREAD_MS = 3000;

/** What a server hears before it is measured: compiling and first allocations are not what a stream costs. */
const WARM_PACKETS = 30;

async function measure(
  { dialect, start }: System,
  streams: number,
  speech: Speech,
  offset: number,
): Promise<Run> {
  const server = await start();
  try {
    const pacer = new Pacer();
    const warm = speech.utterances
      .slice(0, 2)
      .map(({ packets }) => ({ packets: packets.slice(0, WARM_PACKETS), words: [] }));
    await Promise.all(warm.map((utterance) => UtteranceStream.say(server.url, dialect, utterance, pacer)));
    const before = usage(server.pid);
    const clientBefore = process.cpuUsage();
    const begun = performance.now();
    let rssMb = before.rssMb;
    const watching = setInterval(() => {
      rssMb = Math.max(rssMb, usage(server.pid).rssMb);
    }, 500);
    const said = Array.from(
      { length: streams },
      (_, i) => speech.utterances[(i + offset) % speech.utterances.length]!,
    );
    const outcomes = await Promise.all(
      said.map(async (utterance, i) => {
        await new Promise((resolve) => setTimeout(resolve, (i / streams) * SPREAD_MS));
        return UtteranceStream.say(server.url, dialect, utterance, pacer);
      }),
    );
    clearInterval(watching);
    const cpuSeconds = usage(server.pid).cpuSeconds - before.cpuSeconds;
    const client = process.cpuUsage(clientBefore);
    const wallSeconds = (performance.now() - begun) / 1000;
    const audioSeconds = said.reduce((sum, { packets }) => sum + packets.length, 0) / 10;
    const done = outcomes.filter((outcome) => outcome !== undefined);
    return {
      streams,
      wordMs: done.flatMap(({ wordMs }) => wordMs),
      firstPartialMs: done.flatMap(({ firstPartialMs }) => firstPartialMs ?? []),
      finalMs: done.map(({ finalMs }) => finalMs),
      cpuSecondsPerAudioSecond: cpuSeconds / audioSeconds,
      rssMb,
      busy: (cpuSeconds + (client.user + client.system) / 1e6) / (wallSeconds * cpus().length),
      failed: outcomes.length - done.length,
      ...errorsOf(said, outcomes),
    };
  } finally {
    await server.stop();
  }
}

/** Of the utterances that were answered. */
function errorsOf(
  said: Speech['utterances'],
  outcomes: readonly (Outcome | undefined)[],
): { wordErrors: number; words: number } {
  let wordErrors = 0;
  let words = 0;
  outcomes.forEach((outcome, i) => {
    if (outcome === undefined) return;
    const reference = said[i]!.words;
    const steps = align(reference, wordsOf(normaliseText(outcome.text)));
    wordErrors += steps.filter(({ type }) => type !== 'match').length;
    words += reference.length;
  });
  return { wordErrors, words };
}

interface Held {
  readonly boundMs: number;
  /** Undefined where one stream alone is over the bound. */
  readonly run: Run | undefined;
}

interface Result {
  readonly system: System;
  readonly held: readonly Held[];
  readonly alone: Run;
  readonly wer: number;
}

/** Runs are kept: what was tried for one bound tells about the next. */
async function examine(system: System, bounds: readonly number[]): Promise<Result> {
  const speech = await readSpeech(system.dialect.line, needed('manifest'), Number(values.utterances));
  const runs = new Map<number, Run>();
  const tried = async (streams: number): Promise<Run> => {
    const known = runs.get(streams);
    if (known !== undefined) return known;
    // the next runs say other utterances first, so that few streams do not mean few words
    const offset = [...runs.values()].reduce((sum, run) => sum + run.streams, 0);
    const run = await measure(system, streams, speech, offset);
    runs.set(streams, run);
    const { p95 } = percentiles(run.wordMs);
    process.stderr.write(
      `${system.name}: ${streams} streams, p95 ${p95} ms, ${Math.round(run.busy * 100)} % busy, ${run.failed} failed\n`,
    );
    return run;
  };
  const held: Held[] = [];
  const alone = await tried(1);
  for (const boundMs of bounds) {
    const attempt = async (streams: number): Promise<Trial<Run>> => {
      const run = await tried(streams);
      const holds = run.failed === 0 && percentiles(run.wordMs).p95 <= boundMs;
      return { holds, busy: run.busy, result: run };
    };
    const from = (await attempt(1)).holds ? system.from : 0;
    const found = await findMax(from, attempt);
    held.push({ boundMs, run: found?.result });
  }
  const all = [...runs.values()];
  const words = all.reduce((sum, run) => sum + run.words, 0);
  return { system, held, alone, wer: all.reduce((sum, run) => sum + run.wordErrors, 0) / words };
}

function rowOf({ system, held, alone, wer }: Result): string[] {
  const most = held.map(({ run }) => run).find((run) => run !== undefined) ?? alone;
  const { p50, p95 } = percentiles(alone.wordMs);
  const first = percentiles(most.firstPartialMs);
  return [
    system.name,
    ...held.map(({ run }) => (run === undefined ? '0' : `${run.streams}`)),
    `${Math.round(p50)} / ${Math.round(p95)} ms`,
    `${Math.round(first.p50)} / ${Math.round(first.p95)} ms`,
    most.cpuSecondsPerAudioSecond.toFixed(3),
    `${Math.round(alone.rssMb)} MB`,
    most.streams > 1 ? `${round((most.rssMb - alone.rssMb) / (most.streams - 1))} MB` : '',
    `${(wer * 100).toFixed(1)} %`,
  ];
}

const bounds = values['p95-ms'].split(',').map(Number);
const wanted = values.only.split(',');
const results: Result[] = [];
for (const system of SYSTEMS) if (wanted.includes(system.name)) results.push(await examine(system, bounds));
const header = [
  'server',
  ...bounds.map((bound) => `streams held, p95 <= ${bound} ms`),
  'word to message, one stream (p50 / p95)',
  'first words, at that load (p50 / p95)',
  'processor s per audio s',
  'memory, one stream',
  'each further',
  'WER',
];
console.log(
  values.json
    ? JSON.stringify(
        results.map(({ system, held, alone, wer }) => ({
          server: system.name,
          held: held.map(({ boundMs, run }) => ({ boundMs, streams: run?.streams ?? 0 })),
          oneStreamWordMs: percentiles(alone.wordMs),
          wer,
        })),
      )
    : pipes(header, results.map(rowOf)).join('\n'),
);
