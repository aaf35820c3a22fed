import type { BiasGain } from './explanation.js';
import { NONE, ROOT } from './prefix-tree.js';
import type { BeamSearch } from './search.js';

export interface DecodedToken {
  /** Piece id. */
  readonly token: number;
  /** Absolute frame of emission. */
  readonly frame: number;
  /** Natural log-probability of the piece in that frame. */
  readonly logProb: number;
}

/** A decoded token sequence. Scores are natural logarithms, kept apart by source; `score` is their sum. */
export interface Hypothesis {
  readonly tokens: readonly DecodedToken[];
  readonly score: number;
  readonly acoustic: number;
  readonly lm: number;
  readonly bias: number;
  /** Of the words' phones; 0 where no phones are heard. */
  readonly phonetic: number;
}

/**
 * The hypothesis in a slot.
 * @param listed whether the list counts
 * @param ended whether the scores are those of the segment's end
 */
export function hypothesisOf(
  search: BeamSearch,
  slot: number,
  { listed, ended }: { readonly listed: boolean; readonly ended: boolean },
): Hypothesis {
  const { tree, live } = search;
  const { words, bias: entries, phones } = search.scores;
  const node = live.node[slot]!;
  const acoustic = search.acoustic(slot);
  let lm = ended ? (words?.finished(node) ?? 0) : tree.lm[node]!;
  let bias = 0;
  if (listed) {
    lm += ended ? (words?.finishedRaise(node) ?? 0) : tree.raise[node]!;
    bias = ended ? entries.finished(node) : tree.bias[node]!;
  }
  const phonetic = (ended ? phones?.finished(node) : phones?.score(node)) ?? 0;
  const score = acoustic + lm + bias + phonetic;
  return { tokens: tokensAt(search, slot), score, acoustic, lm, bias, phonetic };
}

export function tokensAt({ tree, live }: BeamSearch, slot: number): DecodedToken[] {
  const { parent, token, parentFrame, parentLogProb, depth } = tree;
  let node = live.node[slot]!;
  let frame = live.frame(slot);
  let logProb = live.logProb(slot);
  const tokens = new Array<DecodedToken>(depth[node]!);
  for (let i = tokens.length - 1; i >= 0; i--) {
    tokens[i] = { token: token[node]!, frame, logProb };
    // the parent's alignment may have moved on since it was extended
    frame = Math.min(frame - 1, parentFrame[node]!);
    logProb = parentLogProb[node]!;
    node = parent[node]!;
  }
  return tokens;
}

/** What biasing gave to a hypothesis with the scores of the segment's end; `undefined` where it is not in the search. */
export function gainsOf(
  { tree, scores: { words }, pieces }: BeamSearch,
  { tokens, bias }: Hypothesis,
): readonly BiasGain[] | undefined {
  const gains: BiasGain[] = [];
  const add = (technique: string, from: number, to: number, gain: number): void => {
    if (gain !== 0) gains.push({ technique, from, to, gain });
  };
  let node = ROOT;
  let word = 0;
  for (const [i, { token }] of tokens.entries()) {
    const parent = node;
    node = tree.child(parent, token);
    if (node === NONE) return undefined;
    const last = i + 1 === tokens.length;
    // an entry that the end leaves unfinished has nothing
    add('adaptive', i, i + 1, (last ? bias : tree.bias[node]!) - tree.bias[parent]!);
    if (!last && pieces.startsWord[tokens[i + 1]!.token] === 0) continue;
    add('unigram', word, i + 1, words?.raised(node) ?? 0);
    word = i + 1;
  }
  return gains;
}

/** Leading tokens that two sequences have in common. */
export function sharedLength(a: readonly DecodedToken[], b: readonly DecodedToken[]): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared]!.token === b[shared]!.token) shared += 1;
  return shared;
}
