import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ResultsMessage } from '../src/compat/deepgram-messages.js';
import {
  asked,
  final,
  flushed,
  LINEAR16,
  type ListenTalk,
  listen,
  partial,
  RATE,
  stopped,
} from './compat-deepgram-support.js';

const test = suite('Deepgram: a stream');

/** Stretches of the finals, in milliseconds. */
function stretches({ all }: ListenTalk, channel = 0): [start: number, end: number][] {
  return all('Results')
    .filter((result) => result.is_final && result.channel_index[0] === channel)
    .map(({ start, duration }) => [start * 1000, Math.round((start + duration) * 1000)]);
}

function text(result: ResultsMessage): string {
  return result.channel.alternatives[0]!.transcript;
}

test('a final is a result with all members that the clients declare', async () => {
  const talk = await listen(`${LINEAR16}&punctuate=true`);
  talk.recogniser.happened.next(
    final('endpoint', [
      ['hello', 0.2, 0.5],
      ['there', 0.6, 1],
    ]),
  );
  const [{ metadata, ...result }] = talk.all('Results') as [ResultsMessage];
  assert.equal(result, {
    type: 'Results',
    channel_index: [0, 1],
    duration: 1,
    start: 0,
    is_final: true,
    speech_final: true,
    from_finalize: false,
    channel: {
      alternatives: [
        {
          transcript: 'hello there',
          confidence: 0.9,
          words: [
            { word: 'hello', start: 0.2, end: 0.5, confidence: 0.9, punctuated_word: 'hello' },
            { word: 'there', start: 0.6, end: 1, confidence: 0.9, punctuated_word: 'there' },
          ],
        },
      ],
    },
  });
  assert.equal(metadata.model_info, { name: 'fake', version: '1', arch: 'lexigate' });
  assert.match(metadata.request_id, /^[0-9a-f-]{36}$/);
  assert.match(metadata.model_uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('words are written once where no formatting is asked for', async () => {
  const talk = await listen(LINEAR16);
  talk.recogniser.happened.next(final('endpoint', [['hello', 0.2, 0.5]]));
  assert.not('punctuated_word' in talk.all('Results')[0]!.channel.alternatives[0]!.words[0]!);
});

test('interim results come only where they are asked for', async () => {
  for (const [query, count] of [
    [LINEAR16, 0],
    [`${LINEAR16}&vad_events=true`, 0],
    [`${LINEAR16}&interim_results=true`, 1],
  ] as const) {
    const talk = await listen(query);
    talk.recogniser.happened.next(partial([['hello', 0.2, 0.5]]));
    assert.is(talk.all('Results').length, count, query);
  }
});

test('an interim result is not final, and begins where its final will', async () => {
  const talk = await listen(`${LINEAR16}&interim_results=true`);
  const { happened } = talk.recogniser;
  happened.next(final('endpoint', [['one', 0.2, 0.5]]));
  happened.next(partial([['two', 1, 1.2]], { segment: 1 }));
  happened.next(final('endpoint', [['two', 1, 1.4]], { segment: 1 }));
  const shown = talk
    .all('Results')
    .map(({ is_final, speech_final, start, duration }) => ({ is_final, speech_final, start, duration }));
  assert.equal(shown.slice(1), [
    { is_final: false, speech_final: false, start: 0.5, duration: 0.7 },
    { is_final: true, speech_final: true, start: 0.5, duration: 0.9 },
  ]);
});

test('a segment that was only too long is final, and the speech goes on', async () => {
  const talk = await listen(LINEAR16);
  talk.recogniser.happened.next(final('limit', [['and', 19, 19.2]]));
  const [result] = talk.all('Results');
  assert.ok(result!.is_final);
  assert.not(result!.speech_final);
});

test('the finals tile the stream, each channel for itself', async () => {
  const talk = await listen(`${LINEAR16}&channels=2&multichannel=true`);
  talk.audio(4, 2);
  const { happened } = talk.recogniser;
  happened.next(final('endpoint', [['one', 0.2, 0.5]]));
  happened.next(final('endpoint', [['uno', 0.7, 1.1]], { channel: 1 }));
  talk.say({ type: 'Finalize' });
  happened.next(final('flush', [['two', 1.3, 1.5]], { segment: 1 }));
  happened.next(flushed(2));
  talk.say({ type: 'CloseStream' });
  happened.next(final('stop', [['due', 2.5, 2.75]], { segment: 1, channel: 1 }));
  happened.next(stopped(4));
  assert.equal(stretches(talk, 0), [
    [0, 500],
    [500, 2000],
    [2000, 4000],
  ]);
  assert.equal(stretches(talk, 1), [
    [0, 1100],
    [1100, 2000],
    [2000, 4000],
  ]);
  const said = talk.all('Results').map((result) => [...result.channel_index, text(result)]);
  assert.equal(said, [
    [0, 2, 'one'],
    [1, 2, 'uno'],
    [0, 2, 'two'],
    [1, 2, ''],
    [0, 2, ''],
    [1, 2, 'due'],
  ]);
});

test('Finalize is answered with what was said, marked as its own', async () => {
  const talk = await listen(LINEAR16);
  talk.audio(1);
  talk.say({ type: 'Finalize' });
  assert.equal(asked(talk), [{ type: 'boundary', boundary: { type: 'flush', id: 'finalize' } }]);
  talk.recogniser.happened.next(final('flush', [['yes', 0.2, 0.5]]));
  talk.recogniser.happened.next(flushed(1));
  const results = talk
    .all('Results')
    .map((result) => [text(result), result.is_final, result.from_finalize, result.duration]);
  assert.equal(results, [['yes', true, true, 1]]);
});

test('Finalize is answered where nothing was spoken, and each one for itself', async () => {
  const talk = await listen(LINEAR16);
  talk.say({ type: 'Finalize' });
  talk.say({ type: 'Finalize', channel: 0 });
  talk.recogniser.happened.next(flushed(0));
  talk.recogniser.happened.next(flushed(0));
  const results = talk.all('Results').map((result) => [text(result), result.from_finalize, result.duration]);
  assert.equal(results, [
    ['', true, 0],
    ['', true, 0],
  ]);
});

test('a pause that ends the segment just before Finalize leaves it an answer of its own', async () => {
  const talk = await listen(LINEAR16);
  talk.say({ type: 'Finalize' });
  talk.recogniser.happened.next(final('endpoint', [['yes', 0.2, 0.5]]));
  talk.recogniser.happened.next(flushed(1));
  const results = talk.all('Results').map((result) => [text(result), result.from_finalize]);
  assert.equal(results, [
    ['yes', false],
    ['', true],
  ]);
});

test('one of two channels cannot be finalized alone, and the stream goes on', async () => {
  const talk = await listen(`${LINEAR16}&channels=2&multichannel=true`);
  talk.say({ type: 'Finalize', channel: 1 });
  assert.match(talk.all('Error')[0]!.description, /channel 1 alone is not offered/);
  assert.equal(asked(talk), []);
  assert.equal(talk.closes, []);
});

test('CloseStream is answered with the last result, Metadata and close 1000, and nothing behind it counts', async () => {
  const talk = await listen(LINEAR16);
  const audio = new Uint8Array(RATE * 2).fill(1);
  talk.connection.binary(audio);
  talk.say({ type: 'CloseStream' });
  talk.audio(1);
  talk.say({ type: 'Finalize' });
  talk.recogniser.happened.next(final('stop', [['bye', 0.2, 0.5]]));
  talk.recogniser.happened.next(stopped(1));
  assert.equal(
    talk.sent.map(({ type }) => type),
    ['Results', 'Metadata'],
  );
  const { models, model_info, created, request_id, ...metadata } = talk.all('Metadata')[0]!;
  assert.equal(metadata, {
    type: 'Metadata',
    transaction_key: 'deprecated',
    sha256: createHash('sha256').update(audio).digest('hex'),
    duration: 1,
    channels: 1,
  });
  assert.is(request_id, talk.requestId);
  assert.equal(model_info[models[0]!], { name: 'fake', version: '1', arch: 'lexigate' });
  assert.ok(Date.parse(created) <= Date.now());
  assert.equal(talk.closes, [{ code: 1000, reason: '' }]);
  assert.ok(talk.recogniser.closed);
});

test('an empty binary frame ends the stream, as it did before there was CloseStream', async () => {
  const talk = await listen(LINEAR16);
  talk.connection.binary(new Uint8Array());
  assert.equal(asked(talk), [{ type: 'boundary', boundary: { type: 'stop' } }]);
});

test('a stream without audio ends with Metadata alone', async () => {
  const talk = await listen(LINEAR16);
  talk.say({ type: 'CloseStream' });
  talk.recogniser.happened.next(stopped(0));
  assert.equal(
    talk.sent.map(({ type }) => type),
    ['Metadata'],
  );
});

test('SpeechStarted comes once for each segment, before its first result, where it is asked for', async () => {
  const talk = await listen(`${LINEAR16}&vad_events=true&interim_results=true`);
  const { happened } = talk.recogniser;
  happened.next(partial([['one', 0.2, 0.5]]));
  happened.next(
    partial([
      ['one', 0.2, 0.5],
      ['more', 0.6, 0.8],
    ]),
  );
  happened.next(
    final('endpoint', [
      ['one', 0.2, 0.5],
      ['more', 0.6, 0.8],
    ]),
  );
  happened.next(final('endpoint', [['two', 1.5, 1.7]], { segment: 1 }));
  assert.equal(
    talk.sent.map(({ type }) => type),
    ['SpeechStarted', 'Results', 'Results', 'Results', 'SpeechStarted', 'Results'],
  );
  assert.equal(talk.all('SpeechStarted')[0], { type: 'SpeechStarted', channel: [0, 1], timestamp: 0.2 });
  const silent = await listen(`${LINEAR16}&interim_results=true`);
  silent.recogniser.happened.next(partial([['one', 0.2, 0.5]]));
  assert.equal(silent.all('SpeechStarted'), []);
});

test('audio cut within a sample reaches the session in whole ones', async () => {
  const talk = await listen(LINEAR16);
  talk.connection.binary(Uint8Array.of(1, 2, 3));
  talk.connection.binary(Uint8Array.of(4));
  const got = talk.recogniser.commands.map((command) => (command.type === 'audio' ? [...command.bytes] : []));
  assert.equal(got, [
    [1, 2],
    [3, 4],
  ]);
  assert.equal(talk.sent, []);
});

test('the request id of the handshake is that of all answers', async () => {
  const talk = await listen(LINEAR16);
  talk.say({ type: 'Configure' });
  talk.recogniser.happened.next(final('endpoint', [['one', 0.2, 0.5]]));
  talk.say({ type: 'Configure', keyterms: [''] });
  assert.is(talk.all('Results')[0]!.metadata.request_id, talk.requestId);
  assert.is(talk.all('ConfigureSuccess')[0]!.request_id, talk.requestId);
  assert.is(talk.all('ConfigureFailure')[0]!.request_id, talk.requestId);
  assert.is.not((await listen(LINEAR16)).requestId, talk.requestId);
});

test.run();
