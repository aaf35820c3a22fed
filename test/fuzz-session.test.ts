/** Whatever clients say, in whatever order: nothing crashes, all answers are valid, and no word is lost. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ServerMessage } from '../src/protocol/messages.js';
import { parseServerMessage } from '../src/protocol/validate.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { nativeEndpoint } from '../src/session/native.js';
import { ByteRecogniser } from './byte-recogniser.js';
import { DESCRIPTION } from './session-support.js';

const test = suite('fuzzing: sessions');

const MAX_FRAME_BYTES = 1000;

const START = {
  type: 'start',
  audio: { encoding: 'mulaw', sampleRate: 8000, channels: 1 },
  vocabulary: ['Ada'],
};

type Step =
  | { readonly is: 'message'; readonly value: unknown }
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'audio'; readonly bytes: Uint8Array };

/** A message that is valid but for one member, which is something else or gone. */
function spoilt(message: object): fc.Arbitrary<Step> {
  return fc
    .record({
      member: fc.constantFrom(...Object.keys(message)),
      value: fc.anything({ maxDepth: 2 }),
      drop: fc.boolean(),
    })
    .map(({ member, value, drop }) => {
      const { [member]: _, ...rest } = message as Record<string, unknown>;
      return { is: 'message', value: drop ? rest : { ...rest, [member]: value } };
    });
}

const id = fc.constantFrom('a', 'b', 'c');
const entry = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.record({ text: fc.string({ maxLength: 5 }), weight: fc.double() }),
);

const message = fc
  .oneof(
    fc.constant({ type: 'flush' }),
    id.map((each) => ({ type: 'flush', id: each })),
    id.map((each) => ({ type: 'mark', id: each })),
    fc.nat(3).map((seq) => ({ type: 'ack', seq })),
    fc.constant({ type: 'resume', sessionId: 'x', token: 'y', seq: 0 }),
    fc.record({ type: fc.constant('vocabulary.update'), id, replace: fc.array(entry, { maxLength: 3 }) }),
    fc.record({
      type: fc.constant('vocabulary.update'),
      id,
      patch: fc.record({ set: fc.array(entry, { maxLength: 3 }) }),
    }),
    fc.constant(START),
  )
  .map((value): Step => ({ is: 'message', value }));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes): Step => ({ is: 'audio', bytes })) },
  { weight: 4, arbitrary: message },
  { weight: 2, arbitrary: spoilt({ type: 'vocabulary.update', id: 'a', replace: ['Ada'] }) },
  { weight: 2, arbitrary: spoilt(START) },
  { weight: 1, arbitrary: fc.string().map((text): Step => ({ is: 'text', text })) },
  { weight: 1, arbitrary: fc.json().map((text): Step => ({ is: 'text', text })) },
  { weight: 1, arbitrary: fc.constant<Step>({ is: 'audio', bytes: new Uint8Array(MAX_FRAME_BYTES + 1) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ is: 'text', text: ' '.repeat(MAX_FRAME_BYTES + 1) }) },
);

interface Conversation {
  readonly sent: ServerMessage[];
  readonly closes: number[];
  /** Bytes that are words to the recogniser, of the audio that it was to hear. */
  readonly words: number;
}

/** Says it all over one connection and stops. */
async function converse(before: readonly Step[], after: readonly Step[]): Promise<Conversation> {
  const sent: ServerMessage[] = [];
  const closes: number[] = [];
  const recognisers = { description: DESCRIPTION, open: async (config: never) => new ByteRecogniser(config) };
  const endpoint = nativeEndpoint({
    recognisers,
    limits: { ...DEFAULT_LIMITS, maxFrameBytes: MAX_FRAME_BYTES },
  });
  const socket = {
    send: (text: string) => {
      assert.equal(closes, [], 'something was sent behind the close');
      sent.push(parseServerMessage(text));
    },
    close: (code: number) => void closes.push(code),
    setPaused: () => undefined,
    bufferedBytes: 0,
  };
  const connection = endpoint.connect(socket, { url: new URL('http://x/'), headers: {}, protocols: [] });
  const say = (each: Step): void => {
    if (each.is === 'audio') connection.binary(Uint8Array.from(each.bytes));
    else connection.text(each.is === 'text' ? each.text : JSON.stringify(each.value));
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (const each of before) say(each);
  await settle();
  if (!sent.some(({ type }) => type === 'ready')) say({ is: 'message', value: START });
  let words = 0;
  for (const each of after) {
    say(each);
    if (each.is === 'audio' && each.bytes.length <= MAX_FRAME_BYTES)
      words += each.bytes.filter((byte) => byte > 1).length;
  }
  say({ is: 'message', value: { type: 'stop' } });
  await settle();
  connection.disconnected();
  return { sent, closes, words };
}

/** Texts alone do not start a session. */
const chatter = fc.array(
  step.filter(({ is }) => is === 'text'),
  { maxLength: 5 },
);

test('whatever is said, the session ends as it should, with every word in a final', async () => {
  await fc.assert(
    fc.asyncProperty(chatter, fc.array(step, { maxLength: 40 }), async (before, after) => {
      const { sent, closes, words } = await converse(before, after);
      assert.equal(closes, [1000]);
      assert.is(sent.at(-1)?.type, 'stopped');
      const finals = sent.flatMap((each) => (each.type === 'final' ? each.words : []));
      assert.is(finals.length, words);
      assert.equal(
        sent.filter((each) => each.type === 'error' && each.fatal),
        [],
      );
    }),
    { numRuns: 700 },
  );
});

test('every flush, mark and update with an id is answered once, refused or not', async () => {
  const valid = (each: Step): string[] => {
    if (each.is !== 'message') return [];
    const { type, id: asked } = each.value as { type?: unknown; id?: unknown };
    const asks = type === 'flush' || type === 'mark' || type === 'vocabulary.update';
    return asks && typeof asked === 'string' ? [asked] : [];
  };
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 30 }), async (steps) => {
      const { sent } = await converse([], steps);
      const answers = sent.flatMap((each) => (each.type !== 'final' && 'id' in each ? (each.id ?? []) : []));
      assert.equal(answers.toSorted(), steps.flatMap(valid).toSorted());
    }),
    { numRuns: 300 },
  );
});

test.run();
