import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answer, VoskReplies } from '../src/compat/vosk-replies.js';
import { voskResult } from '../src/compat/vosk-reply.js';
import { final } from './compat-vosk-support.js';

const test = suite('replies to vosk clients');

function replies(): { readonly queue: VoskReplies; readonly answers: Answer[] } {
  const answers: Answer[] = [];
  const queue = new VoskReplies({
    sampleRate: 8000,
    heldBackSeconds: 1,
    answer: (answer) => answers.push(answer),
  });
  return { queue, answers };
}

function texts(answer: Answer): string[] {
  return answer.is === 'partial' ? [] : answer.finals.map(({ text }) => text);
}

test('segments that ended between two frames are told one a frame, and the partial behind them waits', () => {
  const { queue, answers } = replies();
  queue.partial('a');
  queue.final(final(0, 'a'));
  queue.audioAsked(0);
  queue.audioAsked(0);
  assert.equal(texts(answers[0]!), ['a']);
  assert.equal(answers.splice(0)[1], { is: 'partial', text: '' });
  queue.final(final(1, 'b'));
  queue.final(final(2, 'c'));
  queue.partial('d');
  for (let i = 1; i <= 3; i++) queue.audioAsked(i);
  assert.equal(answers.slice(0, 2).map(texts), [['b'], ['c']]);
  assert.equal(answers[2], { is: 'partial', text: 'd' });
});

test('the end takes along every segment that no frame asked for', () => {
  const { queue, answers } = replies();
  queue.eofAsked();
  for (const segment of [0, 1, 2]) queue.final(final(segment, `s${segment}`));
  queue.stopped();
  assert.equal(answers.map(texts), [['s0', 's1', 's2']]);
});

test('what a reset ended is told in its answer, also while frames before it still wait', () => {
  const { queue, answers } = replies();
  queue.audioAsked(16_000);
  queue.resetAsked();
  queue.final(final(0, 'a', 'flush'));
  assert.equal(answers, []);
  queue.flushed(16_000);
  assert.equal(answers[0], { is: 'partial', text: '' });
  assert.equal(texts(answers[1]!), ['a']);
});

test('progress counts once the next one shows that its messages are here', () => {
  const { queue, answers } = replies();
  queue.audioAsked(12_000);
  queue.progress(8000);
  assert.is(answers.length, 0);
  queue.partial('heard');
  queue.progress(9000);
  assert.equal(answers, [{ is: 'partial', text: 'heard' }]);
});

type Step =
  | { readonly is: 'audio'; readonly samples: number }
  | { readonly is: 'reset' | 'final' | 'partial' | 'progress' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ is: fc.constant('audio' as const), samples: fc.nat({ max: 9000 }) }),
  fc.record({
    is: fc.constantFrom('reset' as const, 'final' as const, 'partial' as const, 'progress' as const),
  }),
);

test('however frames, resets and recognition mix, each is answered once and each segment told once, in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { queue, answers } = replies();
      let received = 0;
      let asked = 0;
      let segments = 0;
      const resets: number[] = [];
      const come = (): void => {
        for (const sample of resets.splice(0)) queue.flushed(sample);
      };
      for (const each of steps) {
        if (each.is === 'audio') {
          received += each.samples;
          queue.audioAsked(received);
          asked++;
        } else if (each.is === 'reset') {
          queue.resetAsked();
          resets.push(received);
          asked++;
        } else if (each.is === 'final') queue.final(final(segments, `s${segments++}`));
        else if (each.is === 'partial') queue.partial('p');
        else {
          queue.progress(received);
          come();
        }
        assert.ok(answers.length <= asked);
      }
      queue.eofAsked();
      come();
      queue.stopped();
      assert.is(answers.length, asked + 1);
      assert.equal(
        answers.flatMap(texts),
        Array.from({ length: segments }, (_, i) => `s${i}`),
      );
    }),
  );
});

test('alternatives of several segments in one result are not mixed: only the best text is told', () => {
  const alternatives = [
    { text: 'a', score: 0, confidence: 0.9 },
    { text: 'b', score: -1, confidence: 0.1 },
  ];
  const finals = [{ ...final(0, 'a'), alternatives }, final(1, 'c')];
  assert.equal(voskResult(finals, { words: false, maxAlternatives: 3 }), {
    alternatives: [{ text: 'a c', confidence: 0.5 }],
  });
  assert.equal(voskResult([], { words: true, maxAlternatives: 3 }), {
    alternatives: [{ text: '', confidence: 1 }],
  });
});

test.run();
