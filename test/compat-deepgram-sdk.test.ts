/** Deepgram's own clients, unmodified, against the whole gateway with the real model. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deepgram, DeepgramClient } from '@deepgram/sdk';
import { Command } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import WebSocket from 'ws';
import { OggOpusReader } from '../src/audio/ogg-opus.js';
import { readWav } from '../src/audio/wav.js';
import { type Service, startService } from '../src/cli/compose.js';
import { addSettings, readSettings } from '../src/cli/settings.js';
import type { ListenAnswer, ResultsMessage } from '../src/compat/deepgram-messages.js';
import { packageRoot } from '../src/util/package-root.js';
import { LINEAR16 } from './compat-deepgram-support.js';

const test = suite("Deepgram's own clients");

const PACKET = 3200;

let service: Service;
/** Scheme, host and port. */
let address: string;
test.before(async () => {
  const command = addSettings(new Command());
  command.parse(['--port', '0', '--workers', '1'], { from: 'user' });
  service = await startService(readSettings(command));
  address = service.url.replace(/\/v1\/stream$/, '');
});
test.after(() => service.stop({ graceMs: 0 }));

/** A bundled sentence as 16-bit samples, with a second of silence behind it. */
async function speech(name: string): Promise<Buffer> {
  const wav = readWav(await readFile(join(packageRoot(), 'samples', name)));
  const samples = Int16Array.from(wav.channels[0]!, (value) => Math.round(value * 32_767));
  return Buffer.concat([Buffer.from(samples.buffer), Buffer.alloc(2 * wav.sampleRate)]);
}

function transcript(results: readonly ResultsMessage[]): string {
  const finals = results.filter(({ is_final }) => is_final);
  return finals.map(({ channel }) => channel.alternatives[0]!.transcript).join(' ');
}

/** What both SDKs' sessions must have brought: a list that changed nothing before, and made the name right after. */
function checkSession(answers: readonly ListenAnswer[]): void {
  const results = answers.filter((answer) => answer.type === 'Results');
  const turn = results.findIndex(({ from_finalize }) => from_finalize) + 1;
  assert.match(transcript(results.slice(0, turn)), /could you put me through to/);
  assert.not.match(transcript(results.slice(0, turn)), /Siobhan Kowalczyk/);
  assert.match(
    transcript(results.slice(turn)),
    /please tell Siobhan Kowalczyk that the meeting starts at noon/,
  );
  assert.ok(results.some(({ is_final }) => !is_final));
  const finals = results.filter(({ is_final }) => is_final);
  const words = finals.flatMap(({ channel }) => channel.alternatives[0]!.words);
  assert.ok(words.every(({ start, end, confidence }) => start < end && confidence > 0 && confidence <= 1));
  assert.ok(words.every(({ word, punctuated_word }) => word === punctuated_word));
  let now = 0;
  for (const { start, duration } of finals) {
    assert.is(start, now);
    now = Number((start + duration).toFixed(3));
  }
  const metadata = answers.at(-1)!;
  assert.is(metadata.type, 'Metadata');
  assert.is('duration' in metadata && metadata.duration, now);
  const other = answers.map(({ type }) => type).filter((type) => type.startsWith('Configure'));
  assert.equal(other, ['ConfigureSuccess', 'ConfigureFailure', 'ConfigureSuccess']);
  assert.ok(answers.some(({ type }) => type === 'SpeechStarted'));
  assert.ok(answers.some(({ type }) => type === 'UtteranceEnd'));
}

function sdk(): DeepgramClient {
  const http = address.replace('ws', 'http');
  const environment = { base: http, production: address, agent: address, agentRest: http };
  return new DeepgramClient({ apiKey: 'secret', environment });
}

const ASKED = {
  model: 'nova-3',
  encoding: 'linear16',
  sample_rate: 16_000,
  reconnectAttempts: 0,
} as const;

type Connection = Awaited<ReturnType<DeepgramClient['listen']['v1']['connect']>>;

/** The SDK's connection, with what came over it so far. */
class Listener {
  readonly answers: ListenAnswer[] = [];
  readonly closed: Promise<number>;
  readonly #connection: Connection;
  #look = (): void => undefined;

  private constructor(connection: Connection) {
    this.#connection = connection;
    connection.on('message', (message) => {
      this.answers.push(message as ListenAnswer);
      this.#look();
    });
    this.closed = new Promise((resolve) => connection.on('close', ({ code }) => resolve(code)));
  }

  static async open(
    args: Partial<Parameters<DeepgramClient['listen']['v1']['connect']>[0]>,
  ): Promise<Listener> {
    const connection = await sdk().listen.v1.connect({ ...ASKED, ...args } as never);
    const listener = new Listener(connection);
    connection.connect();
    await connection.waitForOpen();
    return listener;
  }

  get connection(): Connection {
    return this.#connection;
  }

  say(audio: Buffer): void {
    for (let at = 0; at < audio.length; at += PACKET)
      this.#connection.sendMedia(audio.subarray(at, at + PACKET));
  }

  /** This version of the SDK has no method for it yet, but a socket. */
  configure(message: object): void {
    this.#connection.socket.send(JSON.stringify({ type: 'Configure', ...message }));
  }

  /** Resolves with the first answer behind those that came before, which fits. */
  async next(fits: (answer: ListenAnswer) => boolean, from = this.answers.length): Promise<ListenAnswer> {
    await new Promise<void>((resolve) => {
      this.#look = () => {
        if (this.answers.slice(from).some(fits)) resolve();
      };
      this.#look();
    });
    return this.answers.slice(from).find(fits)!;
  }
}

test('@deepgram/sdk: a session with Finalize, Configure in mid-stream, KeepAlive and CloseStream', async () => {
  const listener = await Listener.open({
    interim_results: 'true',
    punctuate: 'true',
    vad_events: 'true',
    utterance_end_ms: 1000,
    keyterm: ['Ada Lovelace', 'Grace Hopper'],
  });
  const { connection } = listener;
  listener.say(await speech('before.wav'));
  connection.sendFinalize({ type: 'Finalize' });
  await listener.next((answer) => answer.type === 'Results' && answer.from_finalize, 0);
  listener.configure({ keyterms: ['Siobhan Kowalczyk'] });
  const success = await listener.next(({ type }) => type.startsWith('Configure'));
  assert.equal('keyterms' in success && success.keyterms, ['Siobhan Kowalczyk']);
  listener.configure({ keyterms: ['a'.repeat(101)] });
  const failure = await listener.next(({ type }) => type.startsWith('Configure'));
  assert.is('code' in failure && failure.code, 'CONFIGURE_KEYTERM_LIMIT_EXCEEDED');
  listener.configure({ keyterms: null });
  const kept = await listener.next(({ type }) => type.startsWith('Configure'));
  assert.not('keyterms' in kept);
  connection.sendKeepAlive({ type: 'KeepAlive' });
  listener.say(await speech('after.wav'));
  connection.sendCloseStream({ type: 'CloseStream' });
  assert.is(await listener.closed, 1000);
  checkSession(listener.answers);
});

test('@deepgram/sdk: two speakers in two channels, each with results of its own', async () => {
  const listener = await Listener.open({ channels: 2, multichannel: 'true' });
  const [left, right] = [await speech('before.wav'), await speech('after.wav')];
  const both = Buffer.alloc(2 * Math.max(left.length, right.length));
  for (let at = 0; at < left.length; at += 2) both.writeInt16LE(left.readInt16LE(at), 2 * at);
  for (let at = 0; at < right.length; at += 2) both.writeInt16LE(right.readInt16LE(at), 2 * at + 2);
  listener.say(both);
  listener.connection.sendCloseStream({ type: 'CloseStream' });
  assert.is(await listener.closed, 1000);
  const results = listener.answers.filter((answer) => answer.type === 'Results');
  const of = (channel: number): string =>
    transcript(results.filter(({ channel_index }) => channel_index[0] === channel));
  assert.match(of(0), /could you put me through to/);
  assert.match(of(1), /the meeting starts at noon/);
  assert.ok(results.every(({ is_final, channel_index }) => is_final && channel_index[1] === 2));
});

/** A sentence by libopus, packet by packet and as a stream; see test/fixtures/opus/make.py. */
const opus = (name: string): Promise<Buffer> =>
  readFile(join(packageRoot(), 'test', 'fixtures', 'opus', name));

test('@deepgram/sdk: Ogg Opus without a name, and Opus in packets', async () => {
  const stream = await opus('before.ogg');
  const said: string[] = [];
  for (const way of ['ogg', 'packets'] as const) {
    const args = way === 'ogg' ? { encoding: undefined, sample_rate: undefined } : { encoding: 'opus' };
    const listener = await Listener.open(args as never);
    if (way === 'ogg') listener.say(stream);
    else for (const { bytes } of new OggOpusReader().push(stream)) listener.connection.sendMedia(bytes);
    listener.connection.sendCloseStream({ type: 'CloseStream' });
    assert.is(await listener.closed, 1000);
    const metadata = listener.answers.at(-1)!;
    assert.ok('duration' in metadata && metadata.duration > 3.2 && metadata.duration < 3.5);
    said.push(transcript(listener.answers.filter((answer) => answer.type === 'Results')));
  }
  for (const text of said) assert.match(text, /could you put me through to/);
});

test('@deepgram/sdk: two speakers in one Ogg Opus stream', async () => {
  const listener = await Listener.open({
    ...({ encoding: undefined, sample_rate: undefined } as object),
    channels: 2,
    multichannel: 'true',
  });
  listener.say(await opus('both.ogg'));
  listener.connection.sendCloseStream({ type: 'CloseStream' });
  assert.is(await listener.closed, 1000);
  const results = listener.answers.filter((answer) => answer.type === 'Results');
  const of = (channel: number): string =>
    transcript(results.filter(({ channel_index }) => channel_index[0] === channel));
  assert.match(of(0), /could you put me through to/);
  assert.match(of(1), /the meeting starts at noon/);
});

test('audio that cannot be decoded is an error and a close, and the gateway goes on', async () => {
  for (const query of ['encoding=opus', '']) {
    const ws = new WebSocket(`${address}/v1/listen?${query}`);
    const answers: string[] = [];
    ws.on('message', (data) => answers.push(String(data)));
    await new Promise((resolve) => ws.on('open', resolve));
    ws.send(Buffer.alloc(2000, 0xff));
    const [code, reason] = await new Promise<[number, Buffer]>((resolve) => {
      ws.on('close', (...args) => resolve(args));
    });
    assert.is(code, 1008);
    assert.match(String(reason), /^DATA-0000: /);
    assert.match(answers.join(), /"variant":"DATA-0000","description":"[^"]+\.?"/);
  }
  const listener = await Listener.open({ encoding: 'opus', sample_rate: 48_000 });
  listener.connection.sendCloseStream({ type: 'CloseStream' });
  assert.is(await listener.closed, 1000);
});

test('@deepgram/sdk: a query that cannot be had opens nothing', async () => {
  try {
    await Listener.open({ language: 'de' });
    assert.unreachable();
  } catch (error) {
    assert.match(String((error as { message?: unknown }).message), /400/);
  }
});

test('the names that the SDK has for its encodings are taken or refused, none by accident', async () => {
  const status = (encoding: string): Promise<number> =>
    new Promise((resolve) => {
      const ws = new WebSocket(`${address}/v1/listen?encoding=${encoding}&sample_rate=16000`);
      ws.on('open', () => resolve(101));
      ws.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      ws.on('error', () => undefined);
      ws.on('open', () => ws.terminate());
    });
  const taken: string[] = [];
  for (const encoding of Object.values(Deepgram.ListenV1Encoding)) {
    const answer = await status(encoding);
    if (answer === 101) taken.push(encoding);
    else assert.is(answer, 400, encoding);
  }
  assert.equal(taken.sort(), ['alaw', 'linear16', 'linear32', 'mulaw', 'ogg-opus', 'opus']);
});

test('a browser with its key in the subprotocols is told "token", and Node the request id', async () => {
  const ws = new WebSocket(`${address}/v1/listen?${LINEAR16}`, ['token', 'secret']);
  const headers = new Promise<string>((resolve) => {
    ws.on('upgrade', (response) => resolve(JSON.stringify(response.headers)));
  });
  await new Promise((resolve) => ws.on('open', resolve));
  assert.is(ws.protocol, 'token');
  assert.match(await headers, /"dg-request-id":"[0-9a-f-]{36}"/);
  assert.not.match(await headers, /secret/);
  ws.terminate();
});

/** The SDK for Python where there is one; PYTHON names another interpreter than `python3`. */
const python = process.env['PYTHON'] ?? 'python3';
const found = spawnSync(python, ['-c', 'from deepgram.listen.v1.types import ListenV1Configure'], {
  encoding: 'utf8',
});
const missing = found.status === 0 ? '' : `${python} has no deepgram-sdk of 7.17 or later`;
if (missing !== '') console.log(`Skipped, since ${missing}: the conformance of Deepgram's Python SDK.`);
const pythonTest = missing === '' ? test : test.skip;

pythonTest('deepgram-sdk for Python: the same session, its messages typed by the SDK', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  try {
    const files = ['before.wav', 'after.wav'].map((name) => ({ name, path: join(folder, name) }));
    for (const { name, path } of files) await writeFile(path, await speech(name));
    const script = join(packageRoot(), 'test', 'fixtures', 'deepgram', 'session.py');
    const child = spawn(python, [script, address, ...files.map(({ path }) => path)]);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    assert.is(await new Promise((resolve) => child.on('close', resolve)), 0, err);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; value: ListenAnswer });
    assert.equal(lines.shift(), { kind: 'refused', value: 400 });
    assert.is(lines.pop()!.kind, 'done');
    // the SDK took each message for what it is
    for (const { kind, value } of lines) assert.is(kind, `ListenV1${value.type}`);
    checkSession(lines.map(({ value }) => value));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
