import nodeWav from 'node-wav';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AudioFormatError } from '../src/audio/format-error.js';
import { readWav } from '../src/audio/wav.js';

interface Header {
  readonly tag?: number;
  readonly channels?: number;
  readonly bits?: number;
  readonly sampleRate?: number;
  /** Further bytes of the format chunk. */
  readonly extension?: Uint8Array;
  /** Chunks between format and data. */
  readonly between?: Uint8Array;
  /** What the data chunk claims to hold. */
  readonly claim?: number;
}

function wav(data: Uint8Array, header: Header = {}): Buffer {
  const {
    tag = 1,
    channels = 1,
    bits = 16,
    sampleRate = 16000,
    extension = new Uint8Array(0),
    between = new Uint8Array(0),
  } = header;
  const format = Buffer.alloc(24);
  format.write('fmt ', 0);
  format.writeUInt32LE(16 + extension.length, 4);
  format.writeUInt16LE(tag, 8);
  format.writeUInt16LE(channels, 10);
  format.writeUInt32LE(sampleRate, 12);
  format.writeUInt32LE((sampleRate * channels * bits) / 8, 16);
  format.writeUInt16LE((channels * bits) / 8, 20);
  format.writeUInt16LE(bits, 22);
  const dataHeader = Buffer.alloc(8);
  dataHeader.write('data', 0);
  dataHeader.writeUInt32LE(header.claim ?? data.length, 4);
  return Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), format, extension, between, dataHeader, data]);
}

function s16(...values: readonly number[]): Buffer {
  return Buffer.from(Int16Array.from(values).buffer);
}

function samplesOf(file: Uint8Array): number[][] {
  return readWav(file).channels.map((samples) => [...samples]);
}

test('16-bit samples come out exactly as over the wire, both signs', () => {
  const values = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);
  assert.equal(samplesOf(wav(Buffer.from(values.buffer))), [[...values].map((value) => value / 32768)]);
});

test('rate and channels come from the header', () => {
  const audio = readWav(wav(s16(1, -1, 2, -2), { channels: 2, sampleRate: 44100 }));
  assert.is(audio.sampleRate, 44100);
  assert.equal(
    audio.channels.map((samples) => [...samples]),
    [
      [1 / 32768, 2 / 32768],
      [-1 / 32768, -2 / 32768],
    ],
  );
});

test('what node-wav writes is read back in every depth', () => {
  const signal = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i / 5));
  for (const options of [
    { bitDepth: 8 },
    { bitDepth: 16 },
    { bitDepth: 24 },
    { bitDepth: 32 },
    { float: true },
  ]) {
    const { channels } = readWav(nodeWav.encode([signal], { sampleRate: 8000, ...options }));
    const worst = Math.max(...signal.map((value, i) => Math.abs(value - channels[0]![i]!)));
    assert.ok(
      worst < ('bitDepth' in options && options.bitDepth === 8 ? 0.02 : 1e-4),
      `${JSON.stringify(options)}: ${worst}`,
    );
  }
});

test('64-bit floats are read, clipped, and no-numbers are silence', () => {
  const data = Buffer.from(Float64Array.of(0.25, 2, Number.NaN).buffer);
  assert.equal(samplesOf(wav(data, { tag: 3, bits: 64 })), [[0.25, 1, 0]]);
});

test('G.711 files of telephone systems are read', () => {
  assert.equal(samplesOf(wav(Uint8Array.of(0x80, 0xff), { tag: 7, bits: 8, sampleRate: 8000 })), [
    [32124 / 32768, 0],
  ]);
  assert.equal(samplesOf(wav(Uint8Array.of(0xd5), { tag: 6, bits: 8, sampleRate: 8000 })), [[8 / 32768]]);
});

test('the extended header means the format that it names', () => {
  const extension = Buffer.alloc(24);
  extension.writeUInt16LE(22, 0);
  extension.writeUInt16LE(1, 8);
  assert.equal(samplesOf(wav(s16(5), { tag: 0xfffe, extension })), [[5 / 32768]]);
});

test('chunks of other kinds are passed over, odd ones with their padding', () => {
  const between = Buffer.from('LIST\x03\0\0\0abc\0');
  assert.equal(samplesOf(wav(s16(5), { between })), [[5 / 32768]]);
});

test('a file that was cut off, or never closed, is read as far as it goes', () => {
  assert.equal(samplesOf(wav(s16(1, 2), { claim: 0xffffffff })), [[1 / 32768, 2 / 32768]]);
  assert.equal(samplesOf(wav(Buffer.concat([s16(1, 2), Buffer.of(9)]), { claim: 4000 })), [
    [1 / 32768, 2 / 32768],
  ]);
});

test('a file at an odd address is read', () => {
  const file = wav(s16(7, 8));
  const moved = new Uint8Array(file.length + 1);
  moved.set(file, 1);
  assert.equal(samplesOf(moved.subarray(1)), [[7 / 32768, 8 / 32768]]);
});

test('what is not such a file is refused with the reason', () => {
  const refuse = (file: Uint8Array, says: RegExp): void => {
    assert.throws(
      () => readWav(file),
      (error: unknown) => error instanceof AudioFormatError && says.test(error.message),
    );
  };
  refuse(new Uint8Array(0), /not a WAV file/);
  refuse(Buffer.from('ID3 and so on, an MP3'), /not a WAV file/);
  refuse(wav(s16(1)).subarray(0, 36), /no data chunk/);
  refuse(wav(s16(1)).subarray(0, 30), /cut off/);
  refuse(wav(s16(1), { tag: 0x55 }), /tag 0x55.*convert it to 16-bit PCM/);
  refuse(wav(s16(1), { bits: 12 }), /contradicts|12 bits/);
  refuse(wav(s16(1), { channels: 0 }), /contradicts itself/);
  refuse(Buffer.from('RIFF\0\0\0\0WAVEdata\0\0\0\0'), /data before its format/);
});

test('every cut of a file is either read or refused with a reason', () => {
  const file = wav(s16(1, 2, 3));
  for (let length = 0; length <= file.length; length++) {
    try {
      readWav(file.subarray(0, length));
    } catch (error) {
      assert.instance(error, AudioFormatError, `cut to ${length} bytes`);
    }
  }
});

test.run();
