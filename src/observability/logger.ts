import { destination, pino } from 'pino';
import type { SessionEvent, WatchSessions } from './session-event.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a room needs of a logger; pino's are such. Fields hold ids, numbers and codes, `err` an error of our own. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const nothing = (): void => undefined;

export const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Characters that may wait for a reader of the log that stands still; lines beyond are dropped, the gateway goes on. */
const MAX_WAITING = 1024 * 1024;

/** JSON lines on the standard error output. */
export function createLogger(level: LogLevel): Logger {
  const options = {
    level,
    // the level by its name, the time as people and collectors read it
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    base: { service: 'lexigate' },
    // no other members: what a library hangs on its errors may be a client's
    serializers: { err: errorFields },
  };
  return pino(options, destination({ dest: 2, sync: false, maxLength: MAX_WAITING }));
}

function errorFields(thrown: unknown): object {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  const { name, message, stack } = thrown;
  return { name, message, stack };
}

/** Writes down when sessions begin and end and what went wrong; of what is said in them, how much. */
export function logSessions(logger: Logger): WatchSessions {
  return ({ path, keyId }) => {
    const begun = performance.now();
    let session: object = { path, ...(keyId !== undefined && { keyId }) };
    let totals: object = {};
    return (event) => {
      if (event.type === 'started') {
        const { type: _, sessionId, ...start } = event;
        session = { sessionId, ...session };
        logger.info({ ...session, ...start }, 'session started');
      } else if (event.type === 'stopped') {
        const { type: _, ...counts } = event;
        totals = counts;
      } else if (event.type === 'closed') {
        const seconds = Math.round((performance.now() - begun) / 10) / 100;
        // a connection that started none, such as one that takes up the session of another
        if (!('sessionId' in session)) return;
        logger.info({ ...session, seconds, ...totals, closeCode: event.code }, 'session ended');
      } else logEvent(logger, session, event);
    };
  };
}

function logEvent(logger: Logger, session: object, event: SessionEvent): void {
  switch (event.type) {
    case 'error':
      if (event.cause !== undefined) logger.error({ ...session, err: event.cause }, 'session failed');
      else logger.info({ ...session, code: event.code }, 'client was told an error');
      return;
    case 'suspended':
    case 'resumed':
      logger.info(session, `session ${event.type}`);
      return;
    case 'paused':
      logger.debug({ ...session, limit: event.limit }, 'socket not read for a while');
      return;
    case 'opened':
    case 'updateApplied': {
      const { version, entries, rejected, buildMs } = event;
      logger.debug({ ...session, version, entries, rejected, buildMs }, 'list in force');
    }
  }
}
