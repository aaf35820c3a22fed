import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../src/util/package-root.js';
import { checkSession, type Line, readLines, serverMessage } from './protocol-support.js';

const folder = join(packageRoot(), 'protocol', 'examples');
const examples = readdirSync(folder).filter((file) => file.endsWith('.jsonl'));

for (const file of examples) {
  test(`the session in examples/${file} keeps to the protocol`, () => {
    checkSession(readLines(readFileSync(join(folder, file), 'utf8')));
  });
}

test('the examples show every message of the server but those of a second connection', () => {
  const seen = examples.flatMap((file) =>
    readLines(readFileSync(join(folder, file), 'utf8')).map(serverMessage),
  );
  const types = new Set(seen.flatMap((message) => (message === undefined ? [] : [message.type])));
  assert.equal([...types].sort(), [
    'error',
    'final',
    'flushed',
    'mark',
    'partial',
    'ready',
    'stopped',
    'vocabulary.applied',
  ]);
});

const start: Line = {
  client: { type: 'start', audio: { encoding: 's16le', sampleRate: 8000, channels: 1 } },
};
const model = {
  name: 'm',
  version: '1',
  sampleRate: 16000,
  frameMs: 40,
  latencies: [{ latencyMs: 1, chunkMs: 1, lookaheadMs: 0 }],
};
const limits = { maxFrameBytes: 1, maxBufferedSeconds: 1, maxEntries: 1, maxEntryLength: 1 };
const ready: Line = {
  server: { type: 'ready', protocol: 'lexigate.v1', sessionId: 's', model, latencyMs: 1, limits },
};
const audio: Line = { audio: { bytes: 1600 } };
const stopped: Line = {
  server: {
    type: 'stopped',
    sessionId: 's',
    audioSeconds: 0.1,
    samples: 800,
    segments: 0,
    words: 0,
    vocabularyVersion: 0,
  },
};
const close: Line = { close: { code: 1000, reason: 'stopped' } };

function partial(text: string, committed: string, tail: string): Line {
  return { server: { type: 'partial', channel: 0, segment: 0, start: 0, end: 0, text, committed, tail } };
}

test('a session that breaks a rule is noticed', () => {
  checkSession([start, ready, audio, stopped, close]);
  const broken: readonly (readonly Line[])[] = [
    [start, ready, audio, stopped],
    [start, ready, audio, audio, stopped, close],
    [start, ready, audio, { client: { type: 'flush', id: 'f' } }, stopped, close],
    [start, { client: { type: 'begin' } }, ready, audio, stopped, close],
    [start, ready, partial('a b', 'a', 'c'), audio, stopped, close],
    [start, ready, partial('a b', 'a', 'b'), partial('c b', '', 'c b'), audio, stopped, close],
    [start, ready, { server: { type: 'flushed', sample: 1, mood: 'fine' } }, audio, stopped, close],
    [
      start,
      ready,
      { server: { type: 'error', code: 'internal', message: 'x', fatal: true } },
      audio,
      stopped,
      close,
    ],
  ];
  for (const lines of broken) assert.ok(breaksARule(lines), JSON.stringify(lines));
});

/** `assert.throws` lets assertions through. */
function breaksARule(lines: readonly Line[]): boolean {
  try {
    checkSession(lines);
  } catch {
    return true;
  }
  return false;
}

test.run();
