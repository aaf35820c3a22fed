import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ACCESS_LIMITS_SCHEMA, type AccessLimits, firstFault } from './access-limits.js';

/** What is kept of a key: enough to know it when it comes, too little to make it. */
export interface KeyRecord {
  readonly id: string;
  readonly hash: string;
  /** ISO 8601. */
  readonly created: string;
  /** Whose it is, for people. */
  readonly name?: string;
  readonly limits?: AccessLimits;
}

interface KeyFile {
  readonly keys: readonly KeyRecord[];
}

const validate = new Ajv2020().compile<KeyFile>({
  type: 'object',
  additionalProperties: false,
  required: ['keys'],
  properties: {
    keys: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'hash', 'created'],
        properties: {
          id: { type: 'string', pattern: '^[a-z0-9]{8}$' },
          hash: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' },
          created: { type: 'string' },
          name: { type: 'string', maxLength: 200 },
          limits: ACCESS_LIMITS_SCHEMA,
        },
      },
    },
  },
});

/** @throws Error that names the file and what is wrong with it */
export async function readKeyFile(path: string): Promise<readonly KeyRecord[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The key file ${path} cannot be read: ${why}. Make one with "lexigate keys add".`, {
      cause,
    });
  }
  if (!validate(value)) {
    throw new Error(`The key file ${path} is no key file: ${firstFault(validate.errors)}.`);
  }
  const ids = new Set(value.keys.map(({ id }) => id));
  if (ids.size < value.keys.length)
    throw new Error(`The key file ${path} has an id twice; give each key its own.`);
  return value.keys;
}

/** The keys of a file, none where there is no file yet. */
export async function readKeyFileIfAny(path: string): Promise<readonly KeyRecord[]> {
  const exists = await readFile(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  return exists ? readKeyFile(path) : [];
}

/** Whole or not at all, since a gateway may be reading it; only its owner may. */
export async function writeKeyFile(path: string, keys: readonly KeyRecord[]): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, `${JSON.stringify({ keys } satisfies KeyFile, null, 2)}\n`, {
      mode: 0o600,
      flag: 'wx',
    });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The key file ${path} cannot be written: ${why}.`, { cause });
  }
}
