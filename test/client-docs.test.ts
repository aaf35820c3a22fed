import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Service, startService } from '../src/cli/compose.js';
import { addSettings, readSettings } from '../src/cli/settings.js';
import * as node from '../src/client/client.js';
import { packageRoot } from '../src/util/package-root.js';

const test = suite('client documents');
const program = join(packageRoot(), 'build', 'test', 'sdk-document.mjs');

let service: Service;
test.before(async () => {
  const command = addSettings(new Command()).parse(['--port', '0', '--workers', '1'], { from: 'user' });
  service = await startService(readSettings(command));
});
test.after(async () => {
  await service.stop({ graceMs: 0 });
  await rm(program, { force: true });
});

test("the document's program for Node runs as it is, by the package's name", async () => {
  const document = await readFile(join(packageRoot(), 'docs', 'sdk.md'), 'utf8');
  const [, code] = /## In Node\n\n```js\n(.*?)```/s.exec(document)!;
  assert.match(code!, /ws:\/\/127\.0\.0\.1:8080\/v1\/stream/);
  await writeFile(program, code!.replace('ws://127.0.0.1:8080/v1/stream', service.url));
  const child = spawn(process.execPath, [program], { cwd: packageRoot() });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
  }
  assert.is(await new Promise((resolve) => child.on('close', resolve)), 0, out);
  assert.match(out, /^list 2: in force from sample 0\n.*Siobhan Kowalczyk.*\n[\d.]+ s\n$/);
});

test('what the document names of a session is there', async () => {
  const document = await readFile(join(packageRoot(), 'docs', 'sdk.md'), 'utf8');
  const client = await node.LexigateClient.connect(service.url, {
    audio: { encoding: 's16le', sampleRate: 16_000, channels: 1 },
  });
  const named = [...document.matchAll(/`client\.(\w+)/g)].map((match) => match[1]!);
  assert.ok(named.length > 8);
  for (const name of named) assert.ok(name in client, name);
  await client.stop();
});

test.run();
