import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Attention, attend } from '../src/adapter/attention.js';
import { embeddedList } from '../src/adapter/embedded-lists.js';
import type { AdapterRuntime, Biased, Layers } from '../src/adapter/runtime.js';
import type { EncoderRequest, EncoderResult, EncoderRuntime } from '../src/encoder/runtime.js';
import { drawAttention } from '../src/evaluation/attention-plot.js';
import { FakeAdapter } from './adapter-support.js';
import { DESCRIPTION } from './session-support.js';

const LATENCY = { chunkFrames: 2, lookaheadFrames: 1 };
const list = embeddedList(
  new Map(['anna', 'bert'].map((text) => [text, { keys: new Float32Array(1), values: new Float32Array(1) }])),
  1,
)!;

/** Its last layer is the first sample of each frame. */
class Encoder implements EncoderRuntime {
  readonly description = {
    ...DESCRIPTION,
    frameSamples: 2,
    sampleRate: 50,
    pieces: ['', '▁an', 'na'],
    blank: 3,
  };
  start(): { tensors: [] } {
    return { tensors: [] };
  }
  fork(): { tensors: [] } {
    return this.start();
  }
  async run(requests: readonly EncoderRequest[]): Promise<readonly EncoderResult[]> {
    return requests.map(({ pcm, state }) => ({
      state,
      logProbs: {
        frames: 2,
        subwords: new Float32Array(8),
        phones: new Float32Array(2),
        taps: [],
        hidden: Float32Array.of(pcm[0]!, pcm[2]!),
      },
    }));
  }
  async close(): Promise<void> {}
}

/** Attends to bert as much as the last layer says, and hears its whole part. */
class Adapter extends FakeAdapter implements AdapterRuntime {
  override async bias(blocks: readonly Layers[]): Promise<readonly Biased[]> {
    return blocks.map(({ hidden }) => ({
      entries: Int32Array.of(1),
      weights: Float32Array.from([...hidden].flatMap((weight) => [1 - weight, weight])),
      subwords: Float32Array.from(
        [...hidden].flatMap((weight) =>
          [0, 1, 2, 3].map((symbol) => (symbol === Math.round(4 * weight) ? 0 : -9)),
        ),
      ),
    }));
  }
}

const runtimes = { encoder: new Encoder(), adapter: new Adapter(), latency: LATENCY };

test('attention is that of each frame of the recording, and no frame behind it', async () => {
  const samples = Float32Array.of(0.25, 0, 0.5, 0, 0.75, 0);
  const attention = await attend(samples, list, runtimes);
  assert.is(attention.frames, 3);
  assert.equal([...attention.none], [0.75, 0.5, 0.25]);
  assert.equal(
    attention.entries.map(({ text, weights }) => [text, [...weights]]),
    [['bert', [0.25, 0.5, 0.75]]],
  );
});

test('the words beside it are those that the frames say with the list', async () => {
  const { words } = await attend(Float32Array.of(0.25, 0, 0.25, 0, 0.5, 0, 0.75, 0), list, runtimes);
  assert.equal(words, [{ text: 'anna', frame: 0 }]);
});

const drawn: Attention = {
  frames: 50,
  frameMs: 40,
  none: new Float32Array(50).fill(0.9),
  entries: Array.from({ length: 40 }, (_, i) => ({
    text: `<name ${i}>`,
    weights: Float32Array.from({ length: 50 }, (_, frame) => (frame === 7 ? i / 50 : 0)),
  })),
  words: [{ text: 'anna', frame: 7 }],
};

test('the picture shows <no-bias> and the entries that were attended to most, above them the words', () => {
  const svg = drawAttention('a & b', drawn);
  assert.match(svg, 'a &amp; b');
  assert.match(svg, '&lt;no-bias&gt;');
  assert.match(svg, '&lt;name 39&gt; 0.78');
  assert.not.match(svg, '&lt;name 15&gt;');
  assert.match(svg, '>anna</text>');
  assert.match(svg, '>1 s</text>');
});

test('nothing is drawn where there is no weight', () => {
  const cells = drawAttention('', drawn).match(/fill-opacity/g)!.length;
  assert.is(cells, 50 + 24);
});

test.run();
