import { createLogger } from '../observability/logger.js';
import { startTracing } from '../observability/tracing.js';
import { openAccess } from './access.js';
import { startService } from './compose.js';
import type { ServeSettings } from './settings.js';

/** Runs the gateway until a signal; a second one does not wait. */
export async function serve(settings: ServeSettings): Promise<void> {
  const begun = performance.now();
  const logger = createLogger(settings.logLevel);
  const warn = (what: string): void => logger.warn({}, what);
  const access = await openAccess(settings);
  for (const warning of access.warnings) warn(warning);
  const tracing = await startTracing(process.env);
  const watchers = tracing === undefined ? [] : [tracing.watch];
  const service = await startService(settings, access.options, { logger, watchers });
  // before it says that it is there: whoever reads that may end it at once
  const stopAsked = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const { name, version } = service.pool.description;
  const seconds = ((performance.now() - begun) / 1000).toFixed(2);
  process.stdout.write(
    `lexigate listens on ${service.url} (model ${name} ${version}, ${settings.workers} workers, ready in ${seconds} s)\n`,
  );
  process.stdout.write(`captions in a browser: ${new URL('/', service.url.replace(/^ws/, 'http'))}\n`);
  if (settings.record !== undefined) {
    // whatever the level of the log: who speaks has to be told
    process.stdout.write(
      `every session is recorded to ${settings.record}, speech and text, up to ${settings.maxRecordBytes} bytes (--record)\n`,
    );
  }
  access.watch(service.gateway, warn);
  process.on('SIGHUP', () => void access.reload(service.gateway, warn));
  await stopAsked;
  const open = service.gateway.sessions;
  if (open > 0) {
    process.stdout.write(
      `stopping; ${open} session${open === 1 ? ' has' : 's have'} ${settings.graceSeconds} s to finish, a second signal ends them\n`,
    );
  }
  const force = (): void => process.exit(1);
  process.once('SIGTERM', force);
  process.once('SIGINT', force);
  await service.stop({ graceMs: settings.graceSeconds * 1000 });
  access.close();
  await tracing?.stop();
  process.off('SIGTERM', force);
  process.off('SIGINT', force);
}
