import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FRAME, ScriptedRun, type ScriptRow } from './scripted-support.js';

const test = suite('transcriber: when an update takes effect');

const PIECES = ['▁my', '▁an', 'na', 'ya', '▁is', '▁the', '▁name', 'a', 'ja'];
const blank: ScriptRow = { '': -0.01 };
/** "my anya", where with the list it is "Anna"; with four hypotheses "anna" does not survive without it. */
const NAME: ScriptRow[] = [
  { '▁my': -0.1 },
  blank,
  { '▁an': -0.1 },
  blank,
  { ya: -0.1, a: -1, ja: -1.2, '▁is': -1.4, na: -3 },
  blank,
];

async function start(channels: 1 | 2 = 1): Promise<ScriptedRun> {
  return ScriptedRun.start(PIECES, {
    beam: 4,
    audio: { encoding: 'f32le', sampleRate: 16_000, channels },
  });
}

test('an update for the next utterance leaves the one that is spoken as it was', async () => {
  const run = await start();
  await run.say(NAME.slice(0, 4));
  run.update('u', ['Anna'], { at: 'next_utterance' });
  assert.equal(run.applied, []);
  await run.say(NAME.slice(4));
  await run.boundary('flush');
  assert.is(run.finals[0]?.text, 'my anya');
  assert.equal(
    run.applied.map(({ id, version }) => [id, version]),
    [['u', 1]],
  );
  assert.ok(run.applied[0]!.sample >= NAME.length * FRAME, `${run.applied[0]!.sample}`);
  const types = run.events.map(({ type }) => type);
  assert.ok(types.indexOf('vocabulary.applied') < types.indexOf('flushed'), 'it waited for more audio');
  await run.say(NAME);
  await run.boundary('stop');
  assert.is(run.finals[1]?.text, 'my Anna');
});

test('where nobody speaks, the next utterance is what comes next', async () => {
  const run = await start();
  await run.say([blank, blank, blank]);
  run.update('u', ['Anna'], { at: 'next_utterance' });
  assert.is(run.applied[0]?.sample, 3 * FRAME);
});

test('an update at a sample is in force from the first frame behind it, however the audio is cut', async () => {
  const at = 9 * FRAME + 1;
  const texts = [];
  for (const cut of [1, 5, 10]) {
    const run = await start();
    await run.say([...NAME.slice(0, cut)]);
    run.update('u', ['Anna'], { at });
    const rest = [...NAME.slice(cut), blank, ...NAME];
    await run.say(rest);
    assert.is(run.applied[0]?.sample, 10 * FRAME);
    await run.boundary('stop');
    texts.push(run.finals[0]?.text);
  }
  assert.equal(texts, new Array(3).fill('my anya my Anna'));
});

test('an update whose sample never comes is answered before the session ends', async () => {
  const run = await start();
  await run.say(NAME);
  run.update('u', ['Anna'], { at: 1_000_000 });
  run.update('v', ['Bert'], { at: 'next_utterance' });
  await run.boundary('stop');
  assert.equal(run.applied.map(({ id }) => id).sort(), ['u', 'v']);
  assert.is(run.events.at(-1)?.type, 'stopped');
});

test('a retroactive update brings back what had died, at once and marked as a revision', async () => {
  const run = await start();
  await run.say(NAME);
  run.update('plain', ['Anna']);
  await run.say([blank]);
  assert.is(run.partials.at(-1)?.text, 'my anya');
  assert.is(run.partials.at(-1)?.revised, undefined);
  run.update('u', ['Otto'], { retroactive: true });
  const partial = run.partials.at(-1)!;
  assert.is(run.events.at(-1), partial, 'without waiting for audio, and behind the answer');
  assert.is(partial.text, 'my Anna');
  assert.is(partial.revised, true);
  assert.equal(
    partial.words?.map(({ word, revised }) => [word, revised]),
    [
      ['my', undefined],
      ['Anna', true],
    ],
  );
  assert.is(run.applied.at(-1)?.sample, FRAME, 'from behind the committed word on');
  await run.say([{ '▁is': -0.1 }]);
  assert.is(run.partials.at(-1)?.text, 'my Anna is');
  assert.is(run.partials.at(-1)?.revised, undefined);
});

test('a retroactive update that changes no word says nothing', async () => {
  const run = await start();
  await run.say(NAME);
  const before = run.partials.length;
  run.update('u', ['Otto'], { retroactive: true });
  assert.is(run.partials.length, before);
});

test('a retroactive update changes nothing that is committed', async () => {
  const run = await start();
  await run.say(NAME);
  await run.say([{ '▁is': -0.1 }]);
  // three seconds are 75 frames
  await run.say([...new Array<ScriptRow>(80).fill(blank), { '▁the': -0.1 }, blank]);
  assert.is(run.partials.at(-1)?.committed, 'my anya is');
  run.update('u', ['Anna'], { retroactive: true });
  await run.boundary('stop');
  assert.is(run.finals[0]?.text, 'my anya is the');
  // it was decoded again from behind the committed words on
  assert.ok(run.applied[0]!.sample > 0 && run.applied[0]!.sample <= 7 * FRAME);
});

test('each of two channels finishes its utterance with the list that it began with', async () => {
  const run = await start(2);
  const silence = new Array<ScriptRow>(NAME.length).fill(blank);
  await run.say(silence.slice(0, 4), NAME.slice(0, 4));
  run.update('u', ['Anna'], { at: 'next_utterance' });
  assert.equal(run.applied, []);
  await run.say([...NAME, blank], [...NAME.slice(4), ...silence.slice(0, 5)]);
  await run.boundary('stop');
  assert.equal(run.finals.map(({ channel, text }) => [channel, text]).sort(), [
    [0, 'my Anna'],
    [1, 'my anya'],
  ]);
  assert.is(run.applied.length, 1);
});

test.run();
