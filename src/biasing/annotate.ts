import { symbolOf, WORD_BEGIN } from './alphabet.js';
import type { PrefixGraph } from './prefix-graph.js';

/** Words that spell an entry. */
export interface EntitySpan {
  /** First word, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** The entry as it shall be written. */
  readonly text: string;
}

export interface Annotation {
  /** In order, without overlap: of the entries that begin at a word the longest, the leftmost first. */
  readonly spans: readonly EntitySpan[];
  /** First word of a match that reaches the end and might take in more words; else the number of words. */
  readonly openFrom: number;
}

/** Finds the entries of a graph among words in the model's alphabet. */
export function annotate(words: readonly string[], graph: PrefixGraph): Annotation {
  const spans: EntitySpan[] = [];
  let openFrom = words.length;
  for (let from = 0; from < words.length; ) {
    const { to, entry, open } = longest(words, from, graph);
    if (open) openFrom = Math.min(openFrom, from);
    if (entry >= 0) spans.push({ from, to, text: graph.entries[entry]!.text });
    from = to;
  }
  return { spans, openFrom };
}

function longest(
  words: readonly string[],
  from: number,
  graph: PrefixGraph,
): { readonly to: number; readonly entry: number; readonly open: boolean } {
  let to = from + 1;
  let entry = -1;
  let node = 0;
  for (let i = from; i < words.length; i++) {
    node = afterWord(words[i]!, node, graph);
    if (node < 0) return { to, entry, open: false };
    if (graph.terminal[node]! >= 0) {
      to = i + 1;
      entry = graph.terminal[node]!;
    }
  }
  return { to, entry, open: graph.child(node, WORD_BEGIN) >= 0 };
}

/** Node after a word and its begin, or -1. */
function afterWord(word: string, node: number, graph: PrefixGraph): number {
  let at = graph.child(node, WORD_BEGIN);
  for (let i = 0; i < word.length && at >= 0; i++) at = graph.child(at, symbolOf(word.charCodeAt(i)));
  return at;
}
