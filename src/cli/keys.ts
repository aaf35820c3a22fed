import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AccessLimits } from '../access/access-limits.js';
import { createApiKey, formatApiKey, hashSecret } from '../access/api-key.js';
import { type KeyRecord, readKeyFile, readKeyFileIfAny, writeKeyFile } from '../access/key-file.js';

interface KeyFileOption {
  readonly keyFile: string;
}

interface AddOptions extends KeyFileOption, AccessLimits {
  readonly name?: string;
}

/** `lexigate keys add | list | revoke`: the keys of a file, which a gateway that uses it heeds at once. */
export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('Make, list and revoke the keys that clients need.');
  withFile(keys.command('add'))
    .description('Make a key and print it, this once: the file keeps only a hash of it.')
    .option('--name <text>', 'whose it is')
    .option('--max-connections <n>', 'connections at a time', count)
    .option('--max-entries <n>', 'entries of a vocabulary', count)
    .option('--max-session-seconds <n>', 'longest session', count)
    .action(add);
  withFile(keys.command('list')).description('List the keys, without what is secret.').action(list);
  withFile(keys.command('revoke'))
    .description('Take a key out; its sessions are told and closed.')
    .argument('<id>', 'the eight characters behind lxg_')
    .action(revoke);
}

function withFile(command: Command): Command {
  const option = new Option('--key-file <file>', 'file of the keys').env('LEXIGATE_KEY_FILE');
  return command.addOption(option.makeOptionMandatory());
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number above 0.');
  return value;
}

async function add({ keyFile, name, ...limits }: AddOptions): Promise<void> {
  const records = await readKeyFileIfAny(keyFile);
  let key = createApiKey();
  while (records.some(({ id }) => id === key.id)) key = createApiKey();
  const record: KeyRecord = {
    id: key.id,
    hash: hashSecret(key.secret),
    created: new Date().toISOString(),
    ...(name !== undefined && { name }),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
  await writeKeyFile(keyFile, [...records, record]);
  process.stdout.write(`${formatApiKey(key)}\n`);
  process.stderr.write(
    `This is the key; it is not shown again. ${keyFile} keeps a hash of it, as ${key.id}.\n`,
  );
}

async function list({ keyFile }: KeyFileOption): Promise<void> {
  for (const { id, created, name = '', limits = {} } of await readKeyFile(keyFile)) {
    const bounds = Object.entries(limits).map(([limit, value]) => `${limit}=${value}`);
    process.stdout.write(`${[id, created, name, bounds.join(' ')].join('\t').trimEnd()}\n`);
  }
}

async function revoke(id: string, { keyFile }: KeyFileOption): Promise<void> {
  const records = await readKeyFile(keyFile);
  const left = records.filter((record) => record.id !== id);
  if (left.length === records.length) {
    const known = records.map((record) => record.id).join(', ');
    throw new Error(`${keyFile} has no key ${JSON.stringify(id)}; it has ${known === '' ? 'none' : known}.`);
  }
  await writeKeyFile(keyFile, left);
  process.stderr.write(`${id} is revoked; gateways that use ${keyFile} heed it within some seconds.\n`);
}
