import alawmulaw from 'alawmulaw';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesPerFrame, decodeFrame, type SampleEncoding } from '../src/audio/decode.js';
import { AudioFormatError } from '../src/audio/format-error.js';

const ENCODINGS: readonly SampleEncoding[] = ['s16le', 'f32le', 'mulaw', 'alaw'];
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);

function decodeMono(encoding: SampleEncoding, bytes: ArrayLike<number>): number[] {
  return [...decodeFrame({ encoding, channels: 1 }, Uint8Array.from(bytes))[0]!];
}

test('s16le is little-endian and full scale is 32768', () => {
  assert.equal(decodeMono('s16le', [0x00, 0x80, 0xff, 0x7f, 0x01, 0x00, 0xff, 0xff]), [
    -1,
    32767 / 32768,
    1 / 32768,
    -1 / 32768,
  ]);
});

test('f32le keeps values within full scale, clips those beyond, and hears no-numbers as silence', () => {
  const values = [0.5, -1, 1, 1.5, -7, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i);
  assert.equal(decodeMono('f32le', bytes), [0.5, -1, 1, 1, -1, 1, -1, 0]);
});

test('mu-law has the decoder values of table 2 of G.711', () => {
  // 14-bit values at both ends of the table, at segment borders, and at both zeros
  const table: readonly [byte: number, value: number][] = [
    [0x80, 8031],
    [0x8f, 4191],
    [0x90, 3999],
    [0x9f, 2079],
    [0xaf, 1023],
    [0xf0, 30],
    [0xfe, 2],
    [0xff, 0],
    [0x7f, 0],
    [0x7e, -2],
    [0x00, -8031],
  ];
  for (const [byte, value] of table)
    assert.is(decodeMono('mulaw', [byte])[0]! * 8192 + 0, value, byte.toString(16));
});

test('A-law has the decoder values of table 1 of G.711', () => {
  // in units of half a 13-bit step, the even bits inverted as on the line
  const table: readonly [byte: number, value: number][] = [
    [0xd5, 1],
    [0x55, -1],
    [0xd4, 3],
    [0xda, 31],
    [0xc5, 33],
    [0xf5, 66],
    [0xaa, 4032],
    [0x2a, -4032],
    [0xa5, 2112],
  ];
  for (const [byte, value] of table)
    assert.is(decodeMono('alaw', [byte])[0]! * 4096, value, byte.toString(16));
});

test('every byte of G.711 decodes as in an independent implementation', () => {
  const ours = (encoding: SampleEncoding): number[] =>
    decodeMono(encoding, EVERY_BYTE).map((value) => value * 32768 + 0);
  assert.equal(ours('mulaw'), [...alawmulaw.mulaw.decode(EVERY_BYTE)]);
  assert.equal(ours('alaw'), [...alawmulaw.alaw.decode(EVERY_BYTE)]);
});

test('two channels come apart', () => {
  const [left, right] = decodeFrame(
    { encoding: 's16le', channels: 2 },
    Buffer.from(Int16Array.of(1, -1, 2, -2).buffer),
  );
  assert.equal([...left!], [1 / 32768, 2 / 32768]);
  assert.equal([...right!], [-1 / 32768, -2 / 32768]);
});

test('bytes at an odd address decode like bytes at an even one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ENCODINGS),
      fc.uint8Array({ maxLength: 64 }),
      fc.integer({ min: 0, max: 7 }),
      (encoding, data, offset) => {
        const bytes = data.subarray(
          0,
          data.length - (data.length % bytesPerFrame({ encoding, channels: 1 })),
        );
        const moved = new Uint8Array(offset + bytes.length);
        moved.set(bytes, offset);
        assert.equal(
          decodeFrame({ encoding, channels: 1 }, moved.subarray(offset)),
          decodeFrame({ encoding, channels: 1 }, bytes),
        );
      },
    ),
  );
});

test('a signal cut between samples decodes like the whole', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ENCODINGS),
      fc.constantFrom(1, 2),
      fc.uint8Array({ maxLength: 256 }),
      (encoding, channels, data) => {
        const format = { encoding, channels };
        const step = bytesPerFrame(format);
        const bytes = data.subarray(0, data.length - (data.length % step));
        const whole = decodeFrame(format, bytes);
        const parts: number[][] = whole.map(() => []);
        for (let at = 0; at < bytes.length; at += step) {
          for (const [channel, samples] of decodeFrame(format, bytes.subarray(at, at + step)).entries()) {
            parts[channel]!.push(...samples);
          }
        }
        assert.equal(
          parts,
          whole.map((samples) => [...samples]),
        );
      },
    ),
  );
});

test('every sample of every encoding lies within full scale', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ENCODINGS),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      (encoding, bytes) => {
        for (const value of decodeMono(encoding, bytes)) assert.ok(value >= -1 && value <= 1);
      },
    ),
    { numRuns: 1000 },
  );
});

test('part of a sample is refused with the number of bytes that a sample has', () => {
  const refuse = (encoding: SampleEncoding, channels: number, length: number, says: RegExp): void => {
    assert.throws(
      () => decodeFrame({ encoding, channels }, new Uint8Array(length)),
      (error: unknown) => error instanceof AudioFormatError && says.test(error.message),
    );
  };
  refuse('s16le', 1, 321, /321 bytes.*multiple of 2.*1 channel has/);
  refuse('f32le', 1, 6, /multiple of 4/);
  refuse('s16le', 2, 322, /multiple of 4.*2 channels has/);
  refuse('mulaw', 2, 3, /multiple of 2/);
});

test('an empty frame has no samples', () => {
  assert.equal(decodeFrame({ encoding: 's16le', channels: 2 }, new Uint8Array(0)), [
    new Float32Array(0),
    new Float32Array(0),
  ]);
});

test.run();
