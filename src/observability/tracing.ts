import { ProxyTracerProvider, trace } from '@opentelemetry/api';
import type { WatchSessions } from './session-event.js';
import { traceSession } from './session-trace.js';

export interface Tracing {
  readonly watch: WatchSessions;
  /** Sends what is not sent yet. */
  stop(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether traces are wanted. OpenTelemetry's specification would send them to a collector on this machine where nothing
 * is said; a gateway that nobody told so sends nothing anywhere.
 */
export function wantsTraces(env: Environment): boolean {
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return false;
  const exporter = env['OTEL_TRACES_EXPORTER']?.trim();
  if (exporter !== undefined && exporter !== '') return exporter !== 'none';
  return ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'].some((name) => env[name]);
}

/**
 * Starts OpenTelemetry's SDK where the environment asks for traces. The SDK is 60 packages that few need, so it is no
 * dependency and loaded only here; it reads all else (exporter, sampler, limits, resource) from the environment itself.
 * @throws Error where it is asked for and not installed
 */
export async function startTracing(
  env: Environment,
  load = () => import('@opentelemetry/sdk-node'),
): Promise<Tracing | undefined> {
  if (!wantsTraces(env)) return undefined;
  if (registered()) return { watch: traceSession, stop: async () => undefined };
  const { NodeSDK } = await load().catch((cause: unknown) => {
    throw new Error(
      'The environment asks for traces (OTEL_…), and @opentelemetry/sdk-node is not installed; ' +
        'run "npm install @opentelemetry/sdk-node@0.223", or set OTEL_TRACES_EXPORTER=none.',
      { cause },
    );
  });
  const sdk = new NodeSDK({
    // metrics are Prometheus', logs are JSON lines
    metricReaders: [],
    logRecordProcessors: [],
    ...(env['OTEL_SERVICE_NAME'] === undefined && { serviceName: 'lexigate' }),
  });
  sdk.start();
  return { watch: traceSession, stop: () => sdk.shutdown() };
}

/** Whoever starts Node with `--import` of an SDK has one already. */
function registered(): boolean {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider && provider.getDelegateTracer('lexigate') !== undefined;
}
