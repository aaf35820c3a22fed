import type { Annotation, EntitySpan } from '../biasing/annotate.js';
import type { HeardEntity } from '../decoder/entity-lookup.js';
import type { SpelledWord } from '../decoder/words.js';

/** Adds entries that were heard to those that the words spell, which come first where both would have a word. */
export function addHeard(
  { spans, openFrom }: Annotation,
  words: readonly SpelledWord[],
  heard: readonly HeardEntity[],
): Annotation {
  if (heard.length === 0) return { spans, openFrom };
  const all: EntitySpan[] = [...spans];
  let open = openFrom;
  for (const { from: token, to: end, text } of heard) {
    const from = words.findIndex((word) => word.token === token);
    if (from < 0) continue;
    const behind = words.findIndex((word) => word.token >= end);
    const to = behind < 0 ? words.length : behind;
    if (spans.some((span) => span.from < to && from < span.to)) continue;
    all.push({ from, to, text, weight: 1, suffix: '', heard: true });
    // its last words may not be among these yet
    if (behind < 0) open = Math.min(open, from);
  }
  return { spans: all.sort((a, b) => a.from - b.from), openFrom: open };
}
