import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readVocabularyFile } from '../src/cli/vocabulary-file.js';
import type { ServerMessage } from '../src/protocol/messages.js';
import { packageRoot } from '../src/util/package-root.js';
import { run, start } from './cli-support.js';

const test = suite('command line');
const sample = join(packageRoot(), 'samples', 'after.wav');

let folder: string;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
});
test.after(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

test('the demo shows a name wrong without the list and right with it, and the acknowledgement between', async () => {
  const { code, out, err } = await run('demo');
  assert.is(code, 0, err);
  const [before, after] = out.split(/^\+ "Siobhan Kowalczyk".* in force from .*$/m);
  assert.match(before!, /could you put me through to/);
  assert.not.match(before!, /Siobhan Kowalczyk/i);
  assert.match(after!, /please tell Siobhan Kowalczyk/);
});

test('piped, a transcript is plain text alone', async () => {
  const { code, out, err } = await run('transcribe', sample);
  assert.is(code, 0, err);
  assert.match(out, /^thank you please tell .* meeting starts at noon\n$/);
});

test('a vocabulary file puts its names right', async () => {
  const vocabulary = await file('names.txt', '# people\nSiobhan Kowalczyk\t1.2\n\n');
  const { out, err } = await run('transcribe', sample, '--vocabulary', vocabulary);
  assert.match(out, /Siobhan Kowalczyk/, err);
});

test('with --json each line is a message and the last is the transcript', async () => {
  const { out } = await run('transcribe', sample, '--json');
  const messages = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ServerMessage | { type: 'transcript'; file: string; text: string });
  assert.is(messages[0]?.type, 'ready');
  assert.ok(messages.some(({ type }) => type === 'partial'));
  const last = messages.at(-1);
  assert.ok(last?.type === 'transcript');
  assert.is(last.file, sample);
  const finals = messages.filter((message) => message.type === 'final');
  assert.is(last.text, finals.map(({ text }) => text).join(' '));
});

test('serve answers clients, and SIGTERM lets an open session finish', async () => {
  const server = start(['serve', '--port', '0', '--workers', '1']);
  const url = await server.said(/listens on (\S+)/);
  const client = start(['transcribe', sample, '--url', url, '--realtime', '--json']);
  await client.said(/"type":"partial"/);
  server.process.kill('SIGTERM');
  const { code, out, err } = await client.ended;
  assert.is(code, 0, err);
  assert.match(out, /"type":"transcript".*noon/);
  assert.is((await server.ended).code, 0);
});

test('settings count in the order flag, environment, file, default', async () => {
  const config = await file(
    'config.json',
    JSON.stringify({ port: 0, maxEntries: 11, workers: 1, maxConnections: 5 }),
  );
  const env = { LEXIGATE_MAX_ENTRIES: '22', LEXIGATE_MAX_CONNECTIONS: '7' };
  const server = start(['serve', '--config', config, '--max-connections', '9'], env);
  const url = await server.said(/listens on (\S+)/);
  assert.not.match(url, /:8080/);
  const { out } = await run('transcribe', sample, '--url', url, '--json');
  assert.match(out, /"maxEntries":22/);
  server.process.kill('SIGTERM');
  await server.ended;
});

test('a setting that does not exist or is out of bounds is an error that says which', async () => {
  const unknown = await run('serve', '--config', await file('unknown.json', '{"prot": 1}'));
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /"prot".*port/s);
  const wrong = await run('serve', '--config', await file('wrong.json', '{"port": 70000}'));
  assert.match(wrong.err, /"port" is 70000\. Give a whole number from 0 to 65535/);
  const flag = await run('serve', '--workers', 'two');
  assert.match(flag.err, /two.*whole number/s);
});

test('a file that is missing or no WAV is named in the error', async () => {
  const missing = await run('transcribe', join(folder, 'nothing.wav'));
  assert.is(missing.code, 1);
  assert.match(missing.err, /nothing\.wav/);
  const text = await run('transcribe', await file('text.wav', 'hello'));
  assert.match(text.err, /text\.wav: .*WAV/);
});

test('a gateway that is not there is named in the error', async () => {
  const { code, err } = await run('transcribe', sample, '--url', 'ws://127.0.0.1:9/v1/stream');
  assert.is(code, 1);
  assert.match(err, /ws:\/\/127\.0\.0\.1:9.*ECONNREFUSED/);
});

test('help lists the commands and every setting with its environment variable', async () => {
  assert.match((await run('--help')).out, /serve.*transcribe.*demo/s);
  assert.match((await run('serve', '--help')).out, /--max-entries.*LEXIGATE_MAX_ENTRIES/s);
});

test('a vocabulary file that is not there is told by its name', async () => {
  try {
    await readVocabularyFile(join(folder, 'nobody.txt'));
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /vocabulary file .*nobody\.txt cannot be read: ENOENT.*an entry a line/s);
  }
});

test('a vocabulary file has weights and sounds-like spellings behind tabs', async () => {
  const path = await file('all.txt', 'Nguyen\t2\twin\tnwin\r\nAda Lovelace\nQi\t\tchee\n');
  assert.equal(await readVocabularyFile(path), [
    { text: 'Nguyen', weight: 2, soundsLike: ['win', 'nwin'] },
    { text: 'Ada Lovelace' },
    { text: 'Qi', soundsLike: ['chee'] },
  ]);
});

test('a weight that is no number is an error with its line', async () => {
  try {
    await readVocabularyFile(await file('bad.txt', 'Ada\nBo\theavy\n'));
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /bad\.txt:2.*"heavy"/);
  }
});

test.run();
