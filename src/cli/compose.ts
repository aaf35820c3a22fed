import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { EVERYBODY } from '../access/authenticator.js';
import { deepgramEndpoint } from '../compat/deepgram.js';
import { SHERPA_ROOT_PATH, sherpaEndpoint } from '../compat/sherpa.js';
import { voskEndpoint } from '../compat/vosk.js';
import { loadLanguageModel } from '../decoder/language-bundle.js';
import { Exposition } from '../observability/exposition.js';
import { GatewayMetrics } from '../observability/gateway-metrics.js';
import { createLogger, type Logger, logSessions } from '../observability/logger.js';
import { together, type WatchSessions } from '../observability/session-event.js';
import { loadPhonetics } from '../phonetics/bundle.js';
import { ERROR_CODES } from '../protocol/errors.js';
import { Recorder } from '../recording/recorder.js';
import { Gateway } from '../server/gateway.js';
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from '../server/limits.js';
import { metricsRoute } from '../server/metrics-route.js';
import { readPage } from '../server/page.js';
import { DEFAULT_LIMITS, type SessionLimits } from '../session/limits.js';
import { nativeEndpoint } from '../session/native.js';
import { WorkerPool } from '../session/pool.js';
import type { RecogniserFactory } from '../session/recogniser.js';
import { RestartingRecognisers } from '../session/restarting.js';
import { packageRoot, packageVersion } from '../util/package-root.js';
import { type AccessOptions, OPEN_TO_THIS_MACHINE } from './access.js';
import { hashModel } from './model-hash.js';
import type { ServeSettings } from './settings.js';
import type { WorkerSettings } from './worker.js';

/** A running gateway with the workers behind it. */
export interface Service {
  readonly url: string;
  readonly pool: WorkerPool;
  readonly gateway: Gateway;
  stop(options: { graceMs: number }): Promise<void>;
}

/** The workers alone, for what needs no server. */
export async function startWorkers(
  { model, maxBatch, workers }: Pick<ServeSettings, 'model' | 'maxBatch' | 'workers'>,
  logger: Logger = createLogger('error'),
): Promise<WorkerPool> {
  const [languageModel, phonetics] = await Promise.all([loadLanguageModel(model), loadPhonetics(model)]);
  const workerData: WorkerSettings = { model, maxBatch, languageModel, phonetics };
  const spawn = (): Worker => new Worker(new URL('./worker.js', import.meta.url), { workerData });
  return WorkerPool.start(spawn, { workers, logger });
}

/** Who besides the metrics watches what the gateway does. */
export interface Watching {
  /** Absent: told is only what went wrong. */
  readonly logger?: Logger;
  readonly watchers?: readonly WatchSessions[];
}

/** Puts a gateway together: here, and nowhere else, is known which classes do it. */
export async function startService(
  settings: ServeSettings,
  access: AccessOptions = OPEN_TO_THIS_MACHINE,
  { logger = createLogger('error'), watchers = [] }: Watching = {},
): Promise<Service> {
  const page = await readPage(join(packageRoot(), 'build', 'page'));
  const pool = await startWorkers(settings, logger);
  const recognisers = await recordedIfAsked(settings, pool, logger).catch(async (reason: unknown) => {
    await pool.stop();
    throw reason;
  });
  const { host, port } = settings;
  const limits = pick<SessionLimits>(settings, DEFAULT_LIMITS);
  const { name, version } = pool.description;
  const metrics = new GatewayMetrics({
    errorCodes: ERROR_CODES,
    build: { version: packageVersion(), model: name, modelVersion: version },
  });
  const exposition = new Exposition(async () => [await metrics.snapshot(), ...(await pool.snapshots())]);
  const watch = together([metrics.watch, logSessions(logger), ...watchers]);
  const environment = { recognisers, limits, watch };
  // other protocols have no words for it
  const restarting = new RestartingRecognisers({
    recognisers,
    replaced: () => pool.replaced(),
    maxReplayBytes: limits.maxReplayBytes,
  });
  const { authenticator = EVERYBODY, trustProxy = false, routes = [] } = access;
  const gateway = await Gateway.start({
    endpoints: [
      nativeEndpoint({ ...environment, recognisers: restarting }),
      deepgramEndpoint(environment),
      voskEndpoint(environment),
      sherpaEndpoint(environment),
      sherpaEndpoint(environment, SHERPA_ROOT_PATH),
    ],
    page,
    ...access,
    routes: [...routes, metricsRoute({ authenticator, trustProxy, expose: () => exposition.expose() })],
    unready: () => (pool.running === 0 ? 'no recognition worker is running' : undefined),
    metrics,
    logger,
    ...pick<ServerLimits>(settings, DEFAULT_SERVER_LIMITS),
    host,
    port,
    // frames above the session's own limit still get an error that says so
    maxPayload: 4 * limits.maxFrameBytes,
  }).catch(async (reason: unknown) => {
    await pool.stop();
    throw reason;
  });
  metrics.look({ workers: () => pool.running, outputBytes: () => gateway.waitingBytes });
  return {
    url: gateway.url,
    pool,
    gateway,
    stop: async ({ graceMs }) => {
      await gateway.stop({ graceMs });
      await pool.stop();
    },
  };
}

async function recordedIfAsked(
  settings: ServeSettings,
  pool: WorkerPool,
  logger: Logger,
): Promise<RecogniserFactory> {
  const { record, maxRecordBytes, model } = settings;
  if (record === undefined) return pool;
  const { name, version } = pool.description;
  return Recorder.open({
    recognisers: pool,
    folder: record,
    maxBytes: maxRecordBytes,
    model: { name, version, files: await hashModel(model) },
    version: packageVersion(),
    tell: (what) => logger.warn({}, `recording: ${what}`),
  });
}

/** Of the settings, those that are named by `names`. */
function pick<T extends object>(settings: T, names: T): T {
  const keys = Object.keys(names) as (keyof T)[];
  return Object.fromEntries(keys.map((key) => [key, settings[key]])) as T;
}
