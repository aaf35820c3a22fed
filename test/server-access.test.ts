import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeepgramClient } from '@deepgram/sdk';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeKeyFile } from '../src/access/key-file.js';
import { Origins } from '../src/access/origins.js';
import { packageRoot } from '../src/util/package-root.js';
import { type Attempt, ask, attempt, type Guarded, guard, PROTOCOLS } from './access-support.js';

const test = suite('access');

let guarded: Guarded;
test.after.each(() => guarded.stop());

function address(path: string): string {
  return new URL(path, guarded.gateway.url).href;
}

function hangUp(...attempts: Attempt[]): void {
  for (const { ws } of attempts) ws.terminate();
}

async function nobodyLeft(): Promise<void> {
  while (guarded.gateway.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
}

for (const { name, path } of PROTOCOLS) {
  test(`${name}: in with a key in the header or in the query, not without one or with another`, async () => {
    guarded = await guard();
    const { key } = guarded;
    const query = (credential: string): string =>
      `${path.includes('?') ? '&' : '?'}access_token=${credential}`;
    for (const scheme of ['Bearer', 'Token']) {
      const authorization = `${scheme} ${key}`;
      const came = await attempt(address(path), { headers: { authorization } });
      assert.is(came.status, 101);
      hangUp(came);
    }
    const queried = await attempt(address(path + query(key)));
    assert.is(queried.status, 101);
    hangUp(queried);
    const wrong = `${key.slice(0, -3)}abc`;
    const refused = [
      await attempt(address(path)),
      await attempt(address(path), { headers: { authorization: `Bearer ${wrong}` } }),
      await attempt(address(path + query(wrong))),
    ];
    for (const { status, headers, body } of refused) {
      assert.is(status, 401);
      assert.match(`${headers['www-authenticate']}`, /^Bearer/);
      assert.not.match(body, wrong);
    }
    assert.is(guarded.gateway.sessions, 0);
  });

  test(`${name}: a key's entries and session length bound its sessions`, async () => {
    guarded = await guard({ maxEntries: 7 });
    const came = await attempt(address(path), { headers: { authorization: `Bearer ${guarded.key}` } });
    const { begin } = PROTOCOLS.find((protocol) => protocol.name === name)!;
    if (begin !== undefined) came.ws.send(begin);
    while (guarded.configs.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.is(guarded.configs[0]!.maxEntries, 7);
    hangUp(came);
  });

  test(`${name}: sessions of a key that is revoked are told and closed, and it lets in no more`, async () => {
    guarded = await guard();
    const { gateway, key, keyFile, keyring } = guarded;
    const options = { headers: { authorization: `Bearer ${key}` } };
    const came = await attempt(address(path), options);
    await writeKeyFile(keyFile, []);
    gateway.revoke(await keyring.reload());
    assert.is(await came.closed, 4401);
    assert.match(came.messages.at(-1)!, /access_revoked/);
    assert.is((await attempt(address(path), options)).status, 401);
  });
}

test('a browser says its token in the subprotocols, and only what is no secret is confirmed', async () => {
  guarded = await guard();
  const native = await attempt(address('/v1/stream'), { protocols: ['lexigate.v1', 'bearer', guarded.key] });
  assert.is(native.ws.protocol, 'lexigate.v1');
  const deepgram = await attempt(address(PROTOCOLS[1].path), { protocols: ['token', guarded.key] });
  assert.is(deepgram.ws.protocol, 'token');
  hangUp(native, deepgram);
});

test('a key is exchanged for a token that lets in, with limits that only narrow those of the key', async () => {
  guarded = await guard({ maxEntries: 50, maxSessionSeconds: 60 });
  const { gateway, key, configs } = guarded;
  const headers = { authorization: `Bearer ${key}` };
  const body = JSON.stringify({
    seconds: 30,
    limits: { maxEntries: 100, maxSessionSeconds: 20, maxConnections: 1 },
  });
  const answer = await ask(gateway, '/v1/token', { method: 'POST', headers, body });
  assert.is(answer.status, 200);
  assert.is(answer.headers['cache-control'], 'no-store');
  const { token, expiresInSeconds } = JSON.parse(answer.body) as { token: string; expiresInSeconds: number };
  assert.is(expiresInSeconds, 30);
  const came = await attempt(address('/v1/stream'), { protocols: ['lexigate.v1', 'bearer', token] });
  came.ws.send(PROTOCOLS[0].begin);
  await once(came.ws, 'message');
  assert.match(came.messages[0]!, /"maxSessionSeconds":20/);
  assert.is(configs[0]!.maxEntries, 50);
  const second = await attempt(address('/v1/stream'), { protocols: ['lexigate.v1', 'bearer', token] });
  assert.is(second.status, 429);
  hangUp(came);
});

test("Deepgram's SDK is granted a token, and told in its own words where it is not", async () => {
  guarded = await guard();
  const base = new URL(guarded.gateway.url.replace('ws:', 'http:')).origin;
  const environment = { base, production: base, agent: base, agentRest: base };
  const { auth } = new DeepgramClient({ apiKey: guarded.key, environment });
  const { access_token: token, expires_in: seconds } = await auth.v1.tokens.grant({ ttl_seconds: 60 });
  assert.is(seconds, 60);
  assert.is((await auth.v1.tokens.grant()).expires_in, 30);
  const came = await attempt(address(PROTOCOLS[1].path), { headers: { authorization: `Bearer ${token}` } });
  assert.is(came.status, 101);
  hangUp(came);
  const refused = await auth.v1.tokens.grant({ ttl_seconds: 601 }).then(() => undefined, String);
  assert.match(refused!, /BAD_REQUEST.*ttl_seconds must be <= 600/s);
});

test('what a credential is worth is told, and what is no use of it refused', async () => {
  guarded = await guard();
  const { gateway, key, keyring, keyId } = guarded;
  const token = await keyring.issue(keyId, 60, {});
  const asks = async (credential: string, more: object = {}): Promise<string> => {
    const headers = credential === '' ? {} : { authorization: `Bearer ${credential}` };
    const { status, body } = await ask(gateway, '/v1/token', { headers, ...more });
    return `${status} ${body.trim()}`;
  };
  assert.is(await asks(key), '200 {"credential":"key"}');
  assert.match(await asks(token), /^200 {"credential":"token","expiresInSeconds":(60|59)}$/);
  assert.match(await asks(''), /^401/);
  const post = { method: 'POST' };
  assert.match(await asks(token, post), /^403 .*send the key/);
  assert.match(await asks(key, { ...post, body: '{"seconds":601}' }), /^400 .*seconds must be <= 600/);
  assert.match(await asks(key, { ...post, body: '{"second":1}' }), /^400 .*"second", which does not exist/);
  assert.match(await asks(key, { ...post, body: '{' }), /^400 .*JSON/);
  assert.match(await asks(key, { ...post, body: ' '.repeat(5000) }), /^400 .*4096 bytes/);
  assert.match(await asks(key, post), /^200 .*"expiresInSeconds":300/);
  assert.match(await asks(key, { method: 'DELETE' }), /^405/);
});

test('pages of elsewhere are refused before their key is looked at, and those that are allowed are not', async () => {
  const origins = new Origins({ allowed: ['https://app.example'], loopbackOnly: true });
  guarded = await guard({}, { origins });
  const from = (origin: string): Promise<Attempt> =>
    attempt(address('/v1/stream'), { headers: { authorization: `Bearer ${guarded.key}`, origin } });
  const evil = await from('https://evil.example');
  assert.is(evil.status, 403);
  assert.match(evil.body, /--allow-origin https:\/\/evil\.example/);
  for (const origin of ['https://app.example', new URL(guarded.gateway.url).origin.replace('ws', 'http')]) {
    const came = await from(origin);
    assert.is(came.status, 101, origin);
    hangUp(came);
  }
});

test('what a proxy says of the name is believed only where there is one', async () => {
  const origins = new Origins({ allowed: [], loopbackOnly: false });
  const headers = {
    origin: 'https://captions.example',
    'x-forwarded-host': 'evil.example, captions.example',
  };
  for (const trustProxy of [true, false]) {
    guarded = await guard({}, { origins, trustProxy });
    const authorization = `Bearer ${guarded.key}`;
    const came = await attempt(address('/v1/stream'), { headers: { ...headers, authorization } });
    assert.is(came.status, trustProxy ? 101 : 403);
    hangUp(came);
    if (trustProxy) await guarded.stop();
  }
});

test('a handshake that is no handshake leaves no place taken', async () => {
  guarded = await guard({ maxConnections: 1 });
  const headers = {
    authorization: `Bearer ${guarded.key}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'none',
  };
  for (let i = 0; i < 3; i++) {
    assert.is((await ask(guarded.gateway, '/v1/stream', { headers })).status, 400);
  }
  const came = await attempt(address('/v1/stream'), { headers: { authorization: `Bearer ${guarded.key}` } });
  assert.is(came.status, 101);
  hangUp(came);
  await nobodyLeft();
});

test('with a certificate the gateway speaks wss and https, and nothing else', async () => {
  const folder = join(packageRoot(), 'test', 'fixtures', 'tls');
  const [cert, key] = await Promise.all(['cert.pem', 'key.pem'].map((name) => readFile(join(folder, name))));
  guarded = await guard({}, { tls: { cert: cert!, key: key! } });
  assert.match(guarded.gateway.url, /^wss:/);
  const headers = { authorization: `Bearer ${guarded.key}` };
  const came = await attempt(address('/v1/stream'), { headers, ca: cert! });
  assert.is(came.status, 101);
  hangUp(came);
  guarded.gateway.renewTls({ cert: cert!, key: key! });
  const again = await attempt(address('/v1/stream'), { headers, ca: cert! });
  assert.is(again.status, 101);
  hangUp(again);
  const plain = address('/v1/stream').replace('wss:', 'ws:');
  assert.match(await attempt(plain, { headers }).then(() => 'connected', String), /hang up|ECONNRESET/);
});

test.run();
