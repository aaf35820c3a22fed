import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { closeReason, ERROR_CODES, ERROR_RULES, fromUnknown, ProtocolError } from '../src/protocol/errors.js';
import { parseServerMessage } from '../src/protocol/validate.js';

test('every error code has a close code that an endpoint may send', () => {
  const sendable = (code: number): boolean =>
    [1001, 1007, 1009, 1011, 1013].includes(code) || (code >= 4000 && code < 5000);
  for (const code of ERROR_CODES) assert.ok(sendable(ERROR_RULES[code].closeCode), code);
});

test('every error becomes a frame that the schema accepts and that says whether the connection ends', () => {
  for (const code of ERROR_CODES) {
    const frame = new ProtocolError(code, 'A sentence.', { id: 'u1' }).toMessage();
    assert.equal(parseServerMessage(JSON.stringify(frame)), frame);
    assert.is(frame.fatal, ERROR_RULES[code].fatal);
  }
});

test('an error without an id has no member id', () => {
  assert.not('id' in new ProtocolError('internal', 'x').toMessage());
});

test('a protocol error stays itself and keeps its code', () => {
  const error = new ProtocolError('odd_byte_count', 'x', { id: 'a' });
  assert.is(fromUnknown(error), error);
});

test('whatever else is thrown becomes an internal error that tells the client nothing of its text', () => {
  for (const thrown of [
    new Error('/secret/path'),
    '/secret/path',
    undefined,
    null,
    7,
    { message: '/secret/path' },
  ]) {
    const error = fromUnknown(thrown);
    assert.is(error.code, 'internal');
    assert.is(error.closeCode, 1011);
    assert.is(error.cause, thrown);
    assert.not.match(error.message, 'secret');
  }
});

test('a close reason holds at most 123 bytes, cut between characters and no earlier than needed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const reason = closeReason(text);
      assert.ok(text.startsWith(reason));
      const bytes = Buffer.byteLength(reason);
      assert.ok(bytes <= 123);
      if (reason !== text) assert.ok(bytes > 123 - 4);
    }),
    { numRuns: 500 },
  );
});

test('a close reason of exactly 123 bytes is kept whole', () => {
  assert.is(closeReason('x'.repeat(123)), 'x'.repeat(123));
  assert.is(closeReason('x'.repeat(124)), 'x'.repeat(123));
  assert.is(closeReason(`${'x'.repeat(122)}é`), 'x'.repeat(122));
});

test.run();
