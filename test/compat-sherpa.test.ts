import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWav } from '../src/audio/wav.js';
import { SHERPA_ROOT_PATH, sherpaEndpoint } from '../src/compat/sherpa.js';
import type { SherpaResult } from '../src/compat/sherpa-reply.js';
import { packageRoot } from '../src/util/package-root.js';
import { PlainClient, type Served, serveAsIn, serveFake } from './compat-vosk-support.js';

const test = suite('sherpa-onnx clients');

/** 8000 samples, as the samples send. */
const FRAME = new Uint8Array(4 * 8000);

let served: Served;
test.before.each(async () => {
  served = await serveFake((environment) => [
    sherpaEndpoint(environment),
    sherpaEndpoint(environment, SHERPA_ROOT_PATH),
  ]);
});
test.after.each(() => served.gateway.stop({ graceMs: 0 }));

function connect(path = '/sherpa'): Promise<PlainClient> {
  return PlainClient.connect(served.address + path);
}

/** As `online-websocket-client-decode-file.py` does: send everything, then `Done`, and read until `Done!`. */
async function decode(client: PlainClient, frames: readonly Uint8Array[]): Promise<SherpaResult[]> {
  const results: SherpaResult[] = [];
  const received = (async () => {
    for (let text = await client.recv(); text !== 'Done!'; text = await client.recv()) {
      results.push(JSON.parse(text) as SherpaResult);
    }
  })();
  for (const frame of frames) client.send(frame);
  client.send('Done');
  await received;
  assert.is((await client.closed).code, 1000);
  assert.equal(await client.rest(), []);
  return results;
}

function frames(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => FRAME);
}

test('a file is decoded segment by segment, then the end, Done! and the close', async () => {
  const results = await decode(await connect(), frames(6));
  // 3 s are 9 chunks of 0.32 s; every fourth word ends a segment
  assert.equal(
    results.filter((result) => result.is_final).map(({ text, segment }) => [segment, text]),
    [
      [0, 'w0 w1 w2 w3'],
      [1, 'w4 w5 w6 w7'],
      [2, 'w8'],
    ],
  );
  assert.equal(
    results.map((result) => result.is_eof),
    results.map((_, i) => i === results.length - 1),
  );
  assert.equal(
    served.recognisers.map(({ config }) => [config.audio, config.endpoint.trailingBlankMs]),
    [[{ encoding: 'f32le', sampleRate: 16_000, channels: 1 }, 1200]],
  );
});

test('results have the members of sherpa-onnx, with a token a word and times within the segment', async () => {
  const results = await decode(await connect(), frames(4));
  assert.equal(results.at(-1), {
    text: 'w4 w5',
    tokens: [' w4', ' w5'],
    timestamps: [0, 0.1],
    ys_probs: [],
    lm_probs: [],
    context_scores: [],
    words: [],
    segment: 1,
    start_time: 1,
    is_final: true,
    is_eof: true,
  });
  assert.not(results[0]!.is_final);
  assert.is(results[0]!.text, 'w0');
});

test('audio that ends in silence, or never came, has an empty last result', async () => {
  const [end, ...more] = await decode(await connect(), []);
  assert.equal(more, []);
  assert.ok(end!.is_final && end!.is_eof && end!.text === '' && end!.segment === 0);
  const client = await connect();
  // 1.28 s: the fourth word ends its segment, and nothing is behind it
  const results = await decode(client, [new Uint8Array(4 * 20_480)]);
  assert.is(results.at(-2)!.text, 'w0 w1 w2 w3');
  assert.is(results.at(-1)!.text, '');
  assert.is(results.at(-1)!.segment, 1);
});

test('clients that can only be told host and port are served at the root', async () => {
  assert.is((await decode(await connect('/'), frames(2))).at(-1)!.text, 'w0 w1 w2');
});

test('what comes behind Done is not heard', async () => {
  const client = await connect();
  client.send(FRAME);
  client.send('Done');
  client.send(FRAME);
  client.send('Done');
  const messages = await client.rest();
  assert.is(messages.filter((text) => text === 'Done!').length, 1);
  assert.is(served.recognisers[0]!.commands.filter(({ type }) => type === 'audio').length, 1);
});

test('what is not offered is refused with a sentence, in a frame and in the close', async () => {
  const refused: readonly [string | Uint8Array, RegExp, number][] = [
    ['{"config": {"sample_rate": 8000}}', /Done.*\/vosk/, 4400],
    [new Uint8Array(7), /7 bytes, not a multiple of 4/, 4400],
  ];
  for (const [frame, pattern, closeCode] of refused) {
    const client = await connect();
    client.send(frame);
    const { error } = JSON.parse(await client.recv()) as { error: string };
    assert.match(error, pattern);
    const { code, reason } = await client.closed;
    assert.is(code, closeCode);
    assert.ok(reason.length > 40 && error.startsWith(reason));
  }
  try {
    await connect('/sherpa?sample_rate=8000');
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /400 .*"sample_rate".*16 kHz/);
  }
});

test('a shutdown is told before the close, and a client that is gone frees its recogniser', async () => {
  const gone = await connect();
  gone.ws.terminate();
  const client = await connect();
  for (const frame of frames(2)) client.send(frame);
  await client.recv();
  while (served.gateway.sessions > 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(
    served.recognisers.map(({ closed }) => closed),
    [true, false],
  );
  await served.gateway.stop({ graceMs: 0 });
  assert.is((await client.closed).code, 1001);
  assert.match((await client.rest()).at(-1)!, /shutting down/);
  served = await serveFake((environment) => [sherpaEndpoint(environment)]);
});

test('with the real model, speech is written down', async () => {
  const samples = readWav(readFileSync(join(packageRoot(), 'samples', 'after.wav'))).channels[0]!;
  const packets: Uint8Array[] = [];
  for (let at = 0; at < samples.length; at += 8000) {
    packets.push(new Uint8Array(samples.slice(at, at + 8000).buffer));
  }
  const service = await serveAsIn('sherpa.md');
  try {
    const client = await PlainClient.connect(`${service.address}/sherpa`);
    const results = await decode(client, packets);
    const heard = results.filter((result) => result.is_final);
    assert.match(results.at(-1)!.text, /meeting/, 'a client that shows the last result shows words');
    assert.match(heard.map(({ text }) => text).join(' '), /^thank you please tell .* the meeting/);
    for (const { text, tokens, timestamps } of heard) {
      assert.is(tokens.join('').trim(), text);
      assert.ok(timestamps.every((time, i) => time >= (timestamps[i - 1] ?? 0)));
    }
  } finally {
    await service.stop();
  }
});

test.run();
