/** Sessions that outlive their worker. Over real sockets and the real network: worker-death.test.ts. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type {
  Recogniser,
  RecogniserCommand,
  RecogniserEvent,
  RecogniserFactory,
} from '../src/session/recogniser.js';
import { RestartingRecognisers } from '../src/session/restarting.js';
import { BYTE_CONFIG, ByteRecogniser } from './byte-recogniser.js';
import { DESCRIPTION } from './session-support.js';

const test = suite('recognisers that are restarted');

interface Running {
  readonly recogniser: Recogniser;
  readonly events: RecogniserEvent[];
  /** In the order in which they were opened. */
  readonly opened: ByteRecogniser[];
  die(): void;
  /** Lets a restart happen. */
  settle(): Promise<void>;
}

async function run({ maxReplayBytes = 1000, refuse = false } = {}): Promise<Running> {
  const opened: ByteRecogniser[] = [];
  const recognisers: RecogniserFactory = {
    description: DESCRIPTION,
    open: async (config) => {
      if (refuse && opened.length > 0) throw new Error('no worker');
      const recogniser = new ByteRecogniser(config);
      opened.push(recogniser);
      return recogniser;
    },
  };
  const restarting = new RestartingRecognisers({
    recognisers,
    replaced: async () => undefined,
    maxReplayBytes,
  });
  const recogniser = await restarting.open(BYTE_CONFIG);
  const events: RecogniserEvent[] = [];
  recogniser.events.subscribe((event) => events.push(event));
  return {
    recogniser,
    events,
    opened,
    die: () => opened.at(-1)!.die(),
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

function audio(...bytes: number[]): RecogniserCommand {
  return { type: 'audio', bytes: Uint8Array.from(bytes) };
}

/** All that a client would keep of a session: partials are replaced by what follows. */
function lasting(events: readonly RecogniserEvent[]): RecogniserEvent[] {
  return events.filter(
    (event) =>
      event.type !== 'partial' && event.type !== 'progress' && !(event.type === 'failed' && !event.lost),
  );
}

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.constantFrom(0, 1, 1, 5, 6, 7), { minLength: 1, maxLength: 4 })
      .map((bytes) => ['audio', bytes] as const),
  },
  { weight: 1, arbitrary: fc.constant(['flush'] as const) },
  { weight: 1, arbitrary: fc.constant(['mark'] as const) },
  { weight: 1, arbitrary: fc.constantFrom(['set', 'a'] as const, ['set', 'b'] as const) },
  { weight: 1, arbitrary: fc.constant(['remove', 'a'] as const) },
  { weight: 1, arbitrary: fc.constant(['replace', 'c'] as const) },
);

test('whenever workers die, a client is left with the same as from one that lives', async () => {
  const scenario = fc.record({
    commands: fc.array(command, { maxLength: 30 }),
    deaths: fc.uniqueArray(fc.nat(30), { maxLength: 2 }),
    // commands that come before another recogniser goes on
    late: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ commands, deaths, late }) => {
      const told = async (dying: boolean): Promise<RecogniserEvent[]> => {
        const { recogniser, events, die, settle } = await run();
        for (const [i, [type, what]] of commands.entries()) {
          if (dying && deaths.includes(i)) {
            die();
            if (!late) await settle();
          }
          const entry = { text: `${what}`, weight: 1, soundsLike: [] };
          const update = { type: 'vocabulary', id: `${i}`, at: 'now', retroactive: false } as const;
          if (type === 'audio') recogniser.send(audio(...what));
          else if (type === 'set')
            recogniser.send({ ...update, change: { patch: { set: [entry], remove: [] } } });
          else if (type === 'remove')
            recogniser.send({ ...update, change: { patch: { set: [], remove: ['a'] } } });
          else if (type === 'replace') recogniser.send({ ...update, change: { replace: [entry] } });
          else recogniser.send({ type: 'boundary', boundary: { type, id: `${i}` } });
        }
        recogniser.send({ type: 'boundary', boundary: { type: 'stop' } });
        await settle();
        await settle();
        return lasting(events);
      };
      assert.equal(await told(true), await told(false));
    }),
    { numRuns: 500 },
  );
});

test('the client is told, and partials begin again in the segment that was open', async () => {
  const { recogniser, events, die, settle } = await run();
  recogniser.send(audio(5, 0, 6));
  die();
  recogniser.send(audio(7));
  await settle();
  const told = events.filter(({ type }) => type !== 'progress');
  assert.equal(
    told.map((event) => ('text' in event ? `${event.type} ${event.segment} ${event.text}` : event.type)),
    ['partial 0 5', 'final 0 5', 'partial 1 6', 'failed', 'partial 1 6', 'partial 1 6 7'],
  );
  const failed = told[3]!;
  assert.ok(failed.type === 'failed' && failed.code === 'recogniser_restarted' && failed.id === undefined);
  assert.match(failed.message, /again from 0\.10 s on\. Nothing needs to be sent again\.$/);
});

test('progress does not go back', async () => {
  const { recogniser, events, die, settle } = await run();
  recogniser.send(audio(5, 5, 5));
  die();
  await settle();
  recogniser.send(audio(5));
  const progress = events.flatMap((event) => (event.type === 'progress' ? event.sample : []));
  assert.equal(progress, [1, 2, 3, 4]);
});

test('of audio beyond the bound the oldest is lost, and that is said', async () => {
  const { recogniser, events, die, settle } = await run({ maxReplayBytes: 20 });
  for (let i = 0; i < 30; i++) recogniser.send(audio(5));
  die();
  await settle();
  const told = events.find(({ type }) => type === 'failed');
  assert.match(
    told?.type === 'failed' ? told.message : '',
    /from 1\.00 s on.*The 1\.00 s before that are lost\./,
  );
  const last = events.at(-1)!;
  assert.ok(last.type === 'partial' && last.words!.length === 20 && last.start === 1);
});

test('silence is not kept', async () => {
  const { recogniser, opened, die, settle } = await run({ maxReplayBytes: 1000 });
  for (let i = 0; i < 100; i++) recogniser.send(audio(1));
  let heard = 0;
  die();
  await settle();
  opened[1]!.events.subscribe(({ type }) => {
    if (type === 'progress') heard++;
  });
  recogniser.send({ type: 'boundary', boundary: { type: 'mark', id: 'm' } });
  const sample = await new Promise<number>((resolve) => {
    recogniser.events.subscribe((event) => {
      if (event.type === 'mark') resolve(event.sample);
    });
    recogniser.send({ type: 'boundary', boundary: { type: 'mark', id: 'n' } });
  });
  assert.is(sample, 100);
  assert.is(heard, 0);
});

test('with no room for audio a session ends with its worker, and so does one whose third worker dies', async () => {
  const none = await run({ maxReplayBytes: 0 });
  none.die();
  await none.settle();
  assert.is(none.opened.length, 1);
  assert.ok(none.events.at(-1)!.type === 'failed');
  const poisonous = await run();
  for (let i = 0; i < 4; i++) {
    poisonous.die();
    await poisonous.settle();
  }
  assert.is(poisonous.opened.length, 3);
  const last = poisonous.events.at(-1)!;
  assert.ok(last.type === 'failed' && last.code === 'internal');
});

test('where there is no other recogniser, the failure is told', async () => {
  const { events, die, settle } = await run({ refuse: true });
  die();
  await settle();
  assert.equal(
    events.map((event) => (event.type === 'failed' ? event.code : event.type)),
    ['internal'],
  );
});

test('a session that is closed meanwhile leaves nobody open', async () => {
  const { recogniser, opened, die, settle } = await run();
  die();
  recogniser.close();
  await settle();
  assert.ok(opened.every(({ dead }) => dead));
});

test.run();
