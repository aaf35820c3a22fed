/** Transcripts of sessions, as in `protocol/examples/*.jsonl` and in the walk-throughs of PROTOCOL.md, and their rules. */
import * as assert from 'uvu/assert';
import { ERROR_RULES, ProtocolError } from '../src/protocol/errors.js';
import type {
  AudioFormat,
  ClientMessage,
  FinalMessage,
  PartialMessage,
  ServerMessage,
} from '../src/protocol/messages.js';
import { parseClientMessage, parseServerMessage } from '../src/protocol/validate.js';

/** A line: one frame, or the server's close. */
export type Line =
  | { readonly client: unknown }
  | { readonly clientText: string }
  | { readonly audio: { readonly bytes: number } }
  | { readonly server: unknown }
  | { readonly close: { readonly code: number; readonly reason: string } };

export function readLines(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** A client's frame, or why the door refuses it. */
export function clientFrame(line: Line): ClientMessage | ProtocolError | undefined {
  const text =
    'client' in line ? JSON.stringify(line.client) : 'clientText' in line ? line.clientText : undefined;
  if (text === undefined) return undefined;
  try {
    return parseClientMessage(text);
  } catch (error) {
    assert.instance(error, ProtocolError);
    return error as ProtocolError;
  }
}

/** The server's message, which must be what the schema says and no more. */
export function serverMessage(line: Line): ServerMessage | undefined {
  if (!('server' in line)) return undefined;
  const message = parseServerMessage(JSON.stringify(line.server));
  assert.equal(message, line.server, 'the schema knows every member');
  return message;
}

/** What holds for any stretch of a session. */
export function checkStretch(lines: readonly Line[]): void {
  const committed = new Map<string, string>();
  for (const [i, line] of lines.entries()) {
    const client = clientFrame(line);
    const server = serverMessage(line);
    if (client instanceof ProtocolError) checkRefusal(client, lines.slice(i + 1));
    if (server?.type === 'partial') checkPartial(server);
    if (server?.type === 'partial' || server?.type === 'final') checkCommitted(server, committed);
    if (server?.type === 'error') {
      assert.is(server.fatal, ERROR_RULES[server.code].fatal);
      if (server.fatal) {
        assert.equal(lines[i + 1], {
          close: { code: ERROR_RULES[server.code].closeCode, reason: server.message },
        });
      }
    }
  }
}

/** The error that the door raises is in the transcript, word for word. */
function checkRefusal(refusal: ProtocolError, later: readonly Line[]): void {
  const answers = later.map(serverMessage).filter((message) => message?.type === 'error');
  assert.ok(
    answers.some((answer) => JSON.stringify(answer) === JSON.stringify(refusal.toMessage())),
    `no such answer: ${JSON.stringify(refusal.toMessage())}`,
  );
}

function checkPartial({ text, committed, tail }: PartialMessage): void {
  assert.is(text, [committed, tail].filter((part) => part !== '').join(' '));
}

function checkCommitted(message: PartialMessage | FinalMessage, committed: Map<string, string>): void {
  const segment = `${message.channel}/${message.segment}`;
  const before = committed.get(segment) ?? '';
  assert.ok(message.text.startsWith(before), `"${before}" was committed, then came "${message.text}"`);
  if (message.type === 'partial') committed.set(segment, message.committed);
}

const SAMPLE_BYTES = { s16le: 2, f32le: 4, mulaw: 1, alaw: 1 } as const;

/** What holds for a session from its first frame to its close. */
export function checkSession(lines: readonly Line[]): void {
  checkStretch(lines);
  assert.ok('close' in lines.at(-1)!, 'the last line is the close');
  const servers = lines.map(serverMessage).filter((message) => message !== undefined);
  checkAnswers(lines, servers);
  const format = acceptedFormat(lines);
  if (format === undefined) return;
  checkClocks(servers, format.sampleRate);
  checkSegments(servers);
  const stopped = servers.find((message) => message.type === 'stopped');
  if (stopped !== undefined) {
    assert.is(stopped.samples, acceptedSamples(lines, format));
    assert.is(stopped.segments, servers.filter((message) => message.type === 'final').length);
  }
}

/** Every request with an id is answered once. */
function checkAnswers(lines: readonly Line[], servers: readonly ServerMessage[]): void {
  const ids = lines
    .map(clientFrame)
    .flatMap((frame) => (frame !== undefined && 'id' in frame ? [frame.id] : []));
  for (const id of ids.filter((each) => each !== undefined)) {
    const answers = servers.filter((message) => 'id' in message && message.id === id);
    assert.is(answers.length, 1, `answers to ${id}`);
  }
}

/** Format of the start that led to `ready`. */
function acceptedFormat(lines: readonly Line[]): AudioFormat | undefined {
  const ready = lines.findIndex((line) => serverMessage(line)?.type === 'ready');
  const starts = lines.slice(0, Math.max(0, ready)).map(clientFrame);
  const start = starts.findLast((frame) => !(frame instanceof ProtocolError) && frame?.type === 'start');
  return start !== undefined && 'audio' in start ? start.audio : undefined;
}

/** Samples per channel of the audio frames that no error refused. */
function acceptedSamples(lines: readonly Line[], format: AudioFormat): number {
  const step = SAMPLE_BYTES[format.encoding] * format.channels;
  const ready = lines.findIndex((line) => serverMessage(line)?.type === 'ready');
  return lines.reduce(
    (sum, line, i) =>
      'audio' in line && i > ready && line.audio.bytes % step === 0 ? sum + line.audio.bytes / step : sum,
    0,
  );
}

/** Seconds are the samples divided by the rate, rounded to milliseconds. */
function checkClocks(servers: readonly ServerMessage[], rate: number): void {
  const seconds = (sample: number): number => Math.round((sample / rate) * 1000) / 1000;
  for (const message of servers) {
    const words = message.type === 'partial' || message.type === 'final' ? (message.words ?? []) : [];
    for (const timed of message.type === 'final' ? [message, ...words] : words) {
      assert.is(timed.start, seconds(timed.startSample));
      assert.is(timed.end, seconds(timed.endSample));
      assert.ok(timed.startSample <= timed.endSample);
    }
  }
}

/** Finals are numbered from 0 in each channel and do not overlap. */
function checkSegments(servers: readonly ServerMessage[]): void {
  const last = new Map<number, FinalMessage>();
  for (const message of servers) {
    if (message.type !== 'final') continue;
    const before = last.get(message.channel);
    assert.is(message.segment, before === undefined ? 0 : before.segment + 1);
    assert.ok(message.startSample >= (before?.endSample ?? 0));
    last.set(message.channel, message);
  }
}
