import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Credential, credentialOf } from '../src/compat/deepgram-credential.js';
import type { ConnectionRequest } from '../src/session/endpoint.js';
import { LINEAR16, request, shake } from './compat-deepgram-support.js';

const test = suite('Deepgram: who comes');

const WAYS: readonly [ConnectionRequest, Credential][] = [
  [request(LINEAR16, { headers: { authorization: 'Token k1' } }), { kind: 'token', key: 'k1' }],
  [request(LINEAR16, { headers: { authorization: 'bearer k2' } }), { kind: 'bearer', key: 'k2' }],
  [request(LINEAR16, { protocols: ['token', 'k3'] }), { kind: 'token', key: 'k3' }],
  [
    request(LINEAR16, { protocols: ['bearer', 'k4', 'x-deepgram-session-id', 's'] }),
    { kind: 'bearer', key: 'k4' },
  ],
  [request(`${LINEAR16}&token=k5`), { kind: 'token', key: 'k5' }],
  [request(`${LINEAR16}&access_token=k6`), { kind: 'bearer', key: 'k6' }],
];

test('a key is found in the header, in the subprotocols of a browser and in the query', () => {
  for (const [asked, credential] of WAYS) assert.equal(credentialOf(asked), credential);
});

test('with no keys to compare, who brings any or none is let in', () => {
  for (const [asked] of WAYS) assert.ok(shake(asked).accept);
  assert.ok(shake(request(LINEAR16)).accept);
  assert.is(credentialOf(request(LINEAR16, { headers: { authorization: 'Basic eDp5' } })), undefined);
});

test('a browser is told the kind of its key, and the key goes nowhere', () => {
  const handshake = shake(request(LINEAR16, { protocols: ['token', 'secret'] }));
  assert.is(handshake.accept && handshake.protocol, 'token');
  assert.not.match(JSON.stringify(handshake), /secret/);
  const none = shake(request(LINEAR16));
  assert.ok(none.accept && none.protocol === undefined);
});

test('where keys are compared, a wrong one is HTTP 401 in the shape of Deepgram, without the key', () => {
  const authorised = (credential: Credential | undefined): boolean => credential?.key === 'right';
  const ask = (key: string): ReturnType<typeof shake> =>
    shake(request(LINEAR16, { headers: { authorization: `Token ${key}` } }), { authorised });
  assert.ok(ask('right').accept);
  const refused = ask('wrong');
  assert.is(refused.accept ? 0 : refused.status, 401);
  assert.is(refused.error!['err_code'], 'INVALID_AUTH');
  assert.not.match(JSON.stringify(refused), /wrong/);
});

test.run();
