import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { Command } from 'commander';
import { load } from 'js-yaml';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addSettings, readSettings, SETTINGS } from '../src/cli/settings.js';
import { METRICS_PATH } from '../src/server/metrics-route.js';
import { packageRoot } from '../src/util/package-root.js';
import { exposedMetrics } from './metrics-support.js';

const test = suite('files for running it');
const deploy = join(packageRoot(), 'deploy');

function text(name: string): string {
  return readFileSync(join(deploy, name), 'utf8');
}

function yaml<T>(name: string): T {
  return load(text(name)) as T;
}

/** Names of metrics in a PromQL expression. Throws where it is none. */
function metricsIn(expression: string): string[] {
  // what Grafana puts in before Prometheus sees it
  const filled = expression.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
  const names: string[] = [];
  parser.parse(filled).iterate({
    enter: ({ name, type, from, to }) => {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${filled}`);
      if (name === 'Identifier') names.push(filled.slice(from, to));
    },
  });
  return names;
}

/** A metric as it is asked for: a histogram by its parts. */
function isExposed(name: string, types: ReadonlyMap<string, string>): boolean {
  const part = /^(.*)_(?:bucket|sum|count)$/.exec(name);
  if (part !== null && types.get(part[1]!) === 'histogram') return true;
  return types.has(name) && types.get(name) !== 'histogram';
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

const dashboard = JSON.parse(text('grafana/dashboards/lexigate.json')) as { readonly panels: Panel[] };

test('what is no PromQL, or asks for what is not there, is noticed', async () => {
  const types = await exposedMetrics();
  assert.throws(() => metricsIn('sum(rate(lexigate_sessions[5m])'));
  assert.equal(metricsIn('sum by (path) (a{b="c"}) / d'), ['a', 'd']);
  assert.not(isExposed('lexigate_stage_second_sum', types));
  assert.not(isExposed('lexigate_stage_seconds', types));
  assert.not(isExposed('lexigate_sessions_count', types));
});

test('the dashboard asks only for metrics that exist, in PromQL', async () => {
  const types = await exposedMetrics();
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');
  assert.ok(panels.length > 20);
  for (const { title, targets = [] } of panels) {
    assert.ok(targets.length > 0, title);
    for (const { expr } of targets) {
      for (const name of metricsIn(expr)) assert.ok(isExposed(name, types), `${title}: ${name}`);
    }
  }
});

test('the dashboard shows every metric of the gateway', async () => {
  const shown = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
  for (const name of (await exposedMetrics()).keys()) {
    // what was started is the sum of what is shown over time, and the build a label for choosing
    if (!name.startsWith('lexigate_') || /_build_info$|_started_total$|_resumed_total$/.test(name)) continue;
    assert.match(shown, new RegExp(`\\b${name}(_bucket|_sum)?\\b`), name);
  }
});

test('no two panels of the dashboard lie on one another', () => {
  const taken = new Map<string, string>();
  for (const { title, gridPos } of dashboard.panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.not(taken.has(`${x} ${y}`), `${title} and ${taken.get(`${x} ${y}`)}`);
        assert.ok(x < 24, title);
        taken.set(`${x} ${y}`, title);
      }
    }
  }
});

test('alerts ask only for metrics that exist', async () => {
  const types = await exposedMetrics();
  const { groups } = yaml<{ groups: { rules: { alert: string; expr: string }[] }[] }>('alerts.yaml');
  const rules = groups.flatMap((group) => group.rules);
  assert.ok(rules.length > 0);
  for (const { alert, expr } of rules) {
    // `up` is Prometheus' own
    for (const name of metricsIn(expr).filter((each) => each !== 'up')) {
      assert.ok(isExposed(name, types), `${alert}: ${name}`);
    }
  }
});

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Service {
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly stop_grace_period?: string;
}

const compose = yaml<Compose>('compose.yaml');

test('what the compose file builds from and mounts is there', () => {
  const { context, dockerfile } = compose.services['gateway']!.build!;
  assert.ok(existsSync(join(deploy, context, dockerfile)));
  for (const [name, { volumes = [], secrets = [] }] of Object.entries(compose.services)) {
    for (const volume of volumes) {
      const source = volume.split(':')[0]!;
      // secrets/ is made by who runs it
      const known = source in compose.volumes || source === './secrets' || existsSync(join(deploy, source));
      assert.ok(known, `${name}: ${source}`);
    }
    for (const secret of secrets) assert.ok(secret in compose.secrets, secret);
  }
  const ignored = readFileSync(join(packageRoot(), '.gitignore'), 'utf8');
  assert.match(ignored, /^deploy\/secrets\/$/m);
});

test('Prometheus scrapes the gateway where it listens, by a key that the compose file hands it', () => {
  const { scrape_configs: scrapes, rule_files: rules } = yaml<{
    scrape_configs: {
      static_configs: { targets: string[] }[];
      metrics_path?: string;
      authorization: { credentials_file: string };
    }[];
    rule_files: string[];
  }>('prometheus.yaml');
  const [scrape] = scrapes;
  const [service, port] = scrape!.static_configs[0]!.targets[0]!.split(':');
  assert.ok(service! in compose.services);
  assert.is(SETTINGS.find(({ key }) => key === 'port')?.value, Number(port));
  assert.is(scrape!.metrics_path ?? '/metrics', METRICS_PATH);
  const { credentials_file: key } = scrape!.authorization;
  assert.ok(compose.services['prometheus']!.secrets!.map((name) => `/run/secrets/${name}`).includes(key));
  for (const file of rules) assert.match(text('compose.yaml'), `./${file}:/etc/prometheus/${file}`);
});

test("Grafana's data source and dashboards are where the compose file puts them", () => {
  const sources = yaml<{ datasources: { url: string }[] }>(
    'grafana/provisioning/datasources/prometheus.yaml',
  );
  assert.ok(new URL(sources.datasources[0]!.url).hostname in compose.services);
  const { providers } = yaml<{ providers: { options: { path: string } }[] }>(
    'grafana/provisioning/dashboards/lexigate.yaml',
  );
  assert.match(text('compose.yaml'), `./grafana/dashboards:${providers[0]!.options.path}:ro`);
});

test('settings in the compose file exist, and stopping waits longer than sessions may', () => {
  const { environment = {}, stop_grace_period: stop } = compose.services['gateway']!;
  const known = new Set(
    addSettings(new Command()).options.flatMap(({ envVar }) => (envVar === undefined ? [] : [envVar])),
  );
  for (const name of Object.keys(environment)) assert.ok(known.has(name), name);
  const grace = Number(SETTINGS.find(({ key }) => key === 'graceSeconds')?.value);
  assert.ok(Number.parseInt(stop!, 10) > grace);
  assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(text('lexigate.service'))![1]) > grace);
});

/** Instructions of the Dockerfile, continued lines joined. */
const instructions = text('Dockerfile')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => ({ name: line.split(' ')[0]!, rest: line.slice(line.indexOf(' ') + 1) }));

test('what the image copies is there, and has all that the package has', () => {
  const stages = instructions.filter(({ name }) => name === 'FROM').length;
  assert.is(stages, 2);
  const own = instructions.filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'));
  for (const { rest } of own) {
    for (const source of rest.split(' ').slice(0, -1)) {
      assert.ok(existsSync(join(packageRoot(), source)), source);
    }
  }
  const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
  const copied = last.filter(({ name }) => name === 'COPY').map(({ rest }) => rest);
  const { files } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    files: string[];
  };
  for (const file of files.filter((each) => !each.startsWith('!'))) {
    assert.ok(
      copied.some((rest) => rest.split(' ').some((each) => each === file || each === `/build/${file}`)),
      file,
    );
  }
});

test('the image starts the command with settings that it has, as nobody in particular', () => {
  const json = (wanted: string): string[] =>
    JSON.parse(instructions.find(({ name }) => name === wanted)!.rest) as string[];
  const [node, main] = json('ENTRYPOINT');
  assert.is(node, 'node');
  assert.ok(existsSync(join(packageRoot(), main!)));
  const [command, ...args] = json('CMD');
  assert.is(command, 'serve');
  const settings = readSettings(addSettings(new Command()).parse(args, { from: 'user' }));
  assert.is(settings.host, '0.0.0.0');
  assert.is(instructions.find(({ name }) => name === 'EXPOSE')?.rest, `${settings.port}`);
  assert.is(instructions.find(({ name }) => name === 'USER')?.rest, 'node');
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

(hasSystemd ? test : test.skip)(
  'systemd finds no fault with the unit (skipped where there is no systemd)',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
    try {
      // what it starts is not installed here
      const unit = text('lexigate.service')
        .replaceAll('/usr/bin/node', process.execPath)
        .replace('/opt/lexigate/build', join(packageRoot(), 'build'));
      await mkdir(join(folder, 'units'));
      const path = join(folder, 'units', 'lexigate.service');
      await writeFile(path, unit);
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
        encoding: 'utf8',
      });
      const faults = stderr.split('\n').filter((line) => line.includes('lexigate'));
      assert.equal(faults, []);
      assert.is(status, 0, stderr);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test.run();
