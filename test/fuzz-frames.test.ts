/** Bytes that are no WebSocket, sent to a gateway that has another client: that one feels nothing. */
import { connect as connectTcp, type Socket as TcpSocket } from 'node:net';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LexigateClient } from '../src/client/client.js';
import { Gateway } from '../src/server/gateway.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { nativeEndpoint } from '../src/session/native.js';
import { ByteRecogniser } from './byte-recogniser.js';
import { DESCRIPTION } from './session-support.js';

const test = suite('fuzzing: frames');

let gateway: Gateway;
/** A client that is in the middle of its session all the time. */
let bystander: LexigateClient;

test.before(async () => {
  const recognisers = { description: DESCRIPTION, open: async (config: never) => new ByteRecogniser(config) };
  gateway = await Gateway.start({
    endpoints: [nativeEndpoint({ recognisers, limits: DEFAULT_LIMITS })],
    maxPayload: 4 * DEFAULT_LIMITS.maxFrameBytes,
    host: '127.0.0.1',
    port: 0,
    // none of the peers below is to wait for the others
    maxConnections: 10_000,
  });
  bystander = await LexigateClient.connect(gateway.url, {
    audio: { encoding: 'mulaw', sampleRate: 8000, channels: 1 },
  });
});
test.after(async () => {
  bystander.close();
  await gateway.stop({ graceMs: 0 });
});

/** What the bystander says arrives and is answered. */
async function unharmed(): Promise<void> {
  const finals: string[] = [];
  const listener = ({ text }: { text: string }): void => void finals.push(text);
  bystander.on('final', listener);
  await bystander.sendAudio(Uint8Array.of(7, 8));
  await bystander.flush();
  bystander.off('final', listener);
  assert.equal(finals, ['7 8']);
}

interface Peer {
  readonly socket: TcpSocket;
  /** All that came, once the gateway has hung up. */
  readonly ended: Promise<Buffer>;
}

function dial(): Peer {
  const { hostname, port } = new URL(gateway.url);
  const socket = connectTcp(Number(port), hostname);
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => void parts.push(part));
  // a reset is a way to hang up too
  socket.on('error', () => undefined);
  return { socket, ended: new Promise((resolve) => socket.on('close', () => resolve(Buffer.concat(parts)))) };
}

const HANDSHAKE = [
  'GET /v1/stream HTTP/1.1',
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n');

/** A peer behind the handshake. */
async function upgraded(): Promise<Peer> {
  const peer = dial();
  peer.socket.write(HANDSHAKE);
  await new Promise((resolve) => peer.socket.once('data', resolve));
  return peer;
}

/** A client's frame (RFC 6455, 5.2) with a mask of zeros. */
function frame(first: number, payload: Uint8Array, { length = payload.length, masked = true } = {}): Buffer {
  const mask = masked ? 0x80 : 0;
  const header =
    length < 126
      ? Buffer.of(first, mask | length)
      : length < 65_536
        ? Buffer.of(first, mask | 126, length >> 8, length & 0xff)
        : Buffer.concat([Buffer.of(first, mask | 127), bigEndian(BigInt(length))]);
  return Buffer.concat([header, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

function bigEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

const FIN = 0x80;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const START = Buffer.from('{"type":"start","audio":{"encoding":"mulaw","sampleRate":8000,"channels":1}}');

/** Frames that RFC 6455 forbids, and the code with which the gateway closes; undefined: it only hangs up. */
const CORPUS: Readonly<Record<string, readonly [bytes: Buffer, code: number | undefined]>> = {
  'a reserved bit': [frame(FIN | 0x40 | TEXT, START), 1002],
  'a reserved opcode': [frame(FIN | 3, START), 1002],
  'a reserved control opcode': [frame(FIN | 11, Buffer.alloc(0)), 1002],
  'no mask': [frame(FIN | TEXT, START, { masked: false }), 1002],
  'a continuation of nothing': [frame(FIN, START), 1002],
  'a new message within another': [Buffer.concat([frame(TEXT, START), frame(FIN | TEXT, START)]), 1002],
  'a ping in pieces': [frame(PING, Buffer.alloc(0)), 1002],
  'a ping that is too long': [frame(FIN | PING, Buffer.alloc(126)), 1002],
  'a close with half a code': [frame(FIN | CLOSE, Buffer.of(3)), 1002],
  'a close with a code that may not be sent': [frame(FIN | CLOSE, Buffer.of(0x03, 0xed)), 1002],
  // who leaves need not be understood
  'a close whose reason is no UTF-8': [frame(FIN | CLOSE, Buffer.of(0x03, 0xe8, 0xff)), 1000],
  'text that is no UTF-8': [frame(FIN | TEXT, Buffer.of(0xff)), 1007],
  'text cut within a character': [
    Buffer.concat([frame(TEXT, Buffer.of(0xc3)), frame(FIN, Buffer.alloc(0))]),
    1007,
  ],
  'a frame longer than any may be': [
    Buffer.concat([Buffer.of(FIN | BINARY, 0xff), bigEndian(2n ** 63n), Buffer.alloc(4)]),
    1009,
  ],
  'a frame longer than numbers are': [
    Buffer.concat([Buffer.of(FIN | BINARY, 0xff), bigEndian(2n ** 54n), Buffer.alloc(4)]),
    1009,
  ],
  'a frame above the limit': [frame(FIN | BINARY, Buffer.alloc(0), { length: 2 ** 26 }), 1009],
  'a message of too many pieces': [
    Buffer.concat([frame(BINARY, Buffer.of(1)), Buffer.alloc(20_000 * 7, frame(0, Buffer.of(1)))]),
    1008,
  ],
  'compression that was not agreed on': [frame(FIN | 0x40 | BINARY, Buffer.alloc(8)), 1002],
  'HTTP behind the handshake': [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 1002],
};

/** The code of the close frame that ends what the gateway said. */
function closeCode(said: Buffer): number | undefined {
  for (let at = 0; at + 2 <= said.length; ) {
    const length = said[at + 1]!;
    const [size, header] = length === 126 ? [said.readUInt16BE(at + 2), 4] : [length, 2];
    if ((said[at]! & 15) === CLOSE) return size >= 2 ? said.readUInt16BE(at + header) : undefined;
    at += header + size;
  }
  return undefined;
}

for (const [name, [bytes, code]] of Object.entries(CORPUS)) {
  test(`${name} closes the connection with ${code}, and no other`, async () => {
    const { socket, ended } = await upgraded();
    // as clients do that are told to close; without it the gateway waits for half a minute
    socket.once('data', () => socket.end());
    socket.write(bytes);
    const said = await ended;
    // behind the answer to the handshake
    assert.is(closeCode(said.subarray(said.indexOf('\r\n\r\n') + 4)), code);
    await unharmed();
  });
}

test('a peer that hangs up within a frame, or within the handshake, takes nothing with it', async () => {
  for (let length = 0; length < HANDSHAKE.length; length += 40) {
    const { socket, ended } = dial();
    socket.end(HANDSHAKE.slice(0, length));
    await ended;
  }
  const whole = frame(FIN | TEXT, START);
  for (let length = 0; length < whole.length; length += 5) {
    const { socket, ended } = await upgraded();
    socket.end(whole.subarray(0, length));
    await ended;
  }
  await unharmed();
});

test('any bytes at all leave the gateway and its other client whole', async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc
      .record({ first: fc.nat(255), payload: fc.uint8Array({ maxLength: 130 }) })
      .map(({ first, payload }) => frame(first, payload)),
    fc.constant(frame(FIN | TEXT, START)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.boolean(), async (pieces, behind) => {
      const { socket, ended } = behind ? await upgraded() : dial();
      for (const bytes of pieces) socket.write(bytes);
      socket.end();
      await ended;
      await unharmed();
    }),
    { numRuns: 200 },
  );
});

test.run();
