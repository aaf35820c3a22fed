import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Gateway } from '../src/server/gateway.js';
import { readPage } from '../src/server/page.js';
import { packageRoot } from '../src/util/package-root.js';

const test = suite('page server');

let gateway: Gateway;

test.before(async () => {
  gateway = await Gateway.start({
    endpoints: [],
    page: await readPage(join(packageRoot(), 'build', 'page')),
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    maxPayload: 1,
  });
});
test.after(() => gateway.stop({ graceMs: 0 }));

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** @param path sent as it is: a client that cleans it up would test nothing */
function ask(path: string, method = 'GET', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

test('every file that the pages name is there, with its type', async () => {
  const types: Record<string, RegExp> = { js: /^text\/javascript/, css: /^text\/css/, svg: /^image\/svg/ };
  for (const path of ['/', '/projector']) {
    const { status, headers, body } = await ask(path);
    assert.is(status, 200);
    assert.match(headers['content-type'] as string, /^text\/html; charset=utf-8$/);
    const named = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
    assert.ok(named.length >= 3);
    for (const name of named) {
      const file = await ask(`/${name}`);
      assert.is(file.status, 200, name);
      const type = types[name.split('.')[1] ?? ''] ?? /^text\/html/;
      assert.match(file.headers['content-type'] as string, type, name);
    }
  }
});

test('the page may run and load nothing but its own', async () => {
  const { headers, body } = await ask('/');
  const policy = headers['content-security-policy'] as string;
  assert.match(policy, /default-src 'none'/);
  assert.not.match(policy, /unsafe|\*|https?:|data:|blob:/);
  assert.is(headers['x-content-type-options'], 'nosniff');
  assert.not.match(body, /https?:\/\/|<style|style=|<script>| on[a-z]+=/);
});

test('no path leads out of the table', async () => {
  for (const path of [
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/package.json',
    '/index.html',
    '//',
    '/page.js/',
    '/page.js%00',
    '/constructor',
    '/__proto__',
  ]) {
    assert.is((await ask(path)).status, 404, path);
  }
});

test('a browser that has the file already is told so', async () => {
  const first = await ask('/page.js');
  const etag = first.headers['etag'] as string;
  assert.is(first.headers['cache-control'], 'no-cache');
  const again = await ask('/page.js', 'GET', { 'If-None-Match': `"other", ${etag}` });
  assert.is(again.status, 304);
  assert.is(again.body, '');
  assert.is((await ask('/page.js', 'GET', { 'If-None-Match': '"other"' })).status, 200);
});

test('HEAD gives the headers alone, and nothing may be written', async () => {
  const { status, headers, body } = await ask('/', 'HEAD');
  assert.is(status, 200);
  assert.ok(Number(headers['content-length']) > 0);
  assert.is(body, '');
  const post = await ask('/', 'POST');
  assert.is(post.status, 405);
  assert.is(post.headers['allow'], 'GET, HEAD');
});

test('the query is of no matter to a file', async () => {
  assert.is((await ask('/projector?size=9vmin')).status, 200);
});

test('a page that is not built is an error that says so', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'lexigate-'));
  try {
    await readPage(empty);
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /not built/);
  } finally {
    await rm(empty, { recursive: true });
  }
});

test.run();
