import { type PieceTable, WORD_MARK } from '../biasing/alphabet.js';
import { type PrefixTree, ROOT } from './prefix-tree.js';

/** The letters of the word that a node spells. */
export function lastWord({ token, parent }: PrefixTree, pieces: PieceTable, node: number): string {
  let text = '';
  for (let at = node; at !== ROOT; at = parent[at]!) {
    const piece = token[at]!;
    text = pieces.pieces[piece]! + text;
    if (pieces.startsWord[piece] === 1) break;
  }
  return text.startsWith(WORD_MARK) ? text.slice(1) : text;
}
