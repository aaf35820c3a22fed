import { BLANK, type PhoneRows } from './phone-rows.js';

/** One pronunciation of a word: labels of phones. */
export type PhoneLabels = Uint8Array;

/** Alignments further than this below the best are given up: far more than two readings of one sound differ by. */
const BEAM = 25;

/**
 * Where words may have ended. For each number of frames in [from, from + scores.length) the log-likelihood ratio of the
 * best alignment of their phones that ends there, in a phone: by CTC's rules (Graves et al. 2006), the maximum in the
 * place of the sum, over all pronunciations of each word.
 */
export interface PhoneFront {
  readonly from: number;
  readonly scores: Float64Array;
  /** For each end, the frame at which its last word was entered. */
  readonly entered: Int32Array;
  /** For each end, which of the last word's pronunciations it is. */
  readonly variant: Uint8Array;
  /** The best alignment that stands within the last word when the frames end. */
  readonly unfinished: number;
}

/** Nothing said before a frame. */
export function frontAt(frame: number): PhoneFront {
  const scores = Float64Array.of(0);
  return {
    from: frame,
    scores,
    entered: Int32Array.of(frame),
    variant: new Uint8Array(1),
    unfinished: -Infinity,
  };
}

/**
 * One word more, in any of its pronunciations; a word of which none is known may be any phones.
 * @param end frames up to but without this one
 */
export function extendFront(
  rows: PhoneRows,
  front: PhoneFront,
  pronunciations: readonly PhoneLabels[],
  end: number,
): PhoneFront {
  const size = Math.max(0, end - front.from);
  const ends: Ends = {
    scores: new Float64Array(size).fill(-Infinity),
    entered: new Int32Array(size),
    variant: new Uint8Array(size),
    unfinished: -Infinity,
  };
  if (pronunciations.length === 0) passOver(front, ends);
  for (const [which, phones] of pronunciations.entries()) {
    if (phones.length > 0) pronounce(rows, front, phones, which, ends);
  }
  return trim(front.from + 1, ends);
}

/** Score when nothing but blanks follows up to the frame `end`. */
export function closedScore(rows: PhoneRows, { from, scores }: PhoneFront, end: number): number {
  let best = -Infinity;
  let blanks = 0;
  for (let at = end; at >= from; at--) {
    if (at - from < scores.length) best = Math.max(best, scores[at - from]! + blanks);
    if (at > from) blanks += rows.at(at - 1, BLANK);
  }
  return best;
}

/** Score when anything may follow, the last word being complete. */
export function openScore({ scores }: PhoneFront): number {
  return scores.reduce((best, score) => Math.max(best, score), -Infinity);
}

interface Ends {
  readonly scores: Float64Array;
  readonly entered: Int32Array;
  readonly variant: Uint8Array;
  unfinished: number;
}

/** The trellis of a pronunciation: state 2i is the blank before phone i, state 2i + 1 the phone. Reused between calls. */
let states = new Float64Array(64);
/** The frame at which the word was entered on the way to each state. */
let entries = new Int32Array(64);

function pronounce(rows: PhoneRows, front: PhoneFront, phones: PhoneLabels, which: number, ends: Ends): void {
  const count = 2 * phones.length;
  if (count > states.length) {
    states = new Float64Array(2 * count);
    entries = new Int32Array(2 * count);
  }
  states.fill(-Infinity, 0, count);
  let best = -Infinity;
  for (let at = 0; at < ends.scores.length; at++) {
    const inFront = at < front.scores.length;
    const alive = advance(rows, front.from + at, phones, inFront ? front.scores[at]! : -Infinity);
    const score = states[count - 1]!;
    if (score > ends.scores[at]!) {
      ends.scores[at] = score;
      ends.entered[at] = entries[count - 1]!;
      ends.variant[at] = which;
    }
    best = Math.max(best, score);
    if (!inFront && alive < best - BEAM) return;
    if (at === ends.scores.length - 1) ends.unfinished = Math.max(ends.unfinished, alive);
  }
}

/**
 * One frame of the trellis; returns the best state's score.
 * @param entry score of having ended the words before at this frame
 */
function advance(rows: PhoneRows, frame: number, phones: PhoneLabels, entry: number): number {
  const blank = rows.at(frame, BLANK);
  let alive = -Infinity;
  // from the last state down, so that each still finds its predecessors' scores of the frame before
  for (let i = phones.length - 1; i >= 0; i--) {
    const gap = 2 * i;
    const phone = gap + 1;
    const before = i === 0 ? entry : states[gap - 1]!;
    const beforeEntry = i === 0 ? frame : entries[gap - 1]!;
    // the same phone twice is one, but for a blank between
    const direct = i > 0 && phones[i] === phones[i - 1] ? -Infinity : before;
    let score = states[phone]!;
    if (states[gap]! > score) {
      score = states[gap]!;
      entries[phone] = entries[gap]!;
    }
    if (direct > score) {
      score = direct;
      entries[phone] = beforeEntry;
    }
    if (before > states[gap]!) {
      states[gap] = before;
      entries[gap] = beforeEntry;
    }
    states[gap] = states[gap]! + blank;
    states[phone] = score + rows.at(frame, phones[i]!);
    alive = Math.max(alive, states[gap]!, states[phone]!);
  }
  return alive;
}

/** A word without a known pronunciation takes any phones, at least a frame of them. */
function passOver(front: PhoneFront, ends: Ends): void {
  let best = -Infinity;
  let entered = front.from;
  for (let at = 0; at < ends.scores.length; at++) {
    if (at < front.scores.length && front.scores[at]! > best) {
      best = front.scores[at]!;
      entered = front.from + at;
    }
    ends.scores[at] = best;
    ends.entered[at] = entered;
  }
}

/** Leaves out the ends in front and behind that are far below the best. */
function trim(from: number, { scores, entered, variant, unfinished }: Ends): PhoneFront {
  const floor = scores.reduce((best, score) => Math.max(best, score), -Infinity) - BEAM;
  let first = 0;
  let behind = scores.length;
  while (first < behind && !(scores[first]! > floor)) first++;
  while (behind > first && !(scores[behind - 1]! > floor)) behind--;
  return {
    from: from + first,
    scores: scores.slice(first, behind),
    entered: entered.slice(first, behind),
    variant: variant.slice(first, behind),
    unfinished,
  };
}
