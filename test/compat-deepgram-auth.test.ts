import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takeCredential } from '../src/access/credential.js';
import { deepgramEndpoint } from '../src/compat/deepgram.js';
import type { ConnectionRequest } from '../src/session/endpoint.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { LINEAR16, request, shake } from './compat-deepgram-support.js';
import { DESCRIPTION, FakeRecogniser } from './session-support.js';

const test = suite('Deepgram: who comes');

const WAYS: readonly [ConnectionRequest, string][] = [
  [request(LINEAR16, { headers: { authorization: 'Token k1' } }), 'k1'],
  [request(LINEAR16, { headers: { authorization: 'bearer k2' } }), 'k2'],
  [request(LINEAR16, { protocols: ['token', 'k3'] }), 'k3'],
  [request(LINEAR16, { protocols: ['bearer', 'k4', 'x-deepgram-session-id', 's'] }), 'k4'],
  [request(`${LINEAR16}&token=k5`), 'k5'],
  [request(`${LINEAR16}&access_token=k6`), 'k6'],
];

test('a key is found in the header, in the subprotocols of a browser and in the query, and taken off', () => {
  for (const [asked, key] of WAYS) {
    const { credential, request: bare } = takeCredential(asked);
    assert.is(credential, key);
    assert.not.match(JSON.stringify([bare.url.href, bare.headers, bare.protocols]), key);
    assert.ok(shake(bare).accept);
  }
});

test('who brings none, or one of another kind, has none', () => {
  const basic = request(LINEAR16, { headers: { authorization: 'Basic eDp5' } });
  for (const asked of [request(LINEAR16), basic]) assert.is(takeCredential(asked).credential, undefined);
});

test('a browser is told the kind of its key', () => {
  const { request: bare } = takeCredential(request(LINEAR16, { protocols: ['token', 'secret'] }));
  const handshake = shake(bare);
  assert.is(handshake.accept && handshake.protocol, 'token');
  const none = shake(request(LINEAR16));
  assert.ok(none.accept && none.protocol === undefined);
});

test('refusals of the gateway are in the shape of Deepgram', () => {
  const recognisers = { description: DESCRIPTION, open: async () => new FakeRecogniser() };
  const endpoint = deepgramEndpoint({ recognisers, limits: DEFAULT_LIMITS });
  const codes = { 401: 'INVALID_AUTH', 429: 'TOO_MANY_REQUESTS', 503: 'SERVICE_UNAVAILABLE' };
  for (const [status, code] of Object.entries(codes)) {
    const headers = { 'Retry-After': '5' };
    const refusal = { accept: false, status: Number(status), message: 'Not now.', headers } as const;
    const told = endpoint.refusal!(refusal);
    const body = JSON.parse(told.message) as Readonly<Record<string, string>>;
    assert.is(told.status, refusal.status);
    assert.is(body['err_code'], code);
    assert.is(body['err_msg'], 'Not now.');
    assert.is(told.headers!['dg-request-id'], body['request_id']);
    assert.is(told.headers!['Retry-After'], '5');
  }
});

test.run();
