import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RawAudio } from '../src/compat/deepgram-audio.js';
import { parseQuery } from '../src/compat/deepgram-query.js';
import type { AudioEncoding } from '../src/protocol/messages.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';

const test = suite('Deepgram: the audio');

function audio(query: string, maxFrameBytes = 1000): RawAudio {
  const options = parseQuery(new URLSearchParams(`sample_rate=8000&${query}`), DEFAULT_LIMITS);
  return new RawAudio({ ...options, encoding: options.encoding as AudioEncoding }, { maxFrameBytes });
}

const FORMATS = [
  'encoding=linear32&channels=2&multichannel=true',
  'encoding=linear16&channels=2',
  'encoding=mulaw',
];

test('bytes cut anywhere are the same whole samples', () => {
  for (const query of FORMATS) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(20)), (bytes, sizes) => {
        // all bit patterns of floats are no samples; mixing is tested with integers
        const whole = audio(query);
        const expected = Buffer.from(whole.push(bytes));
        const cut = audio(query);
        const parts: Uint8Array[] = [];
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          parts.push(cut.push(bytes.subarray(at, at + size)));
          at += size;
        }
        assert.ok(Buffer.concat(parts).equals(expected));
        assert.is(cut.samples, whole.samples);
        assert.is(cut.sha256(), createHash('sha256').update(bytes).digest('hex'));
      }),
    );
  }
});

test('two channels that are not asked for apart are their mean, as 16 bits', () => {
  const stereo = audio('encoding=linear16&channels=2');
  assert.equal(stereo.format, { encoding: 's16le', sampleRate: 8000, channels: 1 });
  const mixed = stereo.push(new Uint8Array(Int16Array.of(100, 300, -32_768, -32_768, 32_767, 32_767).buffer));
  assert.equal([...new Int16Array(mixed.slice().buffer)], [200, -32_768, 32_767]);
});

test('floats beyond full scale are held there when they are mixed', () => {
  const mixed = audio('encoding=linear32&channels=2').push(
    new Uint8Array(Float32Array.of(2, 2, -3, -3).buffer),
  );
  assert.equal([...new Int16Array(mixed.slice().buffer)], [32_767, -32_768]);
});

test('a frame that is too large changes nothing', () => {
  const mono = audio('encoding=linear16', 4);
  mono.push(Uint8Array.of(1));
  assert.throws(() => mono.push(new Uint8Array(4)), /at most 4/);
  assert.equal([...mono.push(Uint8Array.of(2, 3, 4))], [1, 2, 3, 4]);
  assert.is(mono.samples, 2);
});

test.run();
