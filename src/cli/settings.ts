import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LOG_LEVELS, type LogLevel } from '../observability/logger.js';
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from '../server/limits.js';
import { DEFAULT_LIMITS, type SessionLimits } from '../session/limits.js';
import { packageRoot } from '../util/package-root.js';

/** Everything that `lexigate serve` can be told. */
export interface ServeSettings extends SessionLimits, ServerLimits, AccessSettings {
  readonly host: string;
  readonly port: number;
  readonly model: string;
  readonly workers: number;
  readonly maxBatch: number;
  readonly graceSeconds: number;
  readonly logLevel: LogLevel;
  /** Folder of recordings; docs/recording.md. */
  readonly record: string | undefined;
  readonly maxRecordBytes: number;
}

/** Who may come, and how; docs/access.md. */
export interface AccessSettings {
  readonly keyFile: string | undefined;
  readonly tokenSecretFile: string | undefined;
  readonly maxTokenSeconds: number;
  /** Separated by commas. */
  readonly allowOrigin: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly trustProxy: boolean;
  readonly insecurePublic: boolean;
}

export interface Setting {
  readonly key: keyof ServeSettings;
  readonly argument: string;
  readonly description: string;
  readonly parse: (text: string) => Value;
  /** Undefined: not set unless given. */
  readonly value: Value | undefined;
}

type Value = string | number | boolean;

/** Each setting once: its flag, environment variable and place in the config file follow from its key. */
export const SETTINGS: readonly Setting[] = [
  text('host', 'address', 'address to listen on', '127.0.0.1'),
  number('port', 'TCP port, 0 for any free one', 8080, 0, 65_535),
  text('model', 'folder', 'folder of the model bundle', join(packageRoot(), 'models', 'en-base')),
  number('workers', 'recognition threads', availableParallelism(), 1, 256),
  number('maxBatch', 'streams per encoder run', 8, 1, 256),
  text('keyFile', 'file', 'keys that clients need, made with "lexigate keys add"'),
  text('tokenSecretFile', 'file', 'secret of 32 bytes or more that signs tokens; else made up at each start'),
  number('maxTokenSeconds', 'longest life of a token', 3600, 1, 86_400),
  text(
    'allowOrigin',
    'origins',
    'web pages that may connect besides the own, for example https://app.example',
  ),
  text('tlsCert', 'file', 'certificate chain, PEM; with --tls-key the gateway speaks wss and https'),
  text('tlsKey', 'file', 'private key of the certificate, PEM'),
  flag(
    'trustProxy',
    'a proxy that ends TLS is the only one who can reach the port; believe its X-Forwarded-Host',
  ),
  flag('insecurePublic', 'let everybody in who can reach the port, without keys'),
  number(
    'maxConnections',
    'connections at a time; more get HTTP 503',
    DEFAULT_SERVER_LIMITS.maxConnections,
    1,
    100_000,
  ),
  number(
    'maxConnectionsPerKey',
    'connections of a key at a time; more get HTTP 429',
    DEFAULT_SERVER_LIMITS.maxConnectionsPerKey,
    1,
    100_000,
  ),
  number('maxHandshakes', 'TCP connections besides those', DEFAULT_SERVER_LIMITS.maxHandshakes, 1, 100_000),
  number(
    'handshakeSeconds',
    'seconds for a TLS handshake or an HTTP request',
    DEFAULT_SERVER_LIMITS.handshakeSeconds,
    1,
    3600,
  ),
  number('pingSeconds', 'seconds between pings', DEFAULT_SERVER_LIMITS.pingSeconds, 1, 3600),
  number(
    'maxFrameBytes',
    'largest frame from a client',
    DEFAULT_LIMITS.maxFrameBytes,
    1024,
    64 * 1024 * 1024,
  ),
  number(
    'maxBufferedSeconds',
    'audio waiting to be decoded before the socket is paused',
    DEFAULT_LIMITS.maxBufferedSeconds,
    3,
    3600,
  ),
  number(
    'maxInputBytes',
    'bytes of audio and updates waiting before the socket is paused',
    DEFAULT_LIMITS.maxInputBytes,
    64 * 1024,
    1024 ** 3,
  ),
  number(
    'burstSeconds',
    'audio that may come faster than it was spoken',
    DEFAULT_LIMITS.burstSeconds,
    1,
    86_400,
  ),
  number('maxSpeed', 'seconds of audio taken per second beyond that', DEFAULT_LIMITS.maxSpeed, 1, 1000),
  number('maxEntries', 'entries of a vocabulary', DEFAULT_LIMITS.maxEntries, 1, 100_000),
  number('maxEntryLength', 'characters of an entry', DEFAULT_LIMITS.maxEntryLength, 2, 100),
  number(
    'maxUpdatesPerSecond',
    'vocabulary updates of a session',
    DEFAULT_LIMITS.maxUpdatesPerSecond,
    1,
    1000,
  ),
  number(
    'maxPendingRequests',
    'unanswered flushes, marks and updates of a session',
    DEFAULT_LIMITS.maxPendingRequests,
    1,
    100_000,
  ),
  number(
    'coalesceBytes',
    'bytes waiting for a slow reader before partials wait too',
    DEFAULT_LIMITS.coalesceBytes,
    0,
    1024 ** 3,
  ),
  number(
    'maxOutputBytes',
    'bytes that may wait for a slow reader',
    DEFAULT_LIMITS.maxOutputBytes,
    1024,
    1024 ** 3,
  ),
  number(
    'overloadSeconds',
    'how far recognition may be behind before partials come less often',
    DEFAULT_LIMITS.overloadSeconds,
    1,
    3600,
  ),
  number(
    'idleSeconds',
    'seconds without a frame before a session is closed',
    DEFAULT_LIMITS.idleSeconds,
    1,
    86_400,
  ),
  number('maxSessionSeconds', 'longest session', DEFAULT_LIMITS.maxSessionSeconds, 1, 7 * 86_400),
  number(
    'startSeconds',
    'seconds between a connection and its "start"',
    DEFAULT_LIMITS.startSeconds,
    1,
    3600,
  ),
  number(
    'resumeSeconds',
    'seconds that a session without a connection is kept; 0: not at all',
    DEFAULT_LIMITS.resumeSeconds,
    0,
    3600,
  ),
  number(
    'resumeBytes',
    'characters of messages kept for a client that comes back',
    DEFAULT_LIMITS.resumeBytes,
    1024,
    1024 ** 3,
  ),
  number('maxSuspended', 'sessions without a connection', DEFAULT_LIMITS.maxSuspended, 0, 100_000),
  number(
    'maxReplayBytes',
    'audio kept of a session for when its worker dies; 0: the session then ends',
    DEFAULT_LIMITS.maxReplayBytes,
    0,
    1024 ** 3,
  ),
  text('record', 'folder', 'record every session, its speech included, to be replayed'),
  number(
    'maxRecordBytes',
    'bytes of all recordings together; beyond it recordings end',
    1024 ** 3,
    1024,
    2 ** 50,
  ),
  number('graceSeconds', 'seconds that open sessions have to finish at shutdown', 30, 0, 86_400),
  choice('logLevel', 'what is logged, as JSON lines on the standard error output', 'info', LOG_LEVELS),
];

function text(key: keyof ServeSettings, argument: string, description: string, value?: string): Setting {
  const parse = (given: string): string => {
    if (given.trim() === '') throw new InvalidArgumentError('It is empty.');
    return given;
  };
  return { key, argument, description, parse, value };
}

function choice(
  key: keyof ServeSettings,
  description: string,
  value: string,
  choices: readonly string[],
): Setting {
  const parse = (given: string): string => {
    if (!choices.includes(given)) throw new InvalidArgumentError(`Give one of ${choices.join(', ')}.`);
    return given;
  };
  return { key, argument: choices.join('|'), description, parse, value };
}

function flag(key: keyof ServeSettings, description: string): Setting {
  const parse = (given: string): boolean => {
    if (given !== 'true' && given !== 'false') throw new InvalidArgumentError('Give true or false.');
    return given === 'true';
  };
  return { key, argument: 'true', description, parse, value: false };
}

function number(
  key: keyof ServeSettings,
  description: string,
  value: number,
  least: number,
  most: number,
): Setting {
  const parse = (given: string): number => {
    const parsed = Number(given);
    if (given.trim() === '' || !Number.isInteger(parsed) || parsed < least || parsed > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return parsed;
  };
  return { key, argument: 'number', description, parse, value };
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Adds a flag per setting, with its environment variable. */
export function addSettings(command: Command): Command {
  for (const { key, argument, description, parse, value } of SETTINGS) {
    const name = kebab(key);
    // a flag needs no value, but environment and config file have to give it one
    const given = typeof value === 'boolean' ? `[${argument}]` : `<${argument}>`;
    command.addOption(
      new Option(`--${name} ${given}`, description)
        .env(`LEXIGATE_${name.replaceAll('-', '_').toUpperCase()}`)
        .default(value)
        .preset('true')
        .argParser(parse),
    );
  }
  return command.addOption(
    new Option('--config <file>', 'JSON file with any of these settings, by their names in camelCase').env(
      'LEXIGATE_CONFIG',
    ),
  );
}

/** Flags before environment, environment before file, file before defaults. */
export function readSettings(command: Command): ServeSettings {
  const options = command.opts<ServeSettings & { config?: string }>();
  const file = options.config === undefined ? {} : readConfig(options.config);
  const known = new Set<string>(SETTINGS.map(({ key }) => key));
  const unknown = Object.keys(file).find((key) => !known.has(key));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `${options.config}: there is no setting "${unknown}"; known are ${[...known].join(', ')}.`,
    );
  }
  const resolved = SETTINGS.map(({ key, parse }) => {
    const source = command.getOptionValueSource(key);
    const fromFile = (source === 'default' || source === undefined) && file[key] !== undefined;
    return [key, fromFile ? parseInFile(options.config!, key, file[key], parse) : options[key]];
  });
  return Object.fromEntries(resolved) as unknown as ServeSettings;
}

function readConfig(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, unknown>>;
    }
  } catch (cause) {
    throw new InvalidArgumentError(
      `${path} cannot be read as JSON: ${cause instanceof Error ? cause.message : String(cause)}.`,
    );
  }
  throw new InvalidArgumentError(`${path} holds no JSON object.`);
}

function parseInFile(path: string, key: string, value: unknown, parse: Setting['parse']): Value {
  try {
    return parse(String(value));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : '';
    throw new InvalidArgumentError(`${path}: "${key}" is ${JSON.stringify(value)}. ${why}`);
  }
}
