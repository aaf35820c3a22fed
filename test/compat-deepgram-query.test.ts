import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HARMLESS, NOT_OFFERED, parseQuery, READ } from '../src/compat/deepgram-query.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { packageRoot } from '../src/util/package-root.js';
import { LINEAR16, listen, request, shake } from './compat-deepgram-support.js';

const test = suite('Deepgram: what may be asked for');

function parse(query: string): ReturnType<typeof parseQuery> {
  return parseQuery(new URLSearchParams(query), DEFAULT_LIMITS);
}

test('Opus needs no rate, and audio without a name comes in a container', () => {
  const asked = (query: string): string => {
    const { encoding, sampleRate } = parseQuery(new URLSearchParams(query), DEFAULT_LIMITS);
    return `${encoding} ${sampleRate}`;
  };
  assert.is(asked(''), 'contained 16000');
  assert.is(asked('encoding=ogg-opus&sample_rate=48000'), 'contained 16000');
  assert.is(asked('encoding=opus'), 'opus 16000');
});

test('four encodings of samples are taken, with the rate and channels of the query', async () => {
  const native = { linear16: 's16le', linear32: 'f32le', mulaw: 'mulaw', alaw: 'alaw' };
  for (const [name, encoding] of Object.entries(native)) {
    const { configs } = await listen(`encoding=${name}&sample_rate=8000&channels=2&multichannel=true`);
    assert.equal(configs[0]!.audio, { encoding, sampleRate: 8000, channels: 2 });
  }
});

test('what is left out has the default of Deepgram, one channel and no interim results', async () => {
  const { configs } = await listen(LINEAR16);
  const { audio, partials, vocabulary, endpoint } = configs[0]!;
  assert.equal(audio, { encoding: 's16le', sampleRate: 16_000, channels: 1 });
  assert.not(partials);
  assert.equal(vocabulary, []);
  assert.ok(endpoint.enabled);
});

test('booleans are read as the SDKs of both languages write them', () => {
  assert.ok(parse(`${LINEAR16}&interim_results=true&punctuate=True`).interimResults);
  assert.ok(parse(`${LINEAR16}&punctuate=True`).punctuated);
  assert.not(parse(`${LINEAR16}&interim_results=False`).interimResults);
  assert.throws(
    () => parse(`${LINEAR16}&vad_events=perhaps`),
    /vad_events is "perhaps"; it may be true or false/,
  );
});

test('endpointing sets the pause, within what the session can hear, or is off', async () => {
  const pauses = { 300: 300, 10: 100, 60000: 10_000 };
  for (const [asked, got] of Object.entries(pauses)) {
    const { endpoint } = (await listen(`${LINEAR16}&endpointing=${asked}`)).configs[0]!;
    assert.equal([endpoint.enabled, endpoint.silenceMs, endpoint.trailingBlankMs], [true, got, got]);
  }
  assert.not((await listen(`${LINEAR16}&endpointing=false`)).configs[0]!.endpoint.enabled);
});

test('keyterms are repeatable, hold spaces, and may end with a weight', async () => {
  const query = `${LINEAR16}&keyterm=Ada+Lovelace&keyterm=Siobhan:1.5&keyterm=Route:66%20West&keywords=snuffle:2`;
  assert.equal((await listen(query)).configs[0]!.vocabulary, [
    { text: 'Ada Lovelace', weight: 1, soundsLike: [] },
    { text: 'Siobhan', weight: 1.5, soundsLike: [] },
    { text: 'Route:66 West', weight: 1, soundsLike: [] },
    { text: 'snuffle', weight: 2, soundsLike: [] },
  ]);
});

test('English is spoken in all its regions and nothing else', () => {
  for (const language of ['en', 'en-US', 'en-gb']) parse(`${LINEAR16}&language=${language}`);
  for (const language of ['de', 'multi', 'es-419', 'english']) {
    assert.throws(() => parse(`${LINEAR16}&language=${language}`), /not offered, only English/);
  }
});

test('what is not offered is refused by name, unless it is switched off', () => {
  for (const name of NOT_OFFERED) {
    assert.throws(() => parse(`${LINEAR16}&${name}=yes`), new RegExp(`^${name} is not offered`));
    parse(`${LINEAR16}&${name}=false`);
  }
});

test('what changes nothing is accepted', () => {
  for (const name of HARMLESS) parse(`${LINEAR16}&${name}=nova-3`);
  parse(`${LINEAR16}&smart_format=true&tag=a&tag=b&extra=k:v`);
});

const REFUSED: Readonly<Record<string, RegExp>> = {
  'encoding=speex&sample_rate=16000':
    /encoding "speex" is not offered; send one of linear16, linear32, mulaw, alaw, opus, ogg-opus/,
  'encoding=opus&sample_rate=96000': /sample_rate is "96000"/,
  'encoding=constructor&sample_rate=48000': /encoding "constructor" is not offered/,
  'encoding=linear16': /sample_rate is missing/,
  'encoding=linear16&sample_rate=4000': /sample_rate is "4000"; it may be a whole number from 8000 to 48000/,
  'encoding=linear16&sample_rate=16e3': /sample_rate is "16e3"/,
  [`${LINEAR16}&channels=3`]: /channels is "3"; it may be a whole number from 1 to 2/,
  [`${LINEAR16}&sample_rate=8000`]: /sample_rate is there more than once/,
  [`${LINEAR16}&endpointing=soon`]: /endpointing is "soon"/,
  [`${LINEAR16}&utterance_end_ms=-1`]: /utterance_end_ms is "-1"/,
  [`${LINEAR16}&keyterms=Ada`]: /parameter "keyterms" is not known/,
  [`${LINEAR16}&keyterm=`]: /keyterm is empty/,
  [`${LINEAR16}&keyterm=Ada:-1`]: /keyterm "Ada:-1" has a weight/,
  [`${LINEAR16}&keyterm=${'a'.repeat(101)}`]: /has 101 characters; it may have 100/,
};

test('a query that cannot be had is HTTP 400 in the shape of Deepgram, with the request id', () => {
  for (const [query, reason] of Object.entries(REFUSED)) {
    const { error, ...handshake } = shake(request(query));
    assert.not(handshake.accept, query);
    if (handshake.accept) continue;
    assert.is(handshake.status, 400);
    assert.is(error!['err_code'], 'INVALID_QUERY_PARAMETER');
    assert.match(error!['err_msg']!, reason);
    assert.is(handshake.headers!['Content-Type'], 'application/json');
    assert.is(handshake.headers!['dg-request-id'], error!['request_id']!);
    assert.is(handshake.headers!['dg-error'], error!['err_msg']!);
  }
});

test('more keyterms than the vocabulary holds are refused before there is a stream', async () => {
  try {
    await listen(`${LINEAR16}&keyterm=a&keyterm=b`, { limits: { maxEntries: 1 } });
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /There are 2 keyterms; send at most 1/);
  }
});

test('the document names every parameter, under what becomes of it', () => {
  const text = readFileSync(join(packageRoot(), 'docs', 'deepgram.md'), 'utf8');
  const sections: Readonly<Record<string, readonly string[]>> = {
    Read: READ,
    'Accepted, without effect': HARMLESS,
    Refused: NOT_OFFERED,
  };
  for (const [heading, names] of Object.entries(sections)) {
    const section = text.split(`### ${heading}\n`)[1]?.split(/^#/m)[0] ?? '';
    const named = [...section.matchAll(/`([a-z_0-9]+)`/g)].map(([, name]) => name);
    for (const name of names) assert.ok(named.includes(name), `${name} is not under "${heading}"`);
  }
});

test.run();
