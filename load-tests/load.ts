/**
 * Many streams at once, paced like microphones, over real sockets from this process.
 *
 *   npm run load -- --streams N --seconds S [--latency MS] [--url ws://...] [--key KEY] [--vocabulary FILE]
 *                   [--update-every S [--patch]] [--churn R] [--json]
 *   npm run load -- --scenario caption-page|call-centre|vocabulary-storm|churn [...]
 *   npm run load -- --find-max --p95-ms 400 [...]
 *
 * Without --url a gateway is started in another process, and what it uses is measured. Each stream speaks utterances
 * over and over in one session, a flush behind each, and its finals are compared with what the idle gateway made of the
 * same track. --update-every gives each stream a new list every S seconds (--vocabulary and an entry of its own; with --patch
 * only that entry is sent); --churn
 * opens and cuts R connections a second besides. --entries N makes a list up. --manifest FILE speaks a development set
 * instead of the two bundled sentences.
 */
import { parseArgs } from 'node:util';
import { readVocabularyFile } from '../src/cli/vocabulary-file.js';
import { serve } from './gateway-process.js';
import { findMax } from './load/find-max.js';
import type { Reference } from './load/reference.js';
import { reportOf, tell } from './load/report.js';
import { busy, type Load, listen, type Measured, run } from './load/run.js';
import { SCENARIOS } from './load/scenarios.js';
import { readSpeech } from './load/speech.js';
import { percentiles } from './statistics.js';
import { madeUpEntries } from './vocabulary.js';

const { values } = parseArgs({
  options: {
    streams: { type: 'string' },
    seconds: { type: 'string', default: '20' },
    latency: { type: 'string' },
    url: { type: 'string' },
    key: { type: 'string' },
    vocabulary: { type: 'string' },
    entries: { type: 'string' },
    'update-every': { type: 'string' },
    patch: { type: 'boolean', default: false },
    churn: { type: 'string' },
    manifest: { type: 'string' },
    scenario: { type: 'string' },
    'find-max': { type: 'boolean', default: false },
    'p95-ms': { type: 'string', default: '400' },
    serve: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
  },
});

type Flag = 'streams' | 'seconds' | 'latency' | 'entries' | 'update-every' | 'churn' | 'p95-ms';

function given(name: Flag): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} is ${JSON.stringify(text)}; give a number above 0`);
  return value;
}

const name = values.scenario;
const scenario = name === undefined ? undefined : SCENARIOS[name];
if (name !== undefined && scenario === undefined) {
  throw new Error(`--scenario is ${JSON.stringify(name)}; give one of ${Object.keys(SCENARIOS).join(', ')}`);
}
const streams = given('streams') ?? scenario?.streams ?? (values['find-max'] ? 16 : 4);
const every = given('update-every');
const made = madeUpEntries(given('entries') ?? scenario?.entries ?? 0, 0);
const load: Load = {
  streams,
  seconds: given('seconds')!,
  speech: await readSpeech(scenario?.line ?? 'microphone', values.manifest),
  latencyMs: given('latency'),
  vocabulary: values.vocabulary === undefined ? made : await readVocabularyFile(values.vocabulary),
  updatesPerSecond: every === undefined ? (scenario?.updatesPerSecond ?? 0) : streams / every,
  patches: values.patch,
  churnPerSecond: given('churn') ?? scenario?.churnPerSecond ?? 0,
};

/** Connections that a gateway of ours takes besides the streams: those that are cut are noticed a moment later. */
const SPARE_CONNECTIONS = 200;

/** Against the gateway that was named, or one of its own that ends with the measurement. */
async function withGateway<T>(
  count: number,
  action: (gateway: { url: string; key?: string | undefined; pid?: number }) => Promise<T>,
): Promise<T> {
  if (values.url !== undefined) return action({ url: values.url, key: values.key });
  const limits = ['--max-connections', `${count + SPARE_CONNECTIONS}`, '--log-level', 'error'];
  const server = await serve(...limits, ...values.serve.flatMap((flag) => flag.split(' ')));
  try {
    return await action(server);
  } finally {
    await server.stop();
  }
}

let references: readonly Reference[] | undefined;

async function measure(count: number): Promise<Measured> {
  return withGateway(count, async (gateway) => {
    references ??= await listen(gateway, load);
    return run(gateway, { ...load, streams: count }, references);
  });
}

function print(count: number, measured: Measured): void {
  const counted = { ...load, streams: count };
  console.log(values.json ? JSON.stringify(reportOf(counted, measured)) : tell(counted, measured));
}

if (values['find-max']) {
  const limitMs = given('p95-ms')!;
  const found = await findMax(streams, async (count) => {
    const result = await measure(count);
    const { partial, lostFinals, textChanged, failed } = result.seen;
    const { p95 } = percentiles(partial);
    const holds = p95 <= limitMs && lostFinals + textChanged + failed === 0;
    const verdict = holds ? 'holds' : 'does not hold';
    console.error(`${count} streams: p95 ${p95} ms, ${Math.round(busy(result) * 100)} % busy: ${verdict}`);
    return { holds, busy: busy(result), result };
  });
  if (found === undefined) throw new Error(`not even one stream has a p95 of at most ${limitMs} ms here`);
  print(found.streams, found.result);
} else {
  print(streams, await measure(streams));
}
