import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AttentionTrack } from '../src/adapter/attention-track.js';
import { embeddedList } from '../src/adapter/embedded-lists.js';
import type { Biased } from '../src/adapter/runtime.js';

const embedding = { keys: new Float32Array(1), values: new Float32Array(1) };
const list = embeddedList(
  new Map([
    ['Anna', embedding],
    ['Bert\nberd', embedding],
  ]),
  1,
)!;

/** Weights of Bert and of Anna, as a shortlist orders them, a pair a frame. */
function biased(...frames: readonly (readonly [bert: number, anna: number])[]): Biased {
  return {
    subwords: new Float32Array(0),
    entries: Int32Array.of(1, 0),
    weights: Float32Array.from(frames.flatMap(([bert, anna]) => [1 - bert - anna, bert, anna])),
  };
}

test('much attention speaks for an entry, none against it, by its peak in the frames asked for', () => {
  const track = new AttentionTrack();
  track.record(10, 3, biased([0, 0], [0.9, 0], [0, 0]), list);
  assert.ok(track.logRatio('Bert', 11, 12) > 4);
  assert.ok(track.logRatio('Bert', 0, 99) > 4);
  assert.ok(track.logRatio('Bert', 12, 13) < -4);
  assert.ok(track.logRatio('Anna', 10, 13) < -4);
});

test('more attention never speaks less for an entry', () => {
  const ratios = [0.001, 0.02, 0.04, 0.08, 0.2, 0.3, 0.6, 0.79, 0.95].map((weight) => {
    const track = new AttentionTrack();
    track.record(0, 1, biased([weight, 0]), list);
    return track.logRatio('Bert', 0, 1);
  });
  assert.equal(
    ratios,
    [...ratios].sort((a, b) => a - b),
  );
  assert.ok(new Set(ratios).size > 6);
});

test('nothing is known of entries that were not attended to, nor of frames in which there was no list', () => {
  const track = new AttentionTrack();
  track.record(0, 2, biased([0, 0], [0, 0]), list);
  assert.is(track.logRatio('Carl', 0, 2), 0);
  assert.is(track.logRatio('Anna', 2, 9), 0);
});

test('frames that come again take the place of what was recorded of them', () => {
  const track = new AttentionTrack();
  track.record(0, 2, biased([0, 0], [0, 0]), list);
  track.record(2, 2, biased([0, 0.9], [0, 0]), list);
  track.record(2, 2, biased([0, 0], [0, 0]), list);
  assert.ok(track.logRatio('Anna', 0, 4) < 0);
  track.skip(0);
  assert.is(track.logRatio('Anna', 0, 4), 0);
});

test('what is long past is forgotten', () => {
  const track = new AttentionTrack();
  for (let frame = 0; frame < 2000; frame += 2) track.record(frame, 2, biased([0, 0.9], [0, 0]), list);
  assert.is(track.logRatio('Anna', 0, 1000), 0);
  assert.ok(track.logRatio('Anna', 1900, 2000) > 0);
});

test.run();
