import fc from 'fast-check';
import { concatMap, from, map, of, Subject, tap } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Exposition } from '../src/observability/exposition.js';
import { GatewayMetrics } from '../src/observability/gateway-metrics.js';
import { RecognitionMetrics } from '../src/observability/recognition-metrics.js';
import { type SessionEvent, together } from '../src/observability/session-event.js';
import { counted, sum } from '../src/observability/snapshot.js';
import { STAGES } from '../src/observability/stages.js';
import { timed } from '../src/observability/timed.js';
import { samplesOf } from './metrics-support.js';

const test = suite('metrics');

const STARTED: SessionEvent = {
  type: 'started',
  sessionId: 'x',
  encoding: 's16le',
  sampleRate: 16_000,
  channels: 1,
  latencyMs: 640,
  entries: 0,
};

function gatewayMetrics(): GatewayMetrics {
  const build = { version: '1', model: 'm', modelVersion: '2' };
  return new GatewayMetrics({ errorCodes: ['internal'], build });
}

function recognitionMetrics(): RecognitionMetrics {
  return new RecognitionMetrics({ waitingSteps: () => 3, keptListBytes: () => 1000 });
}

test('a timed operator gives what the operator gives, and tells a time for each item', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer())), (items) => {
      const times: number[] = [];
      const operator = concatMap((item: number[]) => from(item));
      const heard: number[] = [];
      from(items)
        .pipe(timed(operator, (seconds) => times.push(seconds)))
        .subscribe((value) => heard.push(value));
      assert.equal(heard, items.flat());
      assert.is(times.length, items.length);
    }),
  );
});

test('the time is that of the operator, without what comes behind it', () => {
  let clock = 0;
  const times: number[] = [];
  const takes = <T>(ms: number) => tap<T>(() => (clock += ms));
  of(1, 2)
    .pipe(
      timed(
        (source) =>
          source.pipe(
            takes(3),
            concatMap((each) => of(each, each)),
          ),
        (seconds) => times.push(seconds),
        () => clock,
      ),
      takes(100),
    )
    .subscribe();
  assert.equal(times, [0.003, 0.003]);
});

test('a timed operator passes errors and the end, and lets go of its source', () => {
  const source = new Subject<number>();
  const told: unknown[] = [];
  const operator = timed(
    map((value: number) => {
      if (value < 0) throw new Error('below 0');
      return value;
    }),
    () => undefined,
  );
  const subscription = source.pipe(operator).subscribe({ next: (value) => told.push(value) });
  source.next(1);
  subscription.unsubscribe();
  assert.not(source.observed);
  source.pipe(operator).subscribe({ error: (reason) => told.push(String(reason)) });
  source.next(-1);
  of(2)
    .pipe(operator)
    .subscribe({ complete: () => told.push('end') });
  assert.equal(told, [1, 'Error: below 0', 'end']);
  assert.not(source.observed);
});

test('the threads together have every stage', async () => {
  const { text } = await new Exposition(async () => [
    await gatewayMetrics().snapshot(),
    await recognitionMetrics().snapshot(),
  ]).expose();
  for (const stage of STAGES)
    assert.is(samplesOf(text).get(`lexigate_stage_seconds_count{stage="${stage}"}`), 0);
});

test('workers are added up, and what a dead one counted stays, but not how full it was', async () => {
  const [one, two] = [recognitionMetrics(), recognitionMetrics()];
  one.final({ hits: 2, changed: true });
  one.final({ hits: 0, changed: false });
  two.final({ hits: 1, changed: undefined });
  two.batch([0.001, 0.002], 0.03);
  const snapshots = [await sum([[], counted(await one.snapshot())]), await two.snapshot()];
  const samples = samplesOf((await new Exposition(async () => snapshots).expose()).text);
  assert.is(samples.get('lexigate_finals_total'), 3);
  assert.is(samples.get('lexigate_entity_hits_total'), 3);
  assert.is(samples.get('lexigate_finals_explained_total'), 2);
  assert.is(samples.get('lexigate_finals_changed_total'), 1);
  assert.is(samples.get('lexigate_encoder_wait_seconds_count'), 2);
  assert.is(samples.get('lexigate_encoder_batch_streams_sum'), 2);
  assert.is(samples.get('lexigate_encoder_waiting_steps'), 3);
});

test('however often one asks, the threads are asked once a second', async () => {
  let asked = 0;
  let clock = 0;
  const collect = async () => {
    asked++;
    return [];
  };
  const exposition = new Exposition(collect, () => clock);
  await Promise.all([exposition.expose(), exposition.expose()]);
  clock = 999;
  await exposition.expose();
  assert.is(asked, 1);
  clock = 1000;
  await exposition.expose();
  assert.is(asked, 2);
});

test('sessions and waiting audio are back at nothing when sessions end, however they do', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('received' as const), seconds: fc.integer({ min: 1, max: 9 }) }),
    fc.constantFrom({ type: 'suspended' as const }, { type: 'resumed' as const }),
    fc.record({ type: fc.constant('decoded' as const), seconds: fc.integer({ min: 1, max: 9 }) }),
  );
  return fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), fc.array(step)), { maxLength: 5 }), async (sessions) => {
      const metrics = gatewayMetrics();
      const watch = together([metrics.watch]);
      for (const [starts, steps] of sessions) {
        const observe = watch({ path: '/v1/stream', headers: {} });
        if (starts) for (const event of [STARTED, ...steps]) observe(event);
        observe({ type: 'closed', code: undefined });
      }
      const { text } = await new Exposition(async () => [await metrics.snapshot()]).expose();
      const samples = samplesOf(text);
      assert.is(samples.get('lexigate_sessions'), 0);
      assert.is(samples.get('lexigate_sessions_suspended'), 0);
      assert.is(samples.get('lexigate_audio_waiting_seconds'), 0);
      const started = sessions.filter(([starts]) => starts).length;
      assert.is(samples.get('lexigate_sessions_started_total{path="/v1/stream"}') ?? 0, started);
    }),
    { numRuns: 20 },
  );
});

test('what sessions do is counted', async () => {
  const metrics = gatewayMetrics();
  const observe = metrics.watch({ path: '/vosk', headers: {} });
  const built = { version: 1, entries: 20, rejected: 2, buildMs: 4 };
  const final = { channel: 0, segment: 0, words: 4, entityWords: 2, reason: 'stop' };
  const events: SessionEvent[] = [
    STARTED,
    { type: 'opened', ...built },
    { type: 'updateAsked', id: '1' },
    { type: 'updateApplied', id: '1', ...built },
    { type: 'updateRefused', id: '2' },
    { type: 'paused', limit: 'maxSpeed' },
    { type: 'partial', channel: 0, segment: 0, lagMs: 0 },
    { type: 'coalesced' },
    { type: 'final', ...final, lagMs: 1500 },
    { type: 'sent', seconds: 0.001 },
    { type: 'suspended' },
    { type: 'resumed' },
    { type: 'suspended' },
    { type: 'error', code: 'internal' },
  ];
  for (const event of events) observe(event);
  const left = metrics.connected('/vosk');
  metrics.refused(429);
  metrics.dropped();
  const { text } = await new Exposition(async () => [await metrics.snapshot()]).expose();
  const samples = samplesOf(text);
  const expected = {
    'lexigate_connections{path="/vosk"}': 1,
    'lexigate_connections_refused_total{status="429"}': 1,
    lexigate_tcp_dropped_total: 1,
    lexigate_sessions: 1,
    lexigate_sessions_suspended: 1,
    lexigate_sessions_resumed_total: 1,
    lexigate_list_build_seconds_sum: 0.008,
    lexigate_list_entries_count: 2,
    lexigate_list_entries_rejected_total: 4,
    'lexigate_list_updates_total{outcome="applied"}': 1,
    'lexigate_list_updates_total{outcome="refused"}': 1,
    'lexigate_reading_paused_total{limit="maxSpeed"}': 1,
    lexigate_caption_lag_seconds_sum: 1.5,
    'lexigate_caption_lag_seconds_bucket{le="1"}': 1,
    lexigate_partials_coalesced_total: 1,
    'lexigate_stage_seconds_sum{stage="send"}': 0.001,
    'lexigate_errors_total{code="internal"}': 1,
  };
  for (const [name, value] of Object.entries(expected)) assert.is(samples.get(name), value, name);
  left();
  const after = samplesOf((await new Exposition(async () => [await metrics.snapshot()]).expose()).text);
  assert.is(after.get('lexigate_connections{path="/vosk"}'), 0);
});

test('a session without a list has built none', async () => {
  const metrics = gatewayMetrics();
  const observe = metrics.watch({ path: '/v1/stream', headers: {} });
  observe({ type: 'opened', version: 0, entries: 0, rejected: 0, buildMs: 0.01 });
  const { text } = await new Exposition(async () => [await metrics.snapshot()]).expose();
  assert.is(samplesOf(text).get('lexigate_list_build_seconds_count'), 0);
});

test.run();
