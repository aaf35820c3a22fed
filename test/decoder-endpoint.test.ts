import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_ENDPOINT, type EndpointOptions, endpoint, SilenceTracker } from '../src/decoder/endpoint.js';
import { Segmenter } from '../src/decoder/segmenter.js';
import { VettedDecoder } from '../src/decoder/vetted-decoder.js';

const FRAME_MS = 40;
const PIECES = ['▁a', '▁b', 'c'];
const BLANK = 3;

test('trailing blank ends an utterance only where the audio is silent too', () => {
  const evidence = { segmentFrames: 50, trailingBlankFrames: 15 };
  assert.is(endpoint(DEFAULT_ENDPOINT, FRAME_MS, { ...evidence, silentFrames: 10 }), 'endpoint');
  assert.is(endpoint(DEFAULT_ENDPOINT, FRAME_MS, { ...evidence, silentFrames: 9 }), undefined);
});

test('long blank ends an utterance whatever the audio is', () => {
  const evidence = { segmentFrames: 60, trailingBlankFrames: 40, silentFrames: 0 };
  assert.is(endpoint(DEFAULT_ENDPOINT, FRAME_MS, evidence), 'endpoint');
});

test('with endpointing off only the length ends an utterance, at a gap between words or at last anywhere', () => {
  const off: EndpointOptions = { ...DEFAULT_ENDPOINT, enabled: false, maxSegmentMs: 4000 };
  const at = (segmentFrames: number, trailingBlankFrames: number): string | undefined =>
    endpoint(off, FRAME_MS, { segmentFrames, trailingBlankFrames, silentFrames: 99 });
  assert.is(at(99, 50), undefined);
  assert.is(at(100, 2), undefined);
  assert.is(at(100, 3), 'limit');
  assert.is(at(125, 0), 'limit');
});

test('silence is told by the distance from recent speech, whatever the gain', () => {
  for (const gain of [0, -30]) {
    const tracker = new SilenceTracker();
    for (const level of [-20, -22, -21]) tracker.push(level + gain);
    assert.is(tracker.silentFrames, 0);
    tracker.push(-50 + gain);
    tracker.push(-49 + gain);
    assert.is(tracker.silentFrames, 2);
    tracker.push(-30 + gain);
    assert.is(tracker.silentFrames, 0);
  }
});

/** Rows that say one symbol each, almost surely. */
function rows(...symbols: number[]): Float32Array {
  const out = new Float32Array(symbols.length * 4).fill(-12);
  for (const [i, symbol] of symbols.entries()) out[i * 4 + symbol] = -0.001;
  return out;
}

function segmenter(options: Partial<EndpointOptions> = {}): Segmenter {
  return new Segmenter({
    decoder: new VettedDecoder({ pieces: PIECES, blank: BLANK }),
    pieces: PIECES,
    rowWidth: 4,
    frameMs: FRAME_MS,
    endpoint: { ...DEFAULT_ENDPOINT, trailingBlankMs: 80, silenceMs: 80, ...options },
    nBest: 1,
  });
}

/** What the segments said, and the open rest, for rows that come in blocks of a size. */
function decodeIn(blockFrames: number, symbols: number[]): string[] {
  const decoder = segmenter();
  const out: string[] = [];
  for (let frame = 0; frame < symbols.length; frame += blockFrames) {
    const block = symbols.slice(frame, frame + blockFrames);
    const levels = block.map((symbol) => (symbol === BLANK ? -90 : -20));
    for (const each of decoder.push(rows(...block), levels, frame, 0, block.length)) {
      if (each.type === 'final') {
        const text = each.nBest[0]!.tokens.map(({ token, frame: at }) => `${PIECES[token]}@${at}`);
        out.push(`${text.join(' ')} (${each.reason} ${each.frame})`);
      }
    }
  }
  out.push(
    ...decoder
      .finish('stop')
      .map((each) => each.nBest[0]!.tokens.map(({ token }) => PIECES[token]).join(' ')),
  );
  return out;
}

test('an utterance ends in silence, and segments fall in the same places however the rows are blocked', () => {
  const symbols = [0, BLANK, 1, BLANK, BLANK, BLANK, BLANK, 0, 2, BLANK, BLANK, 1];
  const whole = decodeIn(symbols.length, symbols);
  assert.equal(whole, ['▁a@0 ▁b@2 (endpoint 5)', '▁a@7 c@8 (endpoint 11)', '▁b']);
  for (const size of [1, 2, 5]) assert.equal(decodeIn(size, symbols), whole);
});

test('silence alone gives no final', () => {
  assert.equal(decodeIn(4, Array(50).fill(BLANK)), []);
});

test('words older than the limit are committed though hypotheses disagree about them', () => {
  const decoder = new Segmenter({
    decoder: new VettedDecoder({ pieces: PIECES, blank: BLANK }),
    pieces: PIECES,
    rowWidth: 4,
    frameMs: FRAME_MS,
    endpoint: { ...DEFAULT_ENDPOINT, enabled: false },
    nBest: 1,
    maxTentativeMs: 400,
  });
  // the first word is a or b, all but undecided; then words come that nobody doubts
  const unsure = Float32Array.of(-0.69, -0.7, -12, -12);
  decoder.push(unsure, [-20], 0, 0, 1);
  const later = [BLANK, 1, BLANK, 0, BLANK, 1, BLANK, 0, BLANK, 1, BLANK];
  const [early] = decoder.push(rows(...later.slice(0, 4)), [], 1, 0, 4);
  assert.is(early?.type === 'partial' && early.stableTokens, 0);
  const [late] = decoder.push(rows(...later.slice(4), ...later), [], 5, 0, 18);
  assert.ok(late?.type === 'partial' && late.stableTokens > 0);
});

test.run();
