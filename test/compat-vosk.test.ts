import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWav } from '../src/audio/wav.js';
import { voskEndpoint } from '../src/compat/vosk.js';
import type { VoskReply } from '../src/compat/vosk-reply.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import type { RecogniserCommand } from '../src/session/recogniser.js';
import { packageRoot } from '../src/util/package-root.js';
import { PlainClient, type Served, serveAsIn, serveFake } from './compat-vosk-support.js';
import { DESCRIPTION, FakeRecogniser } from './session-support.js';

const test = suite('vosk clients');

/** 0.2 s of 8 kHz, as the samples send. */
const FRAME = new Uint8Array(3200);

let served: Served;
test.before.each(async () => {
  served = await serveFake((environment) => [voskEndpoint(environment)]);
});
test.after.each(() => served.gateway.stop({ graceMs: 0 }));

function connect(query = ''): Promise<PlainClient> {
  return PlainClient.connect(`${served.address}/vosk${query}`);
}

async function receive(client: PlainClient): Promise<VoskReply> {
  return JSON.parse(await client.recv()) as VoskReply;
}

/** As `websocket/test.py` does: a reply is read behind each frame and behind eof. */
async function inTurns(
  client: PlainClient,
  frames: readonly Uint8Array[],
  config?: string,
): Promise<VoskReply[]> {
  if (config !== undefined) client.send(config);
  const replies: VoskReply[] = [];
  for (const frame of frames) {
    client.send(frame);
    replies.push(await receive(client));
  }
  client.send('{"eof" : 1}');
  replies.push(await receive(client));
  assert.equal(await client.rest(), []);
  return replies;
}

function frames(count: number, frame = FRAME): Uint8Array[] {
  return Array.from({ length: count }, () => frame);
}

function textsOf(replies: readonly VoskReply[]): string[] {
  return replies.flatMap((reply) => ('text' in reply && reply.text !== '' ? [reply.text] : []));
}

function commands<T extends RecogniserCommand['type']>(type: T): Extract<RecogniserCommand, { type: T }>[] {
  return served.recognisers[0]!.commands.filter(
    (command): command is Extract<RecogniserCommand, { type: T }> => command.type === type,
  );
}

async function failure(client: PlainClient): Promise<{ error: string; code: number }> {
  const { error } = JSON.parse(await client.recv()) as { error: string };
  const { code, reason } = await client.closed;
  assert.ok(error.startsWith(reason), reason);
  return { error, code };
}

test('a client that reads a reply behind each frame hears every segment once, then the end and the close', async () => {
  const client = await connect();
  const replies = await inTurns(client, frames(40), '{ "config" : { "sample_rate" : 8000 } }');
  assert.is(replies.length, 41);
  // 8 s are 25 chunks of 0.32 s
  const all = Array.from({ length: 25 }, (_, i) => `w${i}`).join(' ');
  assert.is(textsOf(replies).join(' '), all);
  const partials = replies.flatMap((reply) => ('partial' in reply ? [reply.partial] : []));
  assert.ok(partials.includes('w0 w1 w2'));
  assert.is((await client.closed).code, 1000);
});

test('a result names its words with confidence, begin and end', async () => {
  const replies = await inTurns(await connect(), frames(4));
  assert.equal(replies.at(-1), {
    text: 'w0 w1',
    result: [
      { conf: 0.5, start: 0, end: 0.05, word: 'w0' },
      { conf: 0.5, start: 0.1, end: 0.15, word: 'w1' },
    ],
  });
});

test('a client that does not wait gets as many replies as it sent frames, and no word twice', async () => {
  const client = await connect();
  for (const frame of frames(60)) client.send(frame);
  client.send('{"eof": 1}');
  const replies = (await client.rest()).map((text) => JSON.parse(text) as VoskReply);
  assert.is(replies.length, 61);
  assert.is(textsOf(replies).join(' ').split(' ').length, 37);
});

test('frames longer than everything that may wait are answered too', async () => {
  const replies = await inTurns(await connect(), frames(3, new Uint8Array(16_000 * 5)));
  assert.is(replies.length, 4);
  assert.is(textsOf(replies).join(' ').split(' ').length, 46);
});

test('without a config the audio has 8000 Hz, and an address may say otherwise', async () => {
  await inTurns(await connect(), frames(1));
  await inTurns(await connect('?sample_rate=16000'), frames(1));
  assert.equal(
    served.recognisers.map(({ config }) => config.audio),
    [
      { encoding: 's16le', sampleRate: 8000, channels: 1 },
      { encoding: 's16le', sampleRate: 16_000, channels: 1 },
    ],
  );
});

test('a frame is answered while the recogniser is not open yet', async () => {
  await served.gateway.stop({ graceMs: 0 });
  served = await serveFake((environment) => [voskEndpoint(environment)], {
    open: () => new Promise(() => undefined),
  });
  const client = await connect();
  client.send(FRAME);
  assert.equal(await receive(client), { partial: '' });
  client.ws.terminate();
});

test('replies are held back while recognition is behind, and come once it has caught up', async () => {
  await served.gateway.stop({ graceMs: 0 });
  const recogniser = new FakeRecogniser();
  served = await serveFake((environment) => [voskEndpoint(environment)], { open: async () => recogniser });
  const client = await connect();
  // 1.78 s may be undecided: twice the latency and half a second
  for (const frame of frames(11)) client.send(frame);
  for (let i = 0; i < 9; i++) assert.equal(await receive(client), { partial: '' });
  const tenth = client.recv();
  // whatever the server had sent by now would be here before its pong
  client.ws.ping();
  const first = await Promise.race([
    tenth,
    new Promise((resolve) => client.ws.once('pong', () => resolve('pong'))),
  ]);
  assert.is(first, 'pong');
  for (const sample of [2560, 5120]) recogniser.happened.next({ type: 'progress', sample });
  assert.is(await tenth, '{"partial":""}');
  recogniser.happened.next({ type: 'progress', sample: 7680 });
  assert.equal(await receive(client), { partial: '' });
  client.ws.terminate();
});

test('reset ends the segment with a result, and the audio goes on', async () => {
  const client = await connect();
  for (const frame of frames(4)) {
    client.send(frame);
    await receive(client);
  }
  client.send('{"reset" : 1}');
  assert.equal(textsOf([await receive(client)]), ['w0 w1']);
  client.send('{"reset":true}');
  assert.equal(await receive(client), { text: '' });
  const replies = await inTurns(client, frames(4));
  assert.match(textsOf(replies).join(' '), /^w2 w3/);
});

test('reset and eof before any audio are answered with nothing heard', async () => {
  const client = await connect();
  client.send('{"reset":1}');
  assert.equal(await receive(client), { text: '' });
  assert.equal(await inTurns(client, []), [{ text: '' }]);
  assert.is((await client.closed).code, 1000);
  assert.is(served.recognisers.length, 0);
});

test('a phrase list may change in mid-stream; the next reply says what came of it', async () => {
  const client = await connect();
  client.send('{"config": {"phrase_list": ["zero one two", "[unk]"]}}');
  client.send(FRAME);
  await receive(client);
  client.send('{"config": {"phrase_list": ["Ada Lovelace"]}}');
  client.send('{"config": {"phrase_list": []}}');
  const replies = await inTurns(client, frames(3));
  assert.equal(
    commands('vocabulary').map(({ change }) => 'replace' in change && change.replace.map(({ text }) => text)),
    [['zero one two'], ['Ada Lovelace'], []],
  );
  const told = replies.flatMap((reply) => (reply.phrase_list === undefined ? [] : [reply.phrase_list]));
  assert.equal(told.at(-1), { entries: 0, rejected: [{ text: '!', reason: 'no letters' }] });
});

test('a phrase list that cannot be used is told with the next reply, and the call goes on', async () => {
  const client = await connect();
  client.send(FRAME);
  await receive(client);
  client.send(JSON.stringify({ config: { phrase_list: ['x'.repeat(101)] } }));
  const [reply, ...others] = await inTurns(client, frames(4));
  assert.match((reply!.phrase_list as { error: string }).error, /at most 100 characters/);
  assert.equal(textsOf(others), ['w0 w1 w2']);
  assert.ok(others.every(({ phrase_list }) => phrase_list === undefined));
  assert.is(commands('vocabulary').length, 0);
});

test('words: 0 leaves the words out', async () => {
  const replies = await inTurns(await connect(), frames(4), '{"config": {"words": 0}}');
  assert.equal(replies.at(-1), { text: 'w0 w1' });
});

test('max_alternatives asks for a list of texts, the first one with its words', async () => {
  const replies = await inTurns(await connect(), frames(4), '{"config": {"max_alternatives": 2}}');
  assert.equal(replies.at(-1), {
    alternatives: [
      {
        text: 'w0 w1',
        confidence: 0.5,
        result: [
          { start: 0, end: 0.05, word: 'w0' },
          { start: 0.1, end: 0.15, word: 'w1' },
        ],
      },
      { text: 'w0 w1 or 1', confidence: 0.49 },
    ],
  });
  await inTurns(await connect(), frames(1), '{"config": {"max_alternatives": 20}}');
  assert.equal(
    served.recognisers.map(({ config }) => config.nBest),
    [2, 10],
  );
});

test('a frame may end within a sample: the next one begins with the rest of it', async () => {
  const client = await connect();
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
  await inTurns(client, [bytes.slice(0, 33), bytes.slice(33, 34), bytes.slice(34, 34), bytes.slice(34)]);
  assert.equal(
    commands('audio').flatMap((command) => [...command.bytes]),
    [...bytes],
  );
});

test('what is not offered is refused by name, with the reason in the close too', async () => {
  const refused: readonly [string, RegExp, number][] = [
    ['{"config": {"model": "fr"}}', /"model".*one model/, 4400],
    ['{"config": {"grammar": []}}', /"grammar".*phrase_list/, 4400],
    ['{"config": {"sample_rate": 96000}}', /96000.*8000 to 48000/, 4415],
    ['{"config": {"words": "yes"}}', /words is "yes"/, 4400],
    ['{"config": {"max_alternatives": -1}}', /max_alternatives is -1/, 4400],
    ['{"config": {"phrase_list": "one two"}}', /phrase_list is "one two".*array/, 4400],
    ['{"config": 3}', /config is 3/, 4400],
    ['{"speed": 3}', /"speed".*"eof"/, 4400],
    ['[]', /\[\]/, 4400],
    ['eof', /no JSON/, 4400],
  ];
  for (const [text, pattern, closeCode] of refused) {
    const client = await connect();
    client.send(text);
    const { error, code } = await failure(client);
    assert.match(error, pattern);
    assert.is(code, closeCode, text);
  }
});

test('rate and number of alternatives are settled with the first audio', async () => {
  for (const [late, pattern] of [
    ['{"config": {"sample_rate": 16000}}', /from 8000 to 16000/],
    ['{"config": {"max_alternatives": 3}}', /max_alternatives rises to 3/],
  ] as const) {
    const client = await connect();
    client.send(FRAME);
    await receive(client);
    client.send('{"config": {"sample_rate": 8000, "max_alternatives": 0}}');
    client.send(late);
    assert.match((await failure(client)).error, pattern);
  }
});

test('an address that asks for something else is refused before the connection stands', async () => {
  for (const [query, pattern] of [
    ['?sample_rate=11', /400 .*8000 to 48000/],
    ['?model=fr', /400 .*"model"/],
  ] as const) {
    try {
      await connect(query);
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), pattern);
    }
  }
});

test('a frame above the bound, silence and a shutdown end the connection with a sentence', async () => {
  const large = await connect();
  large.send(new Uint8Array(4 * 1024 * 1024 + 2));
  assert.match((await failure(large)).error, /4194306 bytes/);
  const last = await connect();
  await served.gateway.stop({ graceMs: 0 });
  assert.match((await failure(last)).error, /shutting down/);
  served = await serveFake((environment) => [voskEndpoint(environment)], { limits: { idleSeconds: 0.02 } });
  assert.match((await failure(await connect())).error, /No audio came/);
});

test('a client may take longer for its first audio than the native protocol gives for a start', async () => {
  await served.gateway.stop({ graceMs: 0 });
  served = await serveFake((environment) => [voskEndpoint(environment)], { limits: { startSeconds: 0.001 } });
  const client = await connect();
  for (let i = 0; i < 50; i++) {
    client.ws.ping();
    await Promise.race([client.closed, new Promise((resolve) => client.ws.once('pong', resolve))]);
  }
  assert.equal(await inTurns(client, []), [{ text: '' }]);
});

test('a client that never reads is given up', async () => {
  const sent: string[] = [];
  const closes: number[] = [];
  const endpoint = voskEndpoint({
    recognisers: { description: DESCRIPTION, open: async () => new FakeRecogniser() },
    limits: DEFAULT_LIMITS,
  });
  const socket = {
    send: (text: string) => sent.push(text),
    close: (code: number) => closes.push(code),
    setPaused: () => undefined,
    bufferedBytes: DEFAULT_LIMITS.maxOutputBytes + 1,
  };
  const connection = endpoint.connect(socket, { url: new URL('ws://x/vosk'), headers: {}, protocols: [] });
  connection.binary(FRAME);
  connection.binary(FRAME);
  assert.is(sent.length, 2);
  assert.match(sent[1]!, /wait to be read/);
  assert.equal(closes, [4499]);
});

test('a client that is gone frees its recogniser', async () => {
  const client = await connect();
  client.send(FRAME);
  await receive(client);
  client.ws.terminate();
  while (served.gateway.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(served.recognisers[0]!.closed);
});

test('with the real model, speech is written down, and right with the name in the phrase list', async () => {
  const wav = readWav(readFileSync(join(packageRoot(), 'samples', 'after.wav')));
  const bytes = new Uint8Array(
    Int16Array.from(wav.channels[0]!, (value) => Math.round(value * 32_767)).buffer,
  );
  const packets = Array.from({ length: Math.ceil(bytes.length / 6400) }, (_, i) =>
    bytes.slice(i * 6400, (i + 1) * 6400),
  );
  const service = await serveAsIn('vosk.md');
  try {
    const client = await PlainClient.connect(`${service.address}/vosk`);
    const config = { sample_rate: wav.sampleRate, phrase_list: ['Siobhan Kowalczyk', '[unk]'] };
    const replies = await inTurns(client, packets, JSON.stringify({ config }));
    assert.is(replies.length, packets.length + 1);
    assert.match(textsOf(replies).join(' '), /please tell Siobhan Kowalczyk that the meeting/);
    const words = replies.flatMap((reply) => ('text' in reply ? (reply.result ?? []) : []));
    assert.is(words.map(({ word }) => word).join(' '), textsOf(replies).join(' '));
    assert.ok(words.every(({ conf, start, end }) => conf! > 0 && start < end));
  } finally {
    await service.stop();
  }
});

test.run();
