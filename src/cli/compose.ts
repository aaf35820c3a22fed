import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { deepgramEndpoint } from '../compat/deepgram.js';
import { SHERPA_ROOT_PATH, sherpaEndpoint } from '../compat/sherpa.js';
import { voskEndpoint } from '../compat/vosk.js';
import { loadLanguageModel } from '../decoder/language-bundle.js';
import { Gateway } from '../server/gateway.js';
import { readPage } from '../server/page.js';
import { DEFAULT_LIMITS, type SessionLimits } from '../session/limits.js';
import { nativeEndpoint } from '../session/native.js';
import { WorkerPool } from '../session/pool.js';
import { packageRoot } from '../util/package-root.js';
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
export async function startWorkers({
  model,
  maxBatch,
  workers,
}: Pick<ServeSettings, 'model' | 'maxBatch' | 'workers'>): Promise<WorkerPool> {
  const workerData: WorkerSettings = { model, maxBatch, languageModel: await loadLanguageModel(model) };
  const spawn = (): Worker => new Worker(new URL('./worker.js', import.meta.url), { workerData });
  return WorkerPool.start(spawn, { workers });
}

/** Puts a gateway together: here, and nowhere else, is known which classes do it. */
export async function startService(settings: ServeSettings): Promise<Service> {
  const page = await readPage(join(packageRoot(), 'build', 'page'));
  const pool = await startWorkers(settings);
  const { host, port, maxConnections } = settings;
  const limits = limitsOf(settings);
  const environment = { recognisers: pool, limits };
  const gateway = await Gateway.start({
    endpoints: [
      nativeEndpoint(environment),
      deepgramEndpoint(environment),
      voskEndpoint(environment),
      sherpaEndpoint(environment),
      sherpaEndpoint(environment, SHERPA_ROOT_PATH),
    ],
    page,
    host,
    port,
    maxConnections,
    // frames above the session's own limit still get an error that says so
    maxPayload: 4 * limits.maxFrameBytes,
  }).catch(async (reason: unknown) => {
    await pool.stop();
    throw reason;
  });
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

function limitsOf(settings: ServeSettings): SessionLimits {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof SessionLimits)[];
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as unknown as SessionLimits;
}
