import { logAdd } from '../util/log-add.js';

/** A labelling of a CTC output, with the summed probability of its alignments. */
export interface Labelling {
  readonly labels: readonly number[];
  readonly logProb: number;
}

/** Labels this many nats below the best of a step extend nothing, prefixes as far below the best are dropped. */
const THRESHOLD = 7;
/** From this log-probability on a blank is certain, and the step only closes labels: two thirds of G2P's steps. */
const CERTAIN_BLANK = -1e-3;

interface Prefix {
  readonly labels: readonly number[];
  /** Log-probabilities of the alignments that end in blank, and of those that end in the last label. */
  blank: number;
  label: number;
}

/**
 * The likeliest labellings of one CTC output by prefix beam search (Graves 2012, 7.5.3).
 *
 * @param logProbs (steps x symbols) natural logs, row by row; symbol 0 is the blank, label k is symbol k
 */
export function ctcNBest(logProbs: Float32Array, symbols: number, n: number, beam = 4 * n + 4): Labelling[] {
  let prefixes: Prefix[] = [{ labels: [], blank: 0, label: Number.NEGATIVE_INFINITY }];
  for (let offset = 0; offset < logProbs.length; offset += symbols) {
    const step = logProbs.subarray(offset, offset + symbols);
    if (step[0]! > CERTAIN_BLANK) {
      for (const prefix of prefixes) close(prefix, step[0]!);
      continue;
    }
    const next = new Map<string, Prefix>();
    const likely = likelyLabels(step);
    for (const prefix of prefixes) extend(prefix, step, likely, next);
    prefixes = best([...next.values()], beam);
  }
  return prefixes.slice(0, n).map((prefix) => ({ labels: prefix.labels, logProb: total(prefix) }));
}

function best(prefixes: Prefix[], beam: number): Prefix[] {
  const sorted = prefixes.sort((a, b) => total(b) - total(a)).slice(0, beam);
  const floor = total(sorted[0]!) - THRESHOLD;
  return sorted.filter((prefix) => total(prefix) >= floor);
}

function close(prefix: Prefix, blank: number): void {
  prefix.blank = total(prefix) + blank;
  prefix.label = Number.NEGATIVE_INFINITY;
}

function likelyLabels(step: Float32Array): number[] {
  const floor = step.reduce((most, value) => Math.max(most, value)) - THRESHOLD;
  const labels: number[] = [];
  for (let label = 1; label < step.length; label++) if (step[label]! > floor) labels.push(label);
  return labels;
}

function extend(
  prefix: Prefix,
  step: Float32Array,
  likely: readonly number[],
  next: Map<string, Prefix>,
): void {
  const last = prefix.labels.at(-1);
  const all = total(prefix);
  const same = entry(next, prefix.labels);
  same.blank = logAdd(same.blank, all + step[0]!);
  if (last !== undefined) same.label = logAdd(same.label, prefix.label + step[last]!);
  for (const label of likely) {
    const longer = entry(next, [...prefix.labels, label]);
    longer.label = logAdd(longer.label, (label === last ? prefix.blank : all) + step[label]!);
  }
}

function entry(prefixes: Map<string, Prefix>, labels: readonly number[]): Prefix {
  const key = labels.join(' ');
  let prefix = prefixes.get(key);
  if (prefix === undefined) {
    prefix = { labels, blank: Number.NEGATIVE_INFINITY, label: Number.NEGATIVE_INFINITY };
    prefixes.set(key, prefix);
  }
  return prefix;
}

function total(prefix: Prefix): number {
  return logAdd(prefix.blank, prefix.label);
}
