import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type WebSocket, WebSocketServer } from 'ws';
import { Pacer } from '../load-tests/load/pacer.js';
import { LEXIGATE, SHERPA, WHISPER } from '../load-tests/peers/dialects.js';
import { UtteranceStream } from '../load-tests/peers/utterance-stream.js';

const test = suite('load tests: servers side by side');

/** A server that does with a connection what is said, on its own port. */
async function scripted(
  serve: (socket: WebSocket) => void,
  action: (url: string) => Promise<void>,
): Promise<void> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', serve);
  await new Promise((resolve) => server.on('listening', resolve));
  try {
    await action(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}

const UTTERANCE = { packets: [new Uint8Array(4), new Uint8Array(4)], words: [] };

test('what the servers say is brought to one form', () => {
  const sherpa = { text: 'hello there', timestamps: [0.4, 0.8], start_time: 10, segment: 3 };
  assert.equal(SHERPA.hear(JSON.stringify(sherpa)), [
    { type: 'partial', text: 'hello there', end: 10.84 },
    { type: 'final', segment: 3, text: 'hello there' },
  ]);
  assert.equal(SHERPA.hear('Done!'), [{ type: 'over' }]);
  assert.equal(WHISPER.hear('{"text":"hello","end":1.5,"final":false}'), [
    { type: 'partial', text: 'hello', end: 1.5 },
    { type: 'final', segment: 0, text: 'hello' },
  ]);
  const partial = {
    type: 'partial',
    channel: 0,
    segment: 0,
    start: 0,
    end: 2,
    text: 'a b',
    committed: 'a',
    tail: 'b',
  };
  assert.equal(LEXIGATE.hear(JSON.stringify(partial)), [{ type: 'partial', text: 'a b', end: 2 }]);
  assert.equal(LEXIGATE.hear('{"type":"progress","sample":3}'), []);
  assert.throws(
    () => LEXIGATE.hear('{"type":"error","code":"internal","message":"No.","fatal":true}'),
    /No\./,
  );
});

test('an utterance is over when the server says so; its text is the last of every segment, and the same words count once', async () => {
  const results = [
    { text: '', timestamps: [], start_time: 0, segment: 0 },
    { text: 'one', timestamps: [0], start_time: 0, segment: 0 },
    { text: 'one', timestamps: [0], start_time: 0, segment: 0 },
  ];
  const serve = (socket: WebSocket): void => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        for (const result of results.splice(0)) socket.send(JSON.stringify(result));
        return;
      }
      assert.is(data.toString(), 'Done');
      socket.send(JSON.stringify({ text: 'one two', timestamps: [0, 0.1], start_time: 0, segment: 0 }));
      socket.send(JSON.stringify({ text: 'three', timestamps: [0], start_time: 0.1, segment: 1 }));
      socket.send('Done!');
    });
  };
  await scripted(serve, async (url) => {
    const outcome = (await UtteranceStream.say(url, SHERPA, UTTERANCE, new Pacer()))!;
    assert.is(outcome.text, 'one two three');
    // behind the last packet there are no partials any more, only what is left to say
    assert.is(outcome.wordMs.length, 1);
    assert.ok(outcome.firstPartialMs! >= 100);
  });
});

test('a server that closes before the end has failed', async () => {
  await scripted(
    (socket) => socket.on('message', () => socket.close()),
    async (url) => {
      assert.is(await UtteranceStream.say(url, WHISPER, UTTERANCE, new Pacer()), undefined);
    },
  );
});

test('a server that must speak first is waited for', async () => {
  const order: string[] = [];
  const serve = (socket: WebSocket): void => {
    socket.on('message', (data: Buffer, isBinary) => {
      order.push(isBinary ? 'audio' : (JSON.parse(data.toString()) as { type: string }).type);
      if (order.length === 1) setImmediate(() => socket.send('{"type":"ready"}'));
      if (order.at(-1) === 'stop') socket.send('{"type":"stopped"}');
    });
  };
  await scripted(serve, async (url) => {
    assert.is((await UtteranceStream.say(url, LEXIGATE, UTTERANCE, new Pacer()))!.text, '');
  });
  assert.equal(order, ['start', 'audio', 'audio', 'stop']);
});

test.run();
