/**
 * What watching costs: one sentence recognised over and over in this process, by turns with metrics and without, compared
 * by processor time; what a session's events cost on the main thread; and a page of metrics.
 *
 *   npm run observation -- [--json] [--rounds 40]
 *
 * The ratio is of turns in one run, so that a machine that is busy with other things weighs on both alike.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readAudioFile } from '../src/cli/audio-file.js';
import { loadLanguageModel } from '../src/decoder/language-bundle.js';
import { NgramModel } from '../src/decoder/ngram.js';
import { Batcher } from '../src/encoder/batcher.js';
import { OnnxEncoder } from '../src/encoder/onnx.js';
import { Exposition } from '../src/observability/exposition.js';
import { GatewayMetrics } from '../src/observability/gateway-metrics.js';
import { logSessions, SILENT } from '../src/observability/logger.js';
import { RecognitionMetrics } from '../src/observability/recognition-metrics.js';
import { together } from '../src/observability/session-event.js';
import { ERROR_CODES } from '../src/protocol/errors.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { toConfig } from '../src/session/start.js';
import { Transcriber, type TranscriberResources } from '../src/session/transcriber.js';
import { packageRoot } from '../src/util/package-root.js';
import { percentiles } from './statistics.js';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '40' } },
});
const rounds = Number(values.rounds);
const model = join(packageRoot(), 'models', 'en-base');
const encoder = await OnnxEncoder.load(model);
const languageModel = NgramModel.fromBuffer((await loadLanguageModel(model))!);
const speech = await readAudioFile(join(packageRoot(), 'samples', 'after.wav'));
const config = toConfig(
  { type: 'start', audio: speech.format, vocabulary: ['Siobhan Kowalczyk'] },
  encoder.description.latencies[0]!,
  DEFAULT_LIMITS,
);

const metrics = new RecognitionMetrics({ waitingSteps: () => 0, keptListBytes: () => 0 });
const unwatched: TranscriberResources = { batcher: new Batcher(encoder), languageModel };
const watched: TranscriberResources = {
  batcher: new Batcher(encoder, { observe: (waits, seconds) => metrics.batch(waits, seconds) }),
  languageModel,
  metrics,
};

/** Processor milliseconds of everything in this process, for one sentence in packets of 100 ms. */
async function recognise(resources: TranscriberResources): Promise<number> {
  const { user, system } = process.cpuUsage();
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  const { transcriber } = await Transcriber.open(config, resources, ({ type }) => {
    if (type === 'stopped') resolve();
  });
  const packet = speech.format.sampleRate / 5;
  for (let at = 0; at < speech.bytes.length; at += packet) {
    transcriber.command({ type: 'audio', bytes: speech.bytes.slice(at, at + packet) });
  }
  transcriber.command({ type: 'boundary', boundary: { type: 'stop' } });
  await promise;
  transcriber.close();
  const used = process.cpuUsage({ user, system });
  return (used.user + used.system) / 1000;
}

/** Microseconds of an action, of many. */
function micro(action: () => void, times = 200_000): number {
  for (let i = 0; i < times / 10; i++) action();
  const begun = performance.now();
  for (let i = 0; i < times; i++) action();
  return Math.round(((performance.now() - begun) * 1e5) / times) / 100;
}

for (const resources of [unwatched, watched]) await recognise(resources);
const ratios: number[] = [];
const milliseconds: number[] = [];
for (let round = 0; round < rounds; round++) {
  // who comes second in a turn has the warmer cache
  const first = round % 2 === 0;
  const one = await recognise(first ? unwatched : watched);
  const two = await recognise(first ? watched : unwatched);
  ratios.push(first ? two / one : one / two);
  milliseconds.push(first ? one : two);
}

const build = { version: '', model: '', modelVersion: '' };
const gateway = new GatewayMetrics({ errorCodes: ERROR_CODES, build });
const observe = together([gateway.watch, logSessions(SILENT)])({ path: '/v1/stream', headers: {} });
const collect = async () => [await gateway.snapshot(), await metrics.snapshot(), await metrics.snapshot()];
const pages: number[] = [];
for (let i = 0; i < 50; i++) {
  const begun = performance.now();
  await new Exposition(collect).expose();
  pages.push(performance.now() - begun);
}

const report = {
  sentenceCpuMs: percentiles(milliseconds).p50,
  watchedToUnwatched: Math.round(percentiles(ratios.map((ratio) => ratio * 1000)).p50) / 1000,
  stageMicroseconds: micro(() => metrics.stage('decoder', 0.001)),
  audioEventMicroseconds: micro(() => observe({ type: 'received', seconds: 0.1 })),
  sentEventMicroseconds: micro(() => observe({ type: 'sent', seconds: 0.0001 })),
  pageMs: percentiles(pages).p50,
};
await encoder.close();
console.log(values.json ? JSON.stringify(report) : report);
