import type { DecodedToken } from './hypothesis.js';

/** A word as the network spelled it. */
export interface SpelledWord {
  /** In the model's alphabet: lower case letters and the apostrophe. */
  readonly spelling: string;
  /** Index of its first token in the hypothesis. */
  readonly token: number;
  /** Index behind its last one: tokens that spell nothing belong to what follows. */
  readonly end: number;
  /** Absolute frames: the first that emitted one of its pieces, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** Geometric mean of its pieces' probabilities, as the network gave them: biasing does not raise it. */
  readonly confidence: number;
}

/** Pieces become words: a piece that begins with `▁` begins a word, and so does the first. */
export function spelledWords(tokens: readonly DecodedToken[], pieces: readonly string[]): SpelledWord[] {
  const words: SpelledWord[] = [];
  for (let begin = 0; begin < tokens.length; ) {
    let end = begin + 1;
    while (end < tokens.length && !pieces[tokens[end]!.token]!.startsWith('▁')) end++;
    const own = tokens.slice(begin, end);
    const spelling = own.map(({ token }) => pieces[token]!.replace('▁', '')).join('');
    if (spelling !== '') {
      const logProb = own.reduce((sum, token) => sum + token.logProb, 0) / own.length;
      words.push({
        spelling,
        token: begin,
        end,
        from: own[0]!.frame,
        to: own.at(-1)!.frame + 1,
        confidence: Math.exp(Math.min(0, logProb)),
      });
    }
    begin = end;
  }
  return words;
}
