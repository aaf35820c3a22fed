import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createApiKey, formatApiKey, hashSecret, parseApiKey, secretMatches } from '../src/access/api-key.js';
import { isRefusal, type Principal } from '../src/access/authenticator.js';
import { takeCredential } from '../src/access/credential.js';
import { type KeyRecord, readKeyFile, writeKeyFile } from '../src/access/key-file.js';
import { Keyring } from '../src/access/keyring.js';
import { isLoopback, Origins } from '../src/access/origins.js';
import { Quotas } from '../src/access/quotas.js';
import { Tokens } from '../src/access/tokens.js';
import type { Refusal } from '../src/session/endpoint.js';

let folder: string;
let file: string;
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  file = join(folder, 'keys.json');
});
test.after.each(() => rm(folder, { recursive: true }));

function record(more: Partial<KeyRecord> = {}): { text: string; record: KeyRecord } {
  const key = createApiKey();
  const hash = hashSecret(key.secret);
  return { text: formatApiKey(key), record: { id: key.id, hash, created: '2026-01-01T00:00:00Z', ...more } };
}

function message(answer: Principal | Refusal): string {
  return isRefusal(answer) ? `${answer.status} ${answer.message}` : 'let in';
}

async function rejection(what: Promise<unknown>): Promise<string> {
  return what.then(
    () => 'nothing was wrong',
    (error: unknown) => String(error),
  );
}

test('a key is read as it was written, fits a subprotocol, and only its own secret matches its hash', () => {
  for (let i = 0; i < 200; i++) {
    const key = createApiKey();
    const text = formatApiKey(key);
    assert.match(text, /^[\w-]+$/);
    assert.equal(parseApiKey(text), key);
    const hash = hashSecret(key.secret);
    assert.ok(secretMatches(key.secret, hash));
    assert.not(secretMatches(createApiKey().secret, hash));
    assert.not(secretMatches(`${key.secret}x`, hash));
    assert.not.match(hash, key.secret);
  }
  assert.not(secretMatches('x', 'sha256:short'));
});

test('what is no key is none', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.is(parseApiKey(text), undefined);
    }),
  );
});

test('whatever a request is like, its credential is found and stands nowhere behind', () => {
  const name = fc.constantFrom('lexigate.v1', 'token', 'bearer', 'x');
  fc.assert(
    fc.property(
      fc.array(name, { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('token', 'access_token', 'keyterm'), fc.string()),
      fc.constantFrom('header', 'subprotocol', 'query'),
      fc.constantFrom('Bearer', 'token'),
      (names, query, where, scheme) => {
        const key = formatApiKey(createApiKey());
        const url = new URL(`http://gateway/?${new URLSearchParams(query)}`);
        if (where === 'query') {
          url.searchParams.delete('access_token');
          url.searchParams.delete('token');
          url.searchParams.append('token', key);
        }
        const before = where === 'query' ? names.filter((each) => !/token|bearer/.test(each)) : names;
        const protocols =
          where === 'subprotocol' ? ['lexigate.v1', scheme.toLowerCase(), key, ...names] : before;
        const headers = where === 'header' ? { authorization: `${scheme} ${key}` } : {};
        const { credential, request } = takeCredential({ url, headers, protocols });
        assert.is(credential, key);
        assert.not.match(JSON.stringify([request.url.href, request.headers, request.protocols]), key);
      },
    ),
  );
});

test('a key file keeps hashes and no secrets, is for its owner alone, and is read as it was written', async () => {
  const { text, record: written } = record({ name: 'call centre', limits: { maxConnections: 3 } });
  await writeKeyFile(file, [written]);
  assert.equal(await readKeyFile(file), [written]);
  assert.not.match(await readFile(file, 'utf8'), parseApiKey(text)!.secret);
  assert.is((await stat(file)).mode & 0o777, 0o600);
});

test('a key file that is none is an error with its name and its fault', async () => {
  const { record: one } = record();
  const faults: readonly [string, RegExp][] = [
    ['{', /JSON/],
    ['[]', /must be object/],
    ['{"keys":[{"id":"abcdefgh","created":""}]}', /keys\/0 must have required property 'hash'/],
    [JSON.stringify({ keys: [{ ...one, secret: 'x' }] }), /"secret", which does not exist/],
    [JSON.stringify({ keys: [{ ...one, limits: { maxWords: 1 } }] }), /"maxWords"/],
    [
      JSON.stringify({ keys: [{ ...one, limits: { maxEntries: 0 } }] }),
      /keys\/0\/limits\/maxEntries must be >= 1/,
    ],
    [JSON.stringify({ keys: [one, one] }), /twice/],
  ];
  for (const [text, fault] of faults) {
    await writeFile(file, text);
    const said = await rejection(readKeyFile(file));
    assert.match(said, fault);
    assert.match(said, file);
  }
  assert.match(await rejection(readKeyFile(join(folder, 'none.json'))), /lexigate keys add/);
});

test('a key is let in, and no other, whatever is wrong with it', async () => {
  const { text, record: known } = record();
  await writeKeyFile(file, [known]);
  const keyring = await Keyring.open({ file, tokens: new Tokens() });
  const answer = await keyring.authenticate(text);
  assert.is(!isRefusal(answer) && answer.keyId, known.id);
  assert.match(message(await keyring.authenticate(undefined)), /^401 .*Authorization: Bearer/);
  const other = record().text;
  const secret = parseApiKey(other)!.secret;
  for (const wrong of [
    other,
    formatApiKey({ id: known.id, secret }),
    `${text}x`,
    text.slice(0, -1),
    '',
    'lxg_',
  ]) {
    const said = message(await keyring.authenticate(wrong));
    assert.match(said, /^401 /);
    if (wrong.length > 4) assert.not.match(said, wrong);
  }
});

test('a token stands for its key until it expires, with the limits of both', async () => {
  let now = 1000;
  const tokens = new Tokens({ now: () => now });
  const { record: known } = record({ limits: { maxEntries: 10 } });
  await writeKeyFile(file, [known]);
  const keyring = await Keyring.open({ file, tokens });
  const token = await keyring.issue(known.id, 60, { maxEntries: 5, maxConnections: 1 });
  assert.match(token, /^[\w.-]+$/);
  const answer = await keyring.authenticate(token);
  assert.ok(!isRefusal(answer));
  const { tokenId, ...rest } = answer;
  assert.ok(tokenId);
  assert.equal(rest, {
    keyId: known.id,
    keyLimits: { maxEntries: 10 },
    tokenLimits: { maxEntries: 5, maxConnections: 1 },
    expiresInSeconds: 60,
  });
  now = 1059;
  assert.is(message(await keyring.authenticate(token)), 'let in');
  now = 1060;
  assert.match(message(await keyring.authenticate(token)), /^401 .*expired/);
});

test('a token of another secret, another issuer, another algorithm or another key is none', async () => {
  const secret = new Uint8Array(32).fill(7);
  const { record: known } = record();
  await writeKeyFile(file, [known]);
  const keyring = await Keyring.open({ file, tokens: new Tokens({ secret }) });
  const sign = (
    issuer: string,
    alg = 'HS256',
    audience = 'lexigate',
    limits: unknown = {},
  ): Promise<string> =>
    new SignJWT({ limits })
      .setProtectedHeader({ alg })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(known.id)
      .setJti('x')
      .setExpirationTime('1h')
      .sign(secret);
  assert.is(message(await keyring.authenticate(await sign('lexigate'))), 'let in');
  const [header, payload, signature] = (await sign('lexigate')).split('.');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  const strangers = [
    await new Tokens().issue(known.id, 60, {}),
    await keyring.issue('zzzzzzzz', 60, {}),
    await sign('another'),
    await sign('lexigate', 'HS512'),
    await sign('lexigate', 'HS256', 'another'),
    await sign('lexigate', 'HS256', 'lexigate', { maxEntries: -1 }),
    `${none}.${payload}.`,
    `${header}.${Buffer.from('{}').toString('base64url')}.${signature}`,
  ];
  for (const token of strangers) assert.match(message(await keyring.authenticate(token)), /^401 .*not known/);
});

test('a secret that is too short signs nothing', () => {
  assert.throws(() => new Tokens({ secret: new Uint8Array(31) }), /31 bytes.*32/);
});

test('a key that is taken out of the file is let in no more, nor are its tokens; a file that is broken changes nothing', async () => {
  const [kept, gone] = [record(), record()];
  await writeKeyFile(file, [kept.record, gone.record]);
  const keyring = await Keyring.open({ file, tokens: new Tokens() });
  const token = await keyring.issue(gone.record.id, 60, {});
  await writeFile(file, '{');
  assert.match(await rejection(keyring.reload()), file);
  assert.is(message(await keyring.authenticate(gone.text)), 'let in');
  await writeKeyFile(file, [kept.record]);
  assert.equal(await keyring.reload(), [gone.record.id]);
  for (const credential of [gone.text, token]) {
    assert.match(message(await keyring.authenticate(credential)), /^401 /);
  }
  assert.is(message(await keyring.authenticate(kept.text)), 'let in');
});

test('a change of the file is noticed by itself, also where another file takes its place', async () => {
  await writeKeyFile(file, []);
  const keyring = await Keyring.open({ file, tokens: new Tokens() });
  const changed = new Promise<void>((resolve) => keyring.watch(resolve, { intervalMs: 5 }));
  // a watched file alone keeps no process
  const alive = setInterval(() => undefined, 1000);
  await writeKeyFile(file, [record().record]);
  await changed;
  clearInterval(alive);
  keyring.close();
});

test('connections are counted in all, per key and per token, and leaving gives the place back', () => {
  const quotas = new Quotas({ maxConnections: 5, maxConnectionsPerKey: 2 });
  const key = (keyId: string, more: Partial<Principal> = {}): Principal => ({
    keyId,
    keyLimits: {},
    tokenLimits: {},
    ...more,
  });
  const enter = (principal: Principal): number | (() => void) => {
    const entered = quotas.enter(principal);
    return typeof entered === 'function' ? entered : entered.status;
  };
  const leave = enter(key('a'));
  enter(key('a'));
  assert.is(enter(key('a')), 429);
  assert.is(typeof enter(key('b', { keyLimits: { maxConnections: 1 } })), 'function');
  assert.is(enter(key('b', { keyLimits: { maxConnections: 1 } })), 429);
  const token = key('c', { tokenId: 't', tokenLimits: { maxConnections: 1 } });
  assert.is(typeof enter(token), 'function');
  assert.is(enter(token), 429);
  assert.is(typeof enter({ keyLimits: {}, tokenLimits: {} }), 'function');
  assert.is(quotas.connections, 5);
  assert.is(enter(key('d')), 503);
  assert.ok(typeof leave === 'function');
  leave();
  assert.is(quotas.connections, 4);
  assert.is(typeof enter(key('a')), 'function');
});

test('counting never goes wrong: who is in is what has entered and not left', () => {
  const options = { maxConnections: 6, maxConnectionsPerKey: 3 };
  fc.assert(
    fc.property(
      fc.array(fc.record({ keyId: fc.constantFrom('a', 'b', 'c'), leaves: fc.boolean() })),
      (steps) => {
        const quotas = new Quotas(options);
        const inside: { readonly keyId: string; readonly leave: () => void }[] = [];
        for (const { keyId, leaves } of steps) {
          if (leaves) inside.shift()?.leave();
          else {
            const entered = quotas.enter({ keyId, keyLimits: {}, tokenLimits: {} });
            const own = inside.filter((each) => each.keyId === keyId).length;
            const room = inside.length < options.maxConnections && own < options.maxConnectionsPerKey;
            assert.is(typeof entered === 'function', room);
            if (typeof entered === 'function') inside.push({ keyId, leave: entered });
          }
          assert.is(quotas.connections, inside.length);
        }
      },
    ),
  );
});

test('the own page may connect, pages that are allowed too, others not, and what is no browser always', () => {
  const origins = new Origins({
    allowed: ['https://app.example', 'http://localhost:3000'],
    loopbackOnly: false,
  });
  const host = 'captions.example';
  for (const origin of [
    undefined,
    'https://captions.example',
    'http://captions.example',
    'https://app.example',
    'http://localhost:3000',
  ]) {
    assert.ok(origins.allow(origin, host), origin);
  }
  for (const origin of [
    'https://captions.example.evil.example',
    'https://captions.example:444',
    'https://evil.example',
    'http://app.example',
    'null',
    '',
  ]) {
    assert.not(origins.allow(origin, host), origin);
  }
  assert.ok(origins.allow('https://captions.example', 'captions.example:443'));
  assert.not(origins.allow('https://captions.example', undefined));
  assert.ok(new Origins({ allowed: ['*'], loopbackOnly: true }).allow('https://evil.example', host));
  assert.ok(new Origins({ allowed: ['null'], loopbackOnly: true }).allow('null', host));
});

test('a page whose name was made to point at this machine is told by its name', () => {
  const origins = new Origins({ allowed: [], loopbackOnly: true });
  assert.not(origins.allow('http://evil.example:8080', 'evil.example:8080'));
  for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080']) {
    assert.ok(origins.allow(`http://${host}`, host), host);
  }
});

test('what is no origin is an error', () => {
  for (const wrong of ['app.example', 'https://app.example/page', '']) {
    assert.throws(() => new Origins({ allowed: [wrong], loopbackOnly: false }), /no origin/, wrong);
  }
});

test('only names of this machine are of this machine', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]'])
    assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.evil.example', '']) {
    assert.not(isLoopback(host), host);
  }
});

test.run();
