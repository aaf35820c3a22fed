import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import WebSocket from 'ws';
import { readWav } from '../src/audio/wav.js';
import type { ServerMessage } from '../src/protocol/messages.js';
import { packageRoot } from '../src/util/package-root.js';
import { run, start } from './cli-support.js';
import { samplesOf } from './metrics-support.js';

const test = suite('a gateway that is watched');

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

interface ExportedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

/** What a gateway that heard one sentence gave away, and to whom. */
interface Watched {
  readonly samples: ReadonlyMap<string, number>;
  readonly logs: readonly Readonly<Record<string, unknown>>[];
  /** All that was logged and traced, as text. */
  readonly written: string;
  readonly spans: readonly ExportedSpan[];
  readonly spoken: string;
  readonly key: string;
}

/** A collector that takes OTLP as JSON. */
async function collector(): Promise<{ url: string; spans: ExportedSpan[]; bodies: string[]; close(): void }> {
  const spans: ExportedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      bodies.push(body);
      const { resourceSpans } = JSON.parse(body) as {
        resourceSpans: { scopeSpans: { spans: ExportedSpan[] }[] }[];
      };
      spans.push(...resourceSpans.flatMap((each) => each.scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, spans, bodies, close: () => server.close() };
}

/** A sentence through a session that has a list, changes it and asks for explanations. */
async function speak(url: string, key: string): Promise<string> {
  const { channels } = readWav(await readFile(join(packageRoot(), 'samples', 'after.wav')));
  const audio = Int16Array.from(channels[0]!, (value) => Math.round(value * 32_767));
  const ws = new WebSocket(url, {
    headers: { authorization: `Bearer ${key}`, traceparent: `00-${TRACE}-${PARENT}-01` },
  });
  const finals: string[] = [];
  ws.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as ServerMessage;
    if (message.type === 'final') finals.push(message.text);
  });
  await once(ws, 'open');
  const format = { encoding: 's16le', sampleRate: 16_000, channels: 1 };
  const send = (message: object): void => ws.send(JSON.stringify(message));
  const settled = new Promise<void>((resolve) => {
    ws.on('message', (data: Buffer) => {
      if ((JSON.parse(data.toString()) as ServerMessage).type === 'vocabulary.settled') resolve();
    });
  });
  send({ type: 'start', audio: format, vocabulary: ['Zebedee Quux'], options: { explain: true } });
  // the network attends to what has been learnt
  await settled;
  ws.send(Buffer.from(audio.buffer));
  send({
    type: 'vocabulary.update',
    id: 'for Siobhan',
    patch: { set: [{ text: 'Siobhan Kowalczyk' }] },
    retroactive: true,
  });
  send({ type: 'nonsense' });
  send({ type: 'stop' });
  await once(ws, 'close');
  return finals.join(' ');
}

let watched: Watched;
test.before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  const otlp = await collector();
  try {
    const keyFile = join(folder, 'keys.json');
    const key = (await run('keys', 'add', '--key-file', keyFile)).out.trim();
    const args = ['--port', '0', '--workers', '1', '--key-file', keyFile, '--log-level', 'trace'];
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
    const server = start(['serve', ...args], env);
    const url = await server.said(/listens on (\S+)/);
    const spoken = await speak(url, key);
    const refused = new WebSocket(url);
    refused.on('error', () => undefined);
    await once(refused, 'unexpected-response');
    const page = await fetch(new URL('/metrics', url.replace('ws:', 'http:')));
    const text = await page.text();
    server.process.kill('SIGTERM');
    const { err, code } = await server.ended;
    assert.is(code, 0, err);
    const lines = err.trim().split('\n');
    watched = {
      samples: samplesOf(text),
      logs: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
      written: `${text}${err}${otlp.bodies.join('')}`,
      spans: otlp.spans,
      spoken,
      key,
    };
  } finally {
    otlp.close();
    await rm(folder, { recursive: true });
  }
});

test('every stage has been timed, in whichever thread it ran', () => {
  for (const stage of ['windowing', 'encoder', 'adapter', 'decoder', 'captions', 'send']) {
    const count = watched.samples.get(`lexigate_stage_seconds_count{stage="${stage}"}`);
    const sum = watched.samples.get(`lexigate_stage_seconds_sum{stage="${stage}"}`);
    assert.ok(count! > 0 && sum! > 0, stage);
  }
});

test('what the session did is counted', () => {
  const { samples, spoken } = watched;
  assert.match(spoken, /Siobhan Kowalczyk/);
  const expected = {
    'lexigate_sessions_started_total{path="/v1/stream"}': 1,
    lexigate_sessions: 0,
    lexigate_workers: 1,
    lexigate_audio_waiting_seconds: 0,
    lexigate_list_build_seconds_count: 2,
    'lexigate_list_updates_total{outcome="applied"}': 1,
    lexigate_entity_hits_total: 1,
    lexigate_finals_total: 1,
    lexigate_finals_explained_total: 1,
    'lexigate_errors_total{code="unknown_type"}': 1,
    'lexigate_connections_refused_total{status="401"}': 1,
  };
  for (const [name, value] of Object.entries(expected)) assert.is(samples.get(name), value, name);
  const audio = samples.get('lexigate_audio_received_seconds_total')!;
  assert.ok(Math.abs(audio - samples.get('lexigate_audio_decoded_seconds_total')!) < 0.001);
});

test('the log is a JSON object a line, and tells when the session began and how it ended', () => {
  const { logs, key } = watched;
  for (const { level, time, msg } of logs) assert.ok(level && time && msg);
  const [begun] = logs.filter(({ msg }) => msg === 'session started');
  assert.is(begun?.['path'], '/v1/stream');
  assert.is(begun?.['keyId'], key.split('_')[1]);
  assert.is(begun?.['entries'], 1);
  const [ended] = logs.filter(({ msg }) => msg === 'session ended');
  assert.is(ended?.['sessionId'], begun?.['sessionId']);
  assert.is(ended?.['closeCode'], 1000);
  assert.is(ended?.['segments'], 1);
  assert.ok(Number(ended?.['words']) > 5);
  assert.ok(logs.some(({ code }) => code === 'unknown_type'));
});

test('a trace has the session, and in it the list updates and segments; it continues that of the client', () => {
  const { spans } = watched;
  const named = (name: string): ExportedSpan[] => spans.filter((span) => span.name === name);
  const [session] = named('session');
  assert.is(session?.traceId, TRACE);
  assert.is(session?.parentSpanId, PARENT);
  for (const name of ['open', 'vocabulary.update', 'segment']) {
    assert.equal(
      named(name).map(({ parentSpanId }) => parentSpanId),
      [session?.spanId],
      name,
    );
  }
  const entries = named('vocabulary.update')[0]?.attributes.find(({ key }) => key === 'lexigate.entries');
  assert.equal(entries?.value, { intValue: 2 });
});

test('no word that was said or listed, no key and no id of a client is in metrics, logs or traces', () => {
  const { written, spoken, key } = watched;
  // a secret may have the sign in it that is before it
  const secret = key.split('_').slice(2).join('_');
  const names = ['zebedee', 'quux', 'siobhan', 'kowalczyk', 'thank', 'meeting', 'noon'];
  assert.match(spoken, /thank you .* meeting .* noon/);
  const told = [secret, ...names].filter((text) => written.toLowerCase().includes(text.toLowerCase()));
  assert.equal(told, []);
});

test.run();
