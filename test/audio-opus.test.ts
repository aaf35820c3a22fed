import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { OpusDecoder } from 'opus-decoder';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AudioFormatError } from '../src/audio/format-error.js';
import { looksLikeOgg, OggOpusReader } from '../src/audio/ogg-opus.js';
import { OPUS_RATE, OpusStream, type OpusStreamOptions } from '../src/audio/opus.js';
import { type OpusPacket, opusSamples } from '../src/audio/opus-packet.js';
import { readWav } from '../src/audio/wav.js';
import { WebmOpusReader } from '../src/audio/webm-opus.js';
import { packageRoot } from '../src/util/package-root.js';
import { begin, block, element, type Track } from './webm-writer.js';

/** The bundled samples, encoded by libopus; see make.py there. */
const fixture = (name: string): Buffer => readFileSync(join(packageRoot(), 'test', 'fixtures', 'opus', name));
const sample = (name: string): Float32Array =>
  readWav(readFileSync(join(packageRoot(), 'samples', name))).channels[0]!;

const mono = fixture('before.ogg');
const both = fixture('both.ogg');
const packets = new OggOpusReader().push(mono).map(({ bytes }) => Uint8Array.from(bytes));

/** Cut into parts of at most these sizes, the last size again and again. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, sizes[Math.min(parts.length, sizes.length - 1)]!);
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}

const pages = suite('audio: Ogg');

const plain = (found: readonly OpusPacket[]): [string, number][] =>
  found.map(({ bytes, preSkip }) => [Buffer.from(bytes).toString('base64'), preSkip]);

pages('bytes cut anywhere hold the same packets', () => {
  const whole = plain(new OggOpusReader().push(both));
  assert.ok(whole.length > 100);
  assert.ok(whole[0]![1] > 0 && whole.slice(1).every(([, preSkip]) => preSkip === 0));
  const sizes = fc.array(fc.nat(3000), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sizes, (chosen) => {
      const reader = new OggOpusReader();
      assert.equal(
        cut(both, chosen).flatMap((part) => plain(reader.push(part))),
        whole,
      );
    }),
    { numRuns: 30 },
  );
});

pages('one stream behind the other is read, headers left out', () => {
  const reader = new OggOpusReader();
  assert.equal(plain(reader.push(Buffer.concat([mono, both]))), [
    ...plain(new OggOpusReader().push(mono)),
    ...plain(new OggOpusReader().push(both)),
  ]);
});

/** A page with one serial number and a table of segments. */
function page(flags: number, segments: readonly number[], body: Uint8Array, serial = 1): Buffer {
  const head = Buffer.alloc(27);
  head.write('OggS');
  head[5] = flags;
  head.writeUInt32LE(serial, 14);
  head[26] = segments.length;
  return Buffer.concat([head, Uint8Array.from(segments), body]);
}

const head = Buffer.concat([Buffer.from('OpusHead'), Uint8Array.of(1, 1, 56, 1), Buffer.alloc(7)]);
const headPage = page(2, [head.length], head);

pages('a packet goes on over pages, and comments of any size are not kept', () => {
  const reader = new OggOpusReader();
  assert.equal(reader.push(headPage), []);
  // comments with a picture: a megabyte, page after page without an end
  for (let i = 0; i < 16; i++) {
    assert.equal(reader.push(page(i === 0 ? 0 : 1, Array(255).fill(255), Buffer.alloc(255 * 255))), []);
  }
  assert.equal(reader.push(page(1, [3], Buffer.alloc(3))), []);
  assert.equal(reader.push(page(0, [1, 255], Buffer.alloc(256, 7))).length, 1);
  assert.is(reader.push(page(1, [2], Buffer.alloc(2, 7)))[0]!.bytes.length, 257);
  // other streams beside it are none of ours
  assert.equal(reader.push(page(2, [4], Buffer.from('fish'), 2)), []);
});

pages('what is wrong with a stream is said', () => {
  const wrong = (...parts: Buffer[]): void => {
    const reader = new OggOpusReader();
    for (const part of parts) reader.push(part);
  };
  assert.throws(
    () => wrong(page(2, [6], Buffer.from('vorbis')), page(0, [1], Buffer.alloc(1))),
    /holds no Opus/,
  );
  assert.throws(() => wrong(headPage, Buffer.from('no page here')), /where a page should begin/);
  assert.throws(
    () => wrong(page(2, [9], Buffer.from('OpusHead\x01'))),
    /header of the Ogg stream is cut off/,
  );
  const endless = page(1, Array(255).fill(255), Buffer.alloc(255 * 255));
  assert.throws(
    () => wrong(headPage, page(0, [1], Buffer.alloc(1)), endless, endless),
    /more than 65536 bytes/,
  );
});

pages('any bytes behind a begin are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(255), (bytes, flags) => {
      const reader = new OggOpusReader();
      try {
        reader.push(headPage);
        reader.push(page(flags, [...bytes.subarray(0, 20)], bytes));
        reader.push(bytes);
      } catch (error) {
        assert.instance(error, AudioFormatError);
      }
    }),
  );
});

pages('too few bytes tell nothing', () => {
  assert.is(looksLikeOgg(Buffer.from('Og')), undefined);
  assert.is(looksLikeOgg(Buffer.from('Oops')), false);
  assert.is(looksLikeOgg(mono), true);
});

pages.run();

const recordings = suite('audio: WebM');

const OPUS: Track = { number: 1, codec: 'A_OPUS', head };

/** The sample's packets as a browser would have written them, in blocks of both kinds and in two clusters. */
const webm = Buffer.concat([
  begin([{ number: 2, codec: 'V_VP9', head: new Uint8Array() }, OPUS]),
  ...packets.flatMap((packet, i) => [
    ...(i === 20 ? [element(0x1f43b675), element(0xe7, Buffer.of(9))] : []),
    block(1, packet, { simple: i % 3 !== 0 }),
    ...(i % 5 === 0 ? [block(2, Buffer.alloc(300))] : []),
  ]),
]);

recordings('bytes cut anywhere hold the packets of the Opus track, and of no other', () => {
  const sizes = fc.array(fc.nat(3000), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sizes, (chosen) => {
      const reader = new WebmOpusReader();
      const found = cut(webm, chosen).flatMap((part) => plain(reader.push(part)));
      assert.equal(
        found.map(([bytes]) => bytes),
        packets.map((packet) => Buffer.from(packet).toString('base64')),
      );
      assert.is(found[0]![1], 312);
      assert.ok(found.slice(1).every(([, preSkip]) => preSkip === 0));
    }),
    { numRuns: 30 },
  );
});

recordings('what is wrong with a stream is said', () => {
  const wrong = (...parts: Buffer[]): void => void new WebmOpusReader().push(Buffer.concat(parts));
  const packet = Uint8Array.from(packets[0]!);
  assert.throws(() => wrong(begin([{ ...OPUS, codec: 'A_VORBIS' }]), block(1, packet)), /holds no Opus/);
  assert.throws(() => wrong(begin([OPUS]), block(1, packet, { lacing: 2 })), /lacing/);
  assert.throws(() => wrong(begin([OPUS]), element(0xa3, Buffer.alloc(70_000))), /70000 bytes/);
  assert.throws(() => wrong(begin([OPUS]), element(0xa3, Buffer.of(0x81))), /a block has 1 bytes/);
  assert.throws(() => wrong(begin([OPUS]), element(0xec)), /leaves the size of its element ec open/);
  assert.throws(() => wrong(begin([OPUS]), Buffer.alloc(20)), /a number in it has no length/);
});

recordings('any bytes behind a begin are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(0xa3, 0xae, 0xa1, 0xec), (bytes, id) => {
      try {
        const reader = new WebmOpusReader();
        reader.push(begin([OPUS]));
        reader.push(element(id, bytes));
        reader.push(bytes);
      } catch (error) {
        assert.instance(error, AudioFormatError);
      }
    }),
  );
});

recordings.run();

const framing = suite('audio: Opus packets');

framing('their audio is as much as libopus decodes, and what it refuses is refused', async () => {
  const decoder = new OpusDecoder({ channels: 1 });
  await decoder.ready;
  const { error: told } = console;
  // libopus' wrapper writes there what it also returns
  console.error = () => undefined;
  try {
    const arbitrary = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      // with frames of their own sizes and padding, which random bytes seldom have right
      fc
        .tuple(fc.nat(31), fc.nat(63), fc.uint8Array({ maxLength: 80 }))
        .map(([kind, count, rest]) => Uint8Array.of((kind << 3) | 3, count | 128, ...rest)),
      fc
        .tuple(fc.nat(31), fc.nat(63), fc.uint8Array({ maxLength: 80 }))
        .map(([kind, count, rest]) => Uint8Array.of((kind << 3) | 3, count | 64, ...rest)),
      fc.constantFrom(...packets),
    );
    fc.assert(
      fc.property(arbitrary, (packet) => {
        const { samplesDecoded, errors } = decoder.decodeFrame(packet);
        assert.is(opusSamples(packet), errors.length > 0 ? undefined : samplesDecoded);
      }),
      { numRuns: 2000 },
    );
  } finally {
    console.error = told;
    decoder.free();
  }
});

framing('no bytes are no packet', () => {
  assert.is(opusSamples(new Uint8Array()), undefined);
});

framing.run();

const streams = suite('audio: Opus');

async function opened(changes: Partial<OpusStreamOptions> = {}): Promise<OpusStream> {
  const stream = new OpusStream({ channels: 1, maxPushSeconds: 60, ...changes });
  await stream.ready;
  return stream;
}

/** How alike two recordings are, sample by sample: 1 is the same, 0 has nothing to do with it. */
function correlation(a: Float32Array, b: Float32Array): number {
  const length = Math.min(a.length, b.length);
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

streams('it sounds as before it was encoded, and at the same time to the sample', async () => {
  const stream = await opened();
  const [decoded] = stream.push(mono);
  const original = sample('before.wav');
  assert.ok(correlation(decoded!, original) > 0.95, `${correlation(decoded!, original)}`);
  assert.ok(correlation(decoded!.subarray(8), original) < 0.9);
  const longer = decoded!.length - original.length;
  assert.ok(longer >= 0 && longer < 0.12 * OPUS_RATE, `${longer} samples longer`);
  stream.close();
});

streams('two channels stay apart, or are mixed', async () => {
  const apart = await opened({ channels: 2 });
  const [left, right] = apart.push(both);
  assert.ok(correlation(left!, sample('before.wav')) > 0.9);
  assert.ok(correlation(right!, sample('after.wav')) > 0.9);
  const mixed = await opened();
  const [one] = mixed.push(both);
  const sum = left!.map((value, i) => value + right![i]!);
  assert.ok(correlation(one!, sum) > 0.99);
  for (const stream of [apart, mixed]) stream.close();
});

streams(
  'packets that come one by one are those of the Ogg stream, but for what the header leaves out',
  async () => {
    const inOgg = await opened();
    const alone = await opened();
    const [whole] = inOgg.push(mono);
    const parts = packets.flatMap((packet) => [...alone.push(packet)[0]!]);
    assert.equal(parts.slice(parts.length - whole!.length), [...whole!]);
    for (const stream of [inOgg, alone]) stream.close();
  },
);

streams('Ogg cut anywhere, even within its first bytes, sounds the same', async () => {
  const whole = await opened({ contained: true });
  const parts = await opened({ contained: true });
  const cutUp = cut(mono, [1, 1, 1, 400]).flatMap((part) => [...parts.push(part)[0]!]);
  assert.equal(cutUp, [...whole.push(mono)[0]!]);
  for (const stream of [whole, parts]) stream.close();
});

streams('WebM sounds as Ogg does', async () => {
  const inOgg = await opened();
  const inWebm = await opened({ contained: true });
  assert.equal(inWebm.push(webm), inOgg.push(mono));
  for (const stream of [inOgg, inWebm]) stream.close();
});

streams('what is no Opus is refused, and so is more of it than a frame may hold', async () => {
  const packetwise = await opened();
  assert.throws(() => packetwise.push(Uint8Array.of(0xff, 0x30)), /2 bytes are no Opus packet/);
  assert.throws(
    () => packetwise.push(Buffer.alloc(100_000)),
    /100000 bytes are no Opus packet of at most 3840/,
  );
  const ogg = await opened({ contained: true });
  assert.throws(() => ogg.push(Buffer.from('RIFF....WAVE')), /begins neither as Ogg nor as WebM/);
  const short = await opened({ maxPushSeconds: 2 });
  assert.throws(() => short.push(mono), /holds \d+\.\d seconds of audio; send at most 2 in each/);
  for (const stream of [packetwise, ogg, short]) stream.close();
});

streams('closed before it is ready it does not fail', async () => {
  const stream = new OpusStream({ channels: 1, maxPushSeconds: 60 });
  stream.close();
  stream.close();
  await stream.ready;
});

streams.run();
