import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Gate } from '../src/compat/gate.js';
import type { Socket } from '../src/session/socket.js';

const test = suite('compat: what waits until audio can be decoded');

interface Waiting {
  readonly gate: Gate;
  readonly pauses: boolean[];
  readonly failures: string[];
  readonly passed: number[];
  pass(number: number, bytes?: number): void;
  settle(action: () => void): Promise<void>;
}

function waiting(ready?: Promise<void>): Waiting {
  const pauses: boolean[] = [];
  const failures: string[] = [];
  const passed: number[] = [];
  const socket: Socket = {
    send: () => undefined,
    close: () => undefined,
    setPaused: (paused) => pauses.push(paused),
    bufferedBytes: 0,
  };
  const gate = new Gate(socket, ready, { maxBytes: 100, failed: ({ code }) => failures.push(code) });
  return {
    gate,
    pauses,
    failures,
    passed,
    pass: (number, bytes = 1) => gate.pass(bytes, () => passed.push(number)),
    settle: async (action) => {
      action();
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
  };
}

test('where nothing has to get ready everything passes at once', () => {
  const { pass, passed, pauses } = waiting();
  pass(1);
  pass(2);
  assert.equal(passed, [1, 2]);
  assert.equal(pauses, []);
});

test('what came before passes in its order, the socket paused meanwhile', async () => {
  const { promise, resolve } = deferred();
  const { pass, passed, pauses, settle } = waiting(promise);
  pass(1);
  pass(2);
  assert.equal(passed, []);
  assert.equal(pauses, [true]);
  await settle(resolve);
  pass(3);
  assert.equal(passed, [1, 2, 3]);
  assert.equal(pauses, [true, false]);
});

test('a socket that the session wants paused stays so', async () => {
  const { promise, resolve } = deferred();
  const { gate, pauses, settle } = waiting(promise);
  gate.setPaused(true);
  await settle(resolve);
  assert.equal(pauses, [true]);
  gate.setPaused(false);
  assert.equal(pauses, [true, false]);
});

test('more than may wait, and a decoder that does not come, fail the connection', async () => {
  const never = waiting(deferred().promise);
  never.pass(1, 60);
  never.pass(2, 60);
  assert.equal(never.failures, ['slow_consumer']);
  const { promise, reject } = deferred();
  const broken = waiting(promise);
  await broken.settle(() => reject(new Error('no memory')));
  assert.equal(broken.failures, ['internal']);
});

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (reason: Error) => void } {
  let resolve = (): void => undefined;
  let reject = (_: Error): void => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

test.run();
