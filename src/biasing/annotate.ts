import { symbolOf, WORD_BEGIN } from './alphabet.js';
import type { PrefixGraph } from './prefix-graph.js';

/** Words that spell an entry. */
export interface EntitySpan {
  /** First word, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** The entry as it shall be written. */
  readonly text: string;
  /** Its weight. */
  readonly weight: number;
  /** What follows it in its last word: `'s`, or nothing. */
  readonly suffix: string;
  /** Set where the words spell something else, and the entry was heard. */
  readonly heard?: true;
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
    const { to, text, weight, suffix, open } = longest(words, from, graph);
    if (open) openFrom = Math.min(openFrom, from);
    if (text !== undefined) spans.push({ from, to, text, weight, suffix });
    from = to;
  }
  return { spans, openFrom };
}

const POSSESSIVE = "'s";

interface Match {
  /** Behind the last word of the longest entry, or of the word itself where none begins here. */
  readonly to: number;
  /** Of the entry, as it shall be written. */
  readonly text: string | undefined;
  readonly weight: number;
  readonly suffix: string;
  /** The words reach the end inside an entry. */
  readonly open: boolean;
}

function longest(words: readonly string[], from: number, graph: PrefixGraph): Match {
  let found: Omit<Match, 'open'> = { to: from + 1, text: undefined, weight: 0, suffix: '' };
  const offer = (node: number, to: number, suffix: string): void => {
    if (node >= 0 && graph.ends(node))
      found = { to, text: graph.entryAt(node)!.text, weight: graph.terminalWeight(node), suffix };
  };
  let node = 0;
  for (let i = from; i < words.length; i++) {
    const word = words[i]!;
    if (word.endsWith(POSSESSIVE)) {
      offer(afterWord(word.slice(0, -POSSESSIVE.length), node, graph), i + 1, POSSESSIVE);
    }
    node = afterWord(word, node, graph);
    if (node < 0) return { ...found, open: false };
    offer(node, i + 1, '');
  }
  return { ...found, open: graph.child(node, WORD_BEGIN) >= 0 };
}

/** Node after a word and its begin, or -1. */
function afterWord(word: string, node: number, graph: PrefixGraph): number {
  let at = graph.child(node, WORD_BEGIN);
  for (let i = 0; i < word.length && at >= 0; i++) at = graph.child(at, symbolOf(word.charCodeAt(i)));
  return at;
}
