import { mock } from 'node:test';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FinalMessage, PartialMessage, ServerMessage } from '../src/protocol/messages.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { Outbox } from '../src/session/outbox.js';

const LIMITS = { ...DEFAULT_LIMITS, coalesceBytes: 1000, maxOutputBytes: 2000, overloadSeconds: 1 };

function partial(text: string, { channel = 0, segment = 0 } = {}): PartialMessage {
  return { type: 'partial', channel, segment, start: 0, end: 1, text, committed: '', tail: text };
}

function final(text: string, { channel = 0, segment = 0 } = {}): FinalMessage {
  const samples = { startSample: 0, endSample: 1 };
  return {
    type: 'final',
    channel,
    segment,
    start: 0,
    end: 1,
    ...samples,
    text,
    words: [],
    reason: 'endpoint',
  };
}

/** An outbox whose surroundings are what the test says. */
function stage() {
  const around = { bufferedBytes: 0, lagMs: 0, decodedMs: 0 };
  const sent: ServerMessage[] = [];
  const overflows: number[] = [];
  const outbox = new Outbox({
    socket: {
      send: (text) => sent.push(JSON.parse(text) as ServerMessage),
      close: () => undefined,
      setPaused: () => undefined,
      get bufferedBytes() {
        return around.bufferedBytes;
      },
    },
    limits: LIMITS,
    lagMs: () => around.lagMs,
    decodedMs: () => around.decodedMs,
    observe: () => undefined,
    overflow: (bytes) => {
      overflows.push(bytes);
      outbox.send({ type: 'error', code: 'slow_consumer', message: 'Too slow.', fatal: true });
      outbox.stop();
    },
  });
  return { around, sent, overflows, outbox };
}

test('behind, partials are half a second of audio apart; far behind, two seconds; the newest is what comes', () => {
  const { around, sent, outbox } = stage();
  const shown = (lagMs: number): number[] => {
    sent.length = 0;
    for (let ms = 0; ms <= 4000; ms += 100) {
      Object.assign(around, { lagMs, decodedMs: around.decodedMs + 100 });
      outbox.send(partial(`${ms}`));
    }
    return sent.map((message) => ('text' in message ? Number(message.text) : Number.NaN));
  };
  assert.is(shown(0).length, 41);
  assert.equal(shown(1500), [400, 900, 1400, 1900, 2400, 2900, 3400, 3900]);
  assert.is(shown(3500).length, 2);
  outbox.stop();
});

test('a partial that waits is let go before a mark, and given up for the final of its channel', () => {
  const { around, sent, outbox } = stage();
  around.bufferedBytes = 1500;
  outbox.send(partial('a'));
  outbox.send(partial('b', { channel: 1 }));
  outbox.send(final('A'));
  outbox.send(partial('c', { segment: 1 }));
  outbox.send({ type: 'mark', id: 'm', sample: 1 });
  assert.equal(
    sent.map((message) => ('text' in message ? message.text : message.type)),
    ['b', 'A', 'c', 'mark'],
  );
});

test('a partial that waits for a reader comes by itself once there is room', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { around, sent, outbox } = stage();
  around.bufferedBytes = 1500;
  outbox.send(partial('a'));
  around.bufferedBytes = 0;
  assert.equal(sent, []);
  mock.timers.tick(100);
  assert.equal(sent, [partial('a')]);
  mock.timers.reset();
});

test('finals say the lag too, and neither says any where there is none', () => {
  const { around, sent, outbox } = stage();
  outbox.send(final('a'));
  around.lagMs = 1000.4;
  outbox.send(final('b', { segment: 1 }));
  around.lagMs = 2500.4;
  outbox.send(final('c', { segment: 2 }));
  assert.equal(
    sent.map((message) => ('lagMs' in message ? message.lagMs : undefined)),
    [undefined, undefined, 2500],
  );
});

test('past the bound the reader is told once, and nothing follows', () => {
  const { around, sent, overflows, outbox } = stage();
  around.bufferedBytes = 1500;
  outbox.send(partial('a'));
  outbox.send(partial('b', { channel: 1 }));
  around.bufferedBytes = 2001;
  outbox.send({ type: 'mark', id: 'm', sample: 1 });
  assert.is(sent.filter(({ type }) => type === 'error').length, 1);
  assert.is(sent.at(-1)?.type, 'error');
  assert.ok(overflows.length >= 1);
});

type Step =
  | { readonly do: 'partial' | 'final'; readonly channel: number }
  | { readonly do: 'mark' }
  | {
      readonly do: 'change';
      readonly bufferedBytes: number;
      readonly lagMs: number;
      readonly passMs: number;
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('partial' as const, 'final' as const), channel: fc.nat(1) }),
  fc.record({ do: fc.constant('mark' as const) }),
  fc.record({
    do: fc.constant('change' as const),
    bufferedBytes: fc.nat(2000),
    lagMs: fc.nat(5000),
    passMs: fc.nat(3000),
  }),
);

test('whatever the load: no final is lost, nothing changes places, and only partials are left out', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { around, sent, outbox } = stage();
      const came: ServerMessage[] = [];
      const segments = [0, 0];
      for (const [i, each] of steps.entries()) {
        if (each.do === 'change') {
          const { bufferedBytes, lagMs, passMs } = each;
          Object.assign(around, { bufferedBytes, lagMs, decodedMs: around.decodedMs + passMs });
        } else if (each.do === 'mark') {
          came.push({ type: 'mark', id: `${i}`, sample: i });
          outbox.send(came.at(-1)!);
        } else {
          const where = { channel: each.channel, segment: segments[each.channel]! };
          came.push(each.do === 'partial' ? partial(`${i}`, where) : final(`${i}`, where));
          if (each.do === 'final') segments[each.channel]!++;
          outbox.send(came.at(-1)!);
        }
      }
      around.bufferedBytes = 0;
      around.lagMs = 0;
      mock.timers.tick(100);
      outbox.stop();
      const key = (message: ServerMessage): string => {
        const text = 'text' in message ? message.text : '';
        return `${message.type} ${'id' in message ? message.id : text}`;
      };
      const order = came.map(key);
      for (const channel of [0, 1]) {
        const others = sent.filter(({ type }) => type !== 'partial');
        const own = sent.filter(
          (each) => others.includes(each) || ('channel' in each && each.channel === channel),
        );
        const places = own.map((message) => order.indexOf(key(message)));
        assert.equal(
          places,
          [...new Set(places)].sort((a, b) => a - b),
          'in order, each once',
        );
      }
      const kept = (all: readonly ServerMessage[]): string[] =>
        all.filter(({ type }) => type !== 'partial').map(key);
      assert.equal(kept(sent), kept(came));
      for (const channel of [0, 1]) {
        const last = (all: readonly ServerMessage[]) =>
          all.filter((message) => 'channel' in message && message.channel === channel).at(-1);
        const [lastSent, lastCame] = [last(sent), last(came)];
        assert.is(lastSent && key(lastSent), lastCame && key(lastCame), 'the newest is shown');
      }
    }),
    { numRuns: 500 },
  );
  mock.timers.reset();
});

test.run();
