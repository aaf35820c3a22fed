import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addSettings } from '../src/cli/settings.js';
import { logSessions, SILENT } from '../src/observability/logger.js';
import { wantsTraces } from '../src/observability/tracing.js';
import { ERROR_CODES } from '../src/protocol/errors.js';
import { DEFAULT_SERVER_LIMITS } from '../src/server/limits.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { packageRoot } from '../src/util/package-root.js';
import { type Ended, run, type Started, start } from './cli-support.js';
import { exposedMetrics } from './metrics-support.js';

const test = suite('operations document');
const document = readFileSync(join(packageRoot(), 'docs', 'operations.md'), 'utf8');
const commands = [...document.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block]) =>
  block!.trim().split('\n'),
);

let folder: string;
let key: string;
let server: Started;
let origin: string;
/** What making the key said. */
let added: Ended;

/** Words of a command behind one that it begins with. */
function behind(beginning: string, command: string): string[] {
  return command
    .slice(command.indexOf(beginning) + beginning.length)
    .trim()
    .split(' ');
}

const CLI = 'npm run -s cli -- ';

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  const command = commands.find((each) => each.startsWith(`${CLI}keys add`))!;
  const args = behind(CLI, command.split(' > ')[0]!).map((arg) => arg.replace('deploy/secrets', folder));
  added = await run(...args);
  key = added.out.trim();
  server = start(['serve', '--port', '0', '--workers', '1', '--key-file', join(folder, 'keys.json')]);
  const url = await server.said(/listens on (\S+)/);
  origin = new URL(url.replace('ws:', 'http:')).origin;
});
test.after(async () => {
  server.process.kill('SIGTERM');
  await server.ended;
  await rm(folder, { recursive: true });
});

const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** What is done with each command; the first whose pattern fits. */
const CHECKS: readonly (readonly [RegExp, (command: string) => void | Promise<void>])[] = [
  [
    /^curl /,
    (command) => {
      if (!hasCurl) return;
      const here = command.replace('http://127.0.0.1:8080', origin);
      const env = { ...process.env, KEY: key };
      const { status, stdout } = spawnSync('sh', ['-c', here.replace('curl -s', 'curl -sf')], {
        encoding: 'utf8',
        env,
      });
      assert.is(status, 0, command);
      assert.match(stdout, /ok|ready|lexigate_sessions 0/);
    },
  ],
  [
    /^npm run -s cli -- keys add/,
    async () => {
      assert.is(added.code, 0, added.err);
      assert.match(await readFile(join(folder, 'keys.json'), 'utf8'), /prometheus/);
    },
  ],
  [
    /^OTEL_\w+=\S+ npm run -s cli -- serve$/,
    (command) => {
      const [name, value] = command.split(' ')[0]!.split('=');
      assert.ok(wantsTraces({ [name!]: value }));
    },
  ],
  [
    /^npm install --no-save @opentelemetry\/sdk-node@/,
    (command) => {
      const { devDependencies } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
        devDependencies: Record<string, string>;
      };
      const version = command.split('@').at(-1)!;
      assert.match(devDependencies['@opentelemetry/sdk-node']!, version);
      for (const file of ['deploy/Dockerfile', 'src/observability/tracing.ts']) {
        assert.match(readFileSync(join(packageRoot(), file), 'utf8'), `@opentelemetry/sdk-node@${version}`);
      }
    },
  ],
  [/^mkdir -p deploy\/secrets$/, () => assert.match(composeFile(), './secrets:')],
  [
    /^LEXIGATE_UID=\$\(id -u\) docker compose --file (\S+) up --build$/,
    (command) => {
      const [file] = behind('--file', command);
      assert.ok(existsSync(join(packageRoot(), file!)));
      assert.match(composeFile(), '${LEXIGATE_UID:');
      assert.match(composeFile(), './secrets/metrics.key');
    },
  ],
  [
    /^docker build .* \.$/,
    (command) => {
      const dockerfile = readFileSync(join(packageRoot(), behind('--file', command)[0]!), 'utf8');
      const [argument] = behind('--build-arg', command)[0]!.split('=');
      assert.match(dockerfile, new RegExp(`^ARG ${argument}=`, 'm'));
    },
  ],
  [
    /^docker run /,
    (command) => {
      const [name] = behind('--env', command)[0]!.split('=');
      const { options } = addSettings(new Command());
      assert.ok(options.some(({ envVar }) => envVar === name));
    },
  ],
  [/^sudo useradd --system/, () => assert.match(unit(), /^User=lexigate$/m)],
  [
    /^sudo cp (\S+) \/etc\/systemd\/system\/$/,
    (command) => assert.ok(existsSync(join(packageRoot(), behind('cp', command)[0]!))),
  ],
  [/^sudo systemctl enable --now lexigate$/, () => assert.match(unit(), /^WantedBy=multi-user.target$/m)],
  [/^sudo systemctl reload lexigate$/, () => assert.match(unit(), /^ExecReload=.*-HUP/m)],
  [/^journalctl --unit lexigate/, () => undefined],
];

function composeFile(): string {
  return readFileSync(join(packageRoot(), 'deploy', 'compose.yaml'), 'utf8');
}

function unit(): string {
  return readFileSync(join(packageRoot(), 'deploy', 'lexigate.service'), 'utf8');
}

for (const command of commands) {
  const skipped = command.startsWith('curl') && !hasCurl;
  (skipped ? test.skip : test)(`${command}${skipped ? ' (skipped: there is no curl)' : ''}`, async () => {
    const check = CHECKS.find(([pattern]) => pattern.test(command));
    assert.ok(check, 'nobody looks after this command');
    await check[1](command);
  });
}

test('every metric of the gateway is explained, and no other', async () => {
  const rows = [...document.matchAll(/^\| [\w ]*\| `(lexigate_\w+)` \| (.+) \|$/gm)];
  const told = rows.map(([, name]) => name!);
  const types = await exposedMetrics();
  assert.equal(told.toSorted(), [...types.keys()].filter((name) => name.startsWith('lexigate_')).sort());
  for (const [, name, meaning] of rows) {
    assert.is(types.get(name!) === 'histogram', /histogram/.test(meaning!), name);
  }
  for (const [, name] of document.matchAll(/`((?:process|nodejs)_\w+)`/g)) assert.ok(types.has(name!), name);
});

test('of every limit it is said where it shows', async () => {
  const [, table] = /\| limit \| metric \|\n\|---\|---\|\n(.*?)\n\n/s.exec(document)!;
  const rows = table!.split('\n').map((row) => row.split(' | '));
  const limits = rows.flatMap(([names]) => [...names!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  assert.equal(limits.toSorted(), Object.keys({ ...DEFAULT_LIMITS, ...DEFAULT_SERVER_LIMITS }).sort());
  const types = await exposedMetrics();
  for (const [names, where] of rows) {
    for (const [, name] of where!.matchAll(/`(lexigate_\w+)`/g)) assert.ok(types.has(name!), names);
    const code = /`code` `(\w+)`/.exec(where!)?.[1];
    assert.ok(code === undefined || (ERROR_CODES as readonly string[]).includes(code), names);
  }
});

test('the line of the log is such as there are', () => {
  const shown = JSON.parse(/```json\n(.*?)\n```/.exec(document)![1]!) as Readonly<Record<string, unknown>>;
  const lines: object[] = [];
  const logger = { ...SILENT, info: (fields: object, msg: string) => lines.push({ ...fields, msg }) };
  const observe = logSessions(logger)({ path: '/v1/stream', keyId: 'a1b2c3d4', headers: {} });
  const audio = { encoding: 's16le', sampleRate: 16_000, channels: 1 };
  observe({ type: 'started', sessionId: 'x', ...audio, latencyMs: 640, entries: 0 });
  observe({ type: 'stopped', audioSeconds: 1, segments: 1, words: 1 });
  observe({ type: 'closed', code: 1000 });
  const { level, time, service, ...own } = shown;
  assert.ok(level && time && service);
  assert.equal(Object.keys(own), Object.keys(lines.at(-1)!));
});

test.run();
