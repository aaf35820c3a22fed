import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EVERYBODY } from '../src/access/authenticator.js';
import { GatewayMetrics } from '../src/observability/gateway-metrics.js';
import type { Gateway, GatewayOptions } from '../src/server/gateway.js';
import { metricsRoute } from '../src/server/metrics-route.js';
import { type Answer, ask, attempt, type Guarded, guard } from './access-support.js';
import { samplesOf } from './metrics-support.js';

const test = suite('metrics over HTTP');

let guarded: Guarded;
test.after.each(() => guarded.stop());

const expose = async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' });

/** A gateway with keys and metrics. */
async function withMetrics(trustProxy = false, options: Partial<GatewayOptions> = {}): Promise<Guarded> {
  // the keyring is made by `guard`, so its routes come first and this one asks whoever is asked there
  const authenticator: typeof EVERYBODY = {
    authenticate: (credential) => guarded.keyring.authenticate(credential),
  };
  guarded = await guard({}, { routes: [metricsRoute({ authenticator, trustProxy, expose })], ...options });
  return guarded;
}

function metrics(gateway: Gateway, headers: object = {}, method = 'GET'): Promise<Answer> {
  return ask(gateway, '/metrics', { method, headers });
}

test('whoever is on this machine has the metrics without a key', async () => {
  const { gateway } = await withMetrics();
  const { status, headers, body } = await metrics(gateway);
  assert.is(status, 200);
  assert.is(headers['content-type'], 'text/plain; version=0.0.4');
  assert.is(headers['cache-control'], 'no-store');
  assert.is(body, 'up 1\n');
  assert.is((await metrics(gateway, {}, 'HEAD')).status, 200);
  assert.is((await metrics(gateway, {}, 'POST')).status, 405);
});

for (const [who, headers] of [
  ['a page elsewhere whose name points here', { host: 'evil.example:8080' }],
  ['who comes through a proxy that nobody told of', { 'x-forwarded-for': '203.0.113.5' }],
  ['the same by its standard header', { forwarded: 'for=203.0.113.5' }],
] as const) {
  test(`${who} is no one on this machine, and needs a key`, async () => {
    const { gateway, key } = await withMetrics();
    const without = await metrics(gateway, headers);
    assert.is(without.status, 401);
    assert.not.match(without.body, 'up 1');
    assert.is((await metrics(gateway, { ...headers, authorization: `Bearer ${key}` })).status, 200);
  });
}

test('behind a proxy everybody needs a key, a token is not enough, and a wrong key is none', async () => {
  const { gateway, key, keyring, keyId } = await withMetrics(true);
  const token = await keyring.issue(keyId, 60, {});
  const asked = async (credential?: string): Promise<number> =>
    (await metrics(gateway, credential === undefined ? {} : { authorization: `Bearer ${credential}` }))
      .status;
  assert.is(await asked(), 401);
  assert.is(await asked(`${key.slice(0, -3)}abc`), 401);
  assert.is(await asked(token), 403);
  assert.is(await asked(key), 200);
});

test('without keys they are for this machine alone, whatever is said of a key', async () => {
  guarded = await guard(
    {},
    { routes: [metricsRoute({ authenticator: EVERYBODY, trustProxy: true, expose })] },
  );
  const { status, body } = await metrics(guarded.gateway, { authorization: 'Bearer lxg_x' });
  assert.is(status, 403);
  assert.match(body, /make a key/);
});

test('connections, refusals and TCP connections beyond the bound are counted', async () => {
  const build = { version: '1', model: 'm', modelVersion: '2' };
  const counts = new GatewayMetrics({ errorCodes: [], build });
  guarded = await guard({}, { metrics: counts, maxConnections: 1, maxHandshakes: 1 });
  const { gateway, key } = guarded;
  const url = gateway.url;
  const came = await attempt(url, { headers: { authorization: `Bearer ${key}` } });
  assert.is((await attempt(url)).status, 503);
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: 4 }, () => connect(Number(port), hostname));
  await Promise.race(sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve))));
  for (const socket of sockets) socket.destroy();
  const samples = samplesOf(
    (await counts.snapshot())
      .flatMap(({ name, values }) =>
        values.map(({ labels, value }) => `${name}${JSON.stringify(labels)} ${value}`),
      )
      .join('\n'),
  );
  assert.is(samples.get('lexigate_connections{"path":"/v1/stream"}'), 1);
  assert.is(samples.get('lexigate_connections_refused_total{"status":503}'), 1);
  assert.ok(samples.get('lexigate_tcp_dropped_total{}')! >= 1);
  came.ws.terminate();
});

test('the gateway is ready while it could serve a session, and says why it is not', async () => {
  let broken: string | undefined;
  guarded = await guard({}, { maxConnections: 1, unready: () => broken });
  const { gateway, key } = guarded;
  const ready = async (): Promise<string> => {
    const { status, body } = await ask(gateway, '/readyz');
    return `${status} ${body.trim()}`;
  };
  assert.is(await ready(), '200 {"status":"ready"}');
  broken = 'no recognition worker is running';
  assert.is(await ready(), '503 {"status":"unready","reason":"no recognition worker is running"}');
  assert.is((await ask(gateway, '/healthz')).status, 200);
  broken = undefined;
  const came = await attempt(gateway.url, { headers: { authorization: `Bearer ${key}` } });
  assert.match(await ready(), /^503 .*all 1 connections are taken/);
  came.ws.terminate();
});

test.run();
