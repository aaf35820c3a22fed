import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodeWav from 'node-wav';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWav } from '../src/audio/wav.js';
import { packageRoot } from '../src/util/package-root.js';
import { run, start } from './cli-support.js';

const test = suite('keys and public gateways on the command line');
const sample = join(packageRoot(), 'samples', 'after.wav');
const tls = (name: string): string => join(packageRoot(), 'test', 'fixtures', 'tls', name);

let folder: string;
let keyFile: string;
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  keyFile = join(folder, 'keys.json');
});
test.after.each(() => rm(folder, { recursive: true }));

/** Speech that lasts longer than any command here takes. */
async function longSample(): Promise<string> {
  const { channels, sampleRate } = readWav(await readFile(sample));
  const samples = Array<number[]>(20)
    .fill([...channels[0]!])
    .flat();
  const path = join(folder, 'long.wav');
  const options = { sampleRate, float: false, bitDepth: 16 };
  await writeFile(path, nodeWav.encode([Float32Array.from(samples)], options));
  return path;
}

const SERVE = ['serve', '--port', '0', '--workers', '1'];

test('a gateway for other machines refuses to start without keys, and says what to do', async () => {
  await writeFile(keyFile, '{"keys":[]}');
  const refused: readonly (readonly [string[], RegExp])[] = [
    [['--host', '0.0.0.0'], /--host 0\.0\.0\.0 opens .* there are no keys/],
    [['--host', '::'], /--host :: opens/],
    [['--trust-proxy'], /--trust-proxy opens/],
    [['--host', '0.0.0.0', '--key-file', keyFile], /keys\.json holds no keys/],
  ];
  for (const [args, fault] of refused) {
    const { code, err } = await run(...SERVE, ...args);
    assert.is(code, 1);
    assert.match(err, fault);
    assert.match(err, /lexigate keys add --key-file .*127\.0\.0\.1.*--insecure-public/);
  }
});

test('with --insecure-public it starts, and warns', async () => {
  const server = start([...SERVE, '--host', '0.0.0.0', '--insecure-public']);
  await server.said(/listens on/);
  server.process.kill('SIGTERM');
  const { err } = await server.ended;
  assert.match(err, /everybody .*--insecure-public/);
  assert.match(err, /not encrypted/);
});

test('a certificate without its key, and files that are not there, are errors that name them', async () => {
  assert.match((await run(...SERVE, '--tls-cert', 'a.pem')).err, /both --tls-cert and --tls-key/);
  const missing = await run(...SERVE, '--tls-cert', join(folder, 'a.pem'), '--tls-key', tls('key.pem'));
  assert.match(missing.err, /certificate .*a\.pem cannot be read/);
  const pair = await run(...SERVE, '--tls-cert', tls('cert.pem'), '--tls-key', tls('cert.pem'));
  assert.match(pair.err, /cert\.pem and the key .*cert\.pem are no pair/);
  assert.match((await run(...SERVE, '--key-file', keyFile)).err, /keys\.json cannot be read.*keys add/);
  const short = join(folder, 'secret');
  await writeFile(keyFile, '{"keys":[]}');
  await writeFile(short, 'short');
  const secret = await run(...SERVE, '--key-file', keyFile, '--token-secret-file', short);
  assert.match(secret.err, /secret: .*5 bytes.*32/);
  assert.match((await run(...SERVE, '--allow-origin', 'app.example')).err, /"app\.example" is no origin/);
  assert.match((await run(...SERVE, '--trust-proxy=perhaps')).err, /perhaps.*true or false/);
});

test('a key is printed once, listed without its secret, and taken out by its id', async () => {
  const file = ['--key-file', keyFile];
  const added = await run('keys', 'add', ...file, '--name', 'call centre', '--max-entries', '100');
  assert.is(added.code, 0, added.err);
  const [, id, secret] = /^lxg_([a-z0-9]{8})_(\S+)\n$/.exec(added.out)!;
  await run('keys', 'add', ...file);
  const { out } = await run('keys', 'list', ...file);
  assert.match(out, new RegExp(`^${id}\t\\S+\tcall centre\tmaxEntries=100\n\\S+\t\\S+\n$`));
  assert.not.match(out + (await readFile(keyFile, 'utf8')), secret!);
  const wrong = await run('keys', 'revoke', 'nothing', ...file);
  assert.is(wrong.code, 1);
  assert.match(wrong.err, new RegExp(`no key "nothing"; it has ${id}`));
  assert.is((await run('keys', 'revoke', id!, ...file)).code, 0);
  assert.is((await run('keys', 'list', ...file)).out.split('\n').length, 2);
  assert.match((await run('keys', 'add')).err, /--key-file/);
});

test('a gateway with keys lets its holders in, and a key that is revoked ends its session', async () => {
  const file = ['--key-file', keyFile];
  const { out: key } = await run('keys', 'add', ...file);
  const server = start([...SERVE, ...file]);
  const url = await server.said(/listens on (\S+)/);
  const without = await run('transcribe', sample, '--url', url);
  assert.is(without.code, 1);
  assert.match(without.err, /a key or token is needed.*401/);
  const speaking = start(['transcribe', await longSample(), '--url', url, '--realtime', '--json'], {
    LEXIGATE_KEY: key.trim(),
  });
  await speaking.said(/"type":"partial"/);
  const id = key.slice(4, 12);
  await run('keys', 'revoke', id, ...file);
  server.process.kill('SIGHUP');
  const { code, out, err } = await speaking.ended;
  assert.is(code, 1);
  assert.match(out + err, /revoked/);
  await server.said(new RegExp(`0 keys, no more: ${id}`));
  await writeFile(keyFile, '{');
  server.process.kill('SIGHUP');
  await server.said(/keys\.json cannot be read.*stays in force/);
  server.process.kill('SIGTERM');
  assert.is((await server.ended).code, 0);
});

test('with a certificate the address is wss', async () => {
  const server = start([...SERVE, '--tls-cert', tls('cert.pem'), '--tls-key', tls('key.pem')]);
  const url = await server.said(/listens on (\S+)/);
  assert.match(url, /^wss:/);
  assert.match(await server.said(/captions in a browser: (\S+)/), /^https:/);
  const trusting = { NODE_EXTRA_CA_CERTS: tls('cert.pem') };
  const { code, out, err } = await start(['transcribe', sample, '--url', url], trusting).ended;
  assert.is(code, 0, err);
  assert.match(out, /noon/);
  server.process.kill('SIGHUP');
  await server.said(/cert\.pem: read anew/);
  server.process.kill('SIGTERM');
  await server.ended;
});

test.run();
