import { setImmediate } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Background } from '../src/session/background.js';

test('one piece of work at a time, in the order in which they were asked for', async () => {
  const background = new Background();
  const events: string[] = [];
  const work = (name: string) => async (): Promise<string> => {
    events.push(`${name} begins`);
    await Promise.resolve();
    await Promise.resolve();
    events.push(`${name} ends`);
    return name;
  };
  assert.equal(await Promise.all(['a', 'b', 'c'].map((name) => background.run(work(name)))), ['a', 'b', 'c']);
  assert.equal(
    events,
    ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
});

test('work that fails is its own failure alone', async () => {
  const background = new Background();
  const failed = background.run(() => Promise.reject(new Error('torn')));
  const next = background.run(() => Promise.resolve(2));
  assert.match(String(await failed.catch((error: unknown) => error)), 'torn');
  assert.is(await next, 2);
});

test('while recognition is busy the next piece waits three times as long as the last one took', async () => {
  let clock = 0;
  let busy = true;
  const events: (string | number)[] = [];
  const background = new Background(() => busy, {
    now: () => clock,
    pause: async (ms) => events.push(ms),
  });
  const work = async (): Promise<void> => {
    events.push('works');
    clock += 4;
  };
  await background.run(work);
  await background.run(work);
  await setImmediate();
  busy = false;
  await background.run(work);
  await background.run(work);
  assert.equal(events, ['works', 12, 'works', 12, 'works', 'works']);
});

test.run();
