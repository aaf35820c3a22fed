import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTracing, wantsTraces } from '../src/observability/tracing.js';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

test('traces are sent only where the environment says so', () => {
  for (const [env, wanted] of [
    [{}, false],
    [{ OTEL_SERVICE_NAME: 'captions' }, false],
    [ENDPOINT, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, true],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
    [{ OTEL_TRACES_EXPORTER: 'console' }, true],
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, false],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }, false],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'false' }, true],
  ] as const) {
    assert.is(wantsTraces(env), wanted, JSON.stringify(env));
  }
});

test('the SDK is not even looked for where no traces are wanted', async () => {
  const load = () => Promise.reject(new Error('it was looked for'));
  assert.is(await startTracing({}, load), undefined);
});

test('where traces are wanted and the SDK is not installed, that is said with what to do', async () => {
  const load = () => Promise.reject(new Error('Cannot find package'));
  const error = await startTracing(ENDPOINT, load).then(() => '', String);
  assert.match(error, /npm install @opentelemetry\/sdk-node.*OTEL_TRACES_EXPORTER=none/);
});

test.run();
