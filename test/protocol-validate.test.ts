import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProtocolError } from '../src/protocol/errors.js';
import type { ErrorCode } from '../src/protocol/messages.js';
import { decodeText, parseClientMessage, parseServerMessage } from '../src/protocol/validate.js';

const audio = { encoding: 's16le', sampleRate: 16000, channels: 1 };

function refusal(input: unknown): ProtocolError {
  try {
    parseClientMessage(typeof input === 'string' ? input : JSON.stringify(input));
  } catch (error) {
    assert.instance(error, ProtocolError);
    return error as ProtocolError;
  }
  throw new Error(`accepted: ${JSON.stringify(input)}`);
}

/** Message, code, and what the sentence must say. */
type Case = readonly [message: unknown, code: ErrorCode, says: RegExp];

function refused(cases: readonly Case[]): void {
  for (const [message, code, says] of cases) {
    const error = refusal(message);
    assert.is(error.code, code, `${JSON.stringify(message)}: ${error.message}`);
    assert.match(error.message, says);
  }
}

test('a start that says only the audio format is accepted, and nothing is filled in', () => {
  const message = { type: 'start', audio };
  assert.equal(parseClientMessage(JSON.stringify(message)), message);
});

test('a start with all its options is accepted unchanged', () => {
  const message = {
    type: 'start',
    audio: { encoding: 'mulaw', sampleRate: 8000, channels: 2 },
    vocabulary: ['Ann Arbor', { text: 'Xylo', weight: 2.5, soundsLike: ['zylo', 'ksylo'] }],
    options: {
      latencyMs: 480,
      beam: 8,
      partials: true,
      partialIntervalMs: 0,
      nBest: 3,
      endpoint: { enabled: true, silenceMs: 700, trailingBlankMs: 900, maxSegmentMs: 30000 },
      languageModel: false,
    },
  };
  assert.equal(parseClientMessage(JSON.stringify(message)), message);
});

test('every other client message is accepted in its forms', () => {
  for (const message of [
    { type: 'vocabulary.update', id: 'u1', replace: ['Ann'] },
    { type: 'vocabulary.update', id: 'u1', replace: [] },
    { type: 'vocabulary.update', id: 'u1', patch: { set: ['Ann'] } },
    { type: 'vocabulary.update', id: 'u1', patch: { set: [{ text: 'Ann' }], remove: ['Bob'] } },
    { type: 'flush' },
    { type: 'flush', id: 'f1' },
    { type: 'mark', id: 'm1' },
    { type: 'stop' },
  ]) {
    assert.equal(parseClientMessage(JSON.stringify(message)), message);
  }
});

test('what is no JSON object is refused', () => {
  refused([
    ['{', 'malformed_json', /not JSON: "\{"/],
    ['', 'malformed_json', /not JSON/],
    ['null', 'invalid_message', /is null; send a JSON object/],
    ['[]', 'invalid_message', /is a list; send a JSON object/],
    ['"stop"', 'invalid_message', /is "stop"; send a JSON object/],
  ]);
});

test('an unknown or absent type is answered with the types that exist', () => {
  refused([
    [
      { type: 'begin' },
      'unknown_type',
      /"begin".*"start", "resume", "vocabulary.update", "flush", "mark", "ack", "stop"/,
    ],
    [{ type: 5 }, 'unknown_type', /type 5/],
    [{ type: 'toString' }, 'unknown_type', /"toString"/],
    [{ type: 'ready' }, 'unknown_type', /"ready"/],
    [{}, 'invalid_message', /no "type"/],
    ['{"__proto__":{"type":"stop"}}', 'invalid_message', /no "type"/],
  ]);
});

test('audio that is not supported is refused with a code of its own and with what is supported', () => {
  refused([
    [
      { type: 'start', audio: { ...audio, encoding: 'opus' } },
      'unsupported_encoding',
      /"opus"; send one of "s16le"/,
    ],
    [
      { type: 'start', audio: { ...audio, sampleRate: 4000 } },
      'unsupported_rate',
      /4000; send at least 8000 and at most 48000/,
    ],
    [{ type: 'start', audio: { ...audio, sampleRate: 96000 } }, 'unsupported_rate', /96000/],
    [{ type: 'start', audio: { ...audio, sampleRate: 11025.5 } }, 'unsupported_rate', /whole number/],
    [{ type: 'start', audio: { ...audio, channels: 3 } }, 'unsupported_channels', /3; send one of 1, 2/],
    [{ type: 'start', audio, options: { latencyMs: 0 } }, 'unsupported_latency', /0; send more than 0/],
  ]);
});

test('an invalid message is refused with the place, the value and the remedy', () => {
  refused([
    [{ type: 'start' }, 'invalid_message', /no "audio"; add it/],
    [{ type: 'start', audio: {} }, 'invalid_message', /^In "start", audio has no "encoding"/],
    [
      { type: 'start', audio, options: { beam: 0 } },
      'invalid_message',
      /options\/beam is 0; send at least 1 and at most 64/,
    ],
    [
      { type: 'start', audio, options: { latency: 1 } },
      'invalid_message',
      /"latency", which does not exist.*"latencyMs"/,
    ],
    [{ type: 'start', audio, options: { partials: 'no' } }, 'invalid_message', /"no"; send true or false/],
    [{ type: 'mark' }, 'invalid_message', /no "id"/],
    [{ type: 'mark', id: 'x'.repeat(65) }, 'invalid_message', /at most 64 characters/],
    [{ type: 'stop', now: true }, 'invalid_message', /"now", which does not exist/],
    [{ type: 'vocabulary.update', id: 'u' }, 'invalid_message', /no "replace" and no "patch"; add one/],
    [
      { type: 'vocabulary.update', id: 'u', replace: [], patch: { set: [] } },
      'invalid_message',
      /both "replace", "patch"/,
    ],
  ]);
});

test('a vocabulary that is not well formed is refused with the place of the first fault', () => {
  const update = (replace: unknown): unknown => ({ type: 'vocabulary.update', id: 'u', replace });
  refused([
    [update('Ann'), 'vocabulary_invalid', /replace is "Ann"; send a list/],
    [update(['Ann', 5]), 'vocabulary_invalid', /replace\/1 is 5; send a text in quotes or an object/],
    [update(['']), 'vocabulary_invalid', /replace\/0 is ""; send at least 1 character/],
    [update(['x'.repeat(101)]), 'vocabulary_invalid', /at most 100 characters/],
    [update([' ']), 'vocabulary_invalid', /visible/],
    [
      update([{ text: 'Ann', weight: 0 }]),
      'vocabulary_invalid',
      /replace\/0\/weight is 0; send more than 0 and at most 10/,
    ],
    [update([{ text: 'Ann', boost: 2 }]), 'vocabulary_invalid', /"boost", which does not exist.*"weight"/],
    [update([{ weight: 1 }]), 'vocabulary_invalid', /replace\/0 has no "text"/],
    [
      update([{ text: 'Ann', soundsLike: Array(9).fill('an') }]),
      'vocabulary_invalid',
      /9 items; send at most 8/,
    ],
    [{ type: 'vocabulary.update', id: 'u', patch: {} }, 'vocabulary_invalid', /empty.*"set", "remove"/],
    [
      { type: 'vocabulary.update', id: 'u', patch: { remove: [3] } },
      'vocabulary_invalid',
      /patch\/remove\/0 is 3/,
    ],
    [{ type: 'start', audio, vocabulary: {} }, 'vocabulary_invalid', /vocabulary is an object; send a list/],
  ]);
});

test('the refusal of a request carries its id', () => {
  assert.is(refusal({ type: 'vocabulary.update', id: 'u7', replace: [1] }).id, 'u7');
  assert.is(refusal({ type: 'nonsense', id: 'n1' }).id, 'n1');
  assert.is(refusal({ type: 'mark', id: 5 }).id, undefined);
});

test('a limit of characters counts characters, not UTF-16 units', () => {
  const text = '𝄞'.repeat(100);
  assert.equal(parseClientMessage(JSON.stringify({ type: 'vocabulary.update', id: 'u', replace: [text] })), {
    type: 'vocabulary.update',
    id: 'u',
    replace: [text],
  });
});

test('long values are shortened in the sentence', () => {
  assert.ok(refusal({ type: 'x'.repeat(5000) }).message.length < 250);
  assert.ok(refusal('x'.repeat(5000)).message.length < 250);
  assert.ok(refusal({ type: 'stop', ['y'.repeat(5000)]: 1 }).message.length < 250);
});

test('a million nested lists neither crash nor hang', () => {
  const nested = '['.repeat(500_000) + ']'.repeat(500_000);
  assert.is(refusal(nested).code, 'invalid_message');
  assert.is(refusal(`{"type":"stop","a":${nested}}`).code, 'invalid_message');
  assert.is(refusal(`{"type":${nested}}`).code, 'unknown_type');
});

test('a message of more than four million characters is not parsed', () => {
  assert.is(refusal(`"${'x'.repeat(2 ** 22)}"`).code, 'frame_too_large');
});

test('any text at all is either a message or a protocol error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.object().map((value) => JSON.stringify({ type: 'start', ...value })),
      ),
      (text) => {
        try {
          parseClientMessage(text);
        } catch (error) {
          assert.instance(error, ProtocolError);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('bytes that are not UTF-8 are refused, and the connection with them', () => {
  assert.is(decodeText(Buffer.from('{"é":1}')), '{"é":1}');
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80]]) {
    assert.throws(
      () => decodeText(Uint8Array.from(bytes)),
      (error: ProtocolError) => error.code === 'invalid_utf8' && error.fatal && error.closeCode === 1007,
    );
  }
});

test('a client leaves out what a newer server says beyond the schema', () => {
  assert.equal(parseServerMessage('{"type":"flushed","sample":3,"mood":"fine"}'), {
    type: 'flushed',
    sample: 3,
  });
});

test('a client refuses a server message that lacks what the schema requires', () => {
  assert.throws(() => parseServerMessage('{"type":"flushed"}'), /no "sample"/);
});

test.run();
