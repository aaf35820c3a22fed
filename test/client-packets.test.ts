import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Packet, Packetiser } from '../src/client/packets.js';

const test = suite('client packets');

function pack(size: number, blocks: readonly (readonly Float32Array[])[]): Packet[] {
  const packetiser = new Packetiser(size);
  const packets = blocks.flatMap((block) => packetiser.push(block));
  const rest = packetiser.flush();
  return rest === undefined ? packets : [...packets, rest];
}

function values({ bytes }: Packet): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(i * 2, true));
}

test('how the audio was cut into blocks does not show in the packets', () => {
  const samples = fc.array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 60 });
  fc.assert(
    fc.property(
      samples,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 9 }),
      (all, size, cut) => {
        const audio = Float32Array.from(all, (value) => value / 32_768);
        const blocks: Float32Array[][] = [];
        for (let at = 0; at < audio.length; at += cut) blocks.push([audio.subarray(at, at + cut)]);
        const packets = pack(size, blocks);
        assert.equal(packets, pack(size, [[audio]]));
        assert.equal(packets.flatMap(values), all);
        assert.ok(packets.slice(0, -1).every((packet) => packet.samples === size));
      },
    ),
  );
});

test('channels are mixed by their mean', () => {
  const [packet] = pack(2, [[Float32Array.of(0.5, 0), Float32Array.of(0, -0.5)]]);
  assert.equal(values(packet!), [8192, -8192]);
});

test('channels that stay apart alternate, one alone is heard on both sides', () => {
  const apart = new Packetiser(2, 2);
  const [first] = apart.push([Float32Array.of(0.5, 0, 0.25), Float32Array.of(-0.5, 1, 0)]);
  assert.equal(values(first!), [16_384, -16_384, 0, 32_767]);
  assert.is(first!.samples, 2);
  const [second] = apart.push([Float32Array.of(0.125)]);
  assert.equal(values(second!), [8192, 0, 4096, 4096]);
  assert.is(apart.flush(), undefined);
});

test('what is louder than can be written is written as loud as can be', () => {
  const [packet] = pack(2, [[Float32Array.of(3, -3)]]);
  assert.equal(values(packet!), [32_767, -32_768]);
  assert.is(packet!.level, 1);
});

test('the level is the root mean square of each packet alone', () => {
  const levels = pack(2, [[Float32Array.of(1, 1, 0.5, -0.5, 0, 0)]]).map(({ level }) => level);
  assert.equal(levels, [1, 0.5, 0]);
});

test('an input without channels is nothing', () => {
  assert.equal(pack(2, [[], []]), []);
});

test.run();
