import type { RejectedEntry, VocabularyEntry } from './entry.js';
import { explainRejection, normaliseEntry } from './normalise.js';

/** One path of the graph: a normalised spelling and what it stands for. */
export interface Spelling {
  readonly spelling: string;
  /** Index of the entry in the list of used entries. */
  readonly entry: number;
  readonly weight: number;
}

export interface SpellingOptions {
  /** Characters of an entry or a sounds-like spelling. */
  readonly maxLength: number;
  /** Letters below which a spelling is refused: a lone letter is found in every other word. */
  readonly minLetters: number;
  /** Largest weight; the neutral one is 1. */
  readonly maxWeight: number;
}

/** Longest written form that says something as one name; also keeps a node's depth within 16 bits. */
export const MAX_ENTRY_LENGTH = 100;
const MIN_LETTERS = 2;
/** Ten times the tuned gain is already far into hallucination. */
const MAX_WEIGHT = 10;

export interface CollectedSpellings {
  /** Unique spellings in code point order. */
  readonly spellings: readonly Spelling[];
  readonly used: readonly VocabularyEntry[];
  readonly rejected: readonly RejectedEntry[];
}

/**
 * Spellings of a list. Where two entries share one, the larger weight holds, and the written form is that of the entry
 * which is spelled so rather than sounds so, the first one among equals.
 */
export function collectSpellings(
  entries: readonly VocabularyEntry[],
  {
    maxLength = MAX_ENTRY_LENGTH,
    minLetters = MIN_LETTERS,
    maxWeight = MAX_WEIGHT,
  }: Partial<SpellingOptions> = {},
): CollectedSpellings {
  const limits = { maxLength, minLetters, maxWeight };
  const paths = new Map<string, Path>();
  const used: VocabularyEntry[] = [];
  const rejected: RejectedEntry[] = [];
  for (const entry of entries) {
    const { text, weight } = entry;
    if (!(weight > 0 && weight <= maxWeight)) {
      rejected.push({ text, reason: `weight ${weight} is not above 0 and at most ${maxWeight}` });
      continue;
    }
    const found: string[] = [];
    const own = spell(text, limits);
    if ('spelling' in own) found.push(own.spelling);
    for (const other of entry.soundsLike) {
      const sound = spell(other, limits);
      if ('spelling' in sound) found.push(sound.spelling);
      else rejected.push({ text, reason: `sounds-like spelling: ${sound.reason}` });
    }
    if (found.length === 0) {
      if ('reason' in own) rejected.push({ text, reason: own.reason });
      continue;
    }
    for (const [i, spelling] of found.entries()) {
      addPath(paths, spelling, { entry: used.length, weight, direct: i === 0 && 'spelling' in own });
    }
    used.push(entry);
  }
  const sorted = [...paths.keys()].sort();
  const spellings = sorted.map((spelling) => {
    const { entry, weight } = paths.get(spelling)!;
    return { spelling, entry, weight };
  });
  return { spellings, used, rejected };
}

interface Path {
  readonly entry: number;
  readonly weight: number;
  readonly direct: boolean;
}

function addPath(paths: Map<string, Path>, spelling: string, path: Path): void {
  const other = paths.get(spelling);
  if (other === undefined) {
    paths.set(spelling, path);
    return;
  }
  const { entry, direct } = path.direct && !other.direct ? path : other;
  paths.set(spelling, { entry, direct, weight: Math.max(path.weight, other.weight) });
}

function spell(
  text: string,
  { maxLength, minLetters }: SpellingOptions,
): { readonly spelling: string } | { readonly reason: string } {
  if (text.length > maxLength)
    return { reason: `${text.length} characters; at most ${maxLength} are allowed` };
  const spelling = normaliseEntry(text);
  if (spelling === undefined) return { reason: explainRejection(text) };
  if (spelling.length > 2 * maxLength) return { reason: `spelled out it has ${spelling.length} characters` };
  if (lettersOf(spelling) < minLetters) {
    return {
      reason: `${JSON.stringify(text)} has fewer than ${minLetters} letters and would match everywhere`,
    };
  }
  return { spelling };
}

function lettersOf(spelling: string): number {
  let letters = 0;
  for (let i = 0; i < spelling.length; i++) if (spelling.charCodeAt(i) >= 0x61) letters += 1;
  return letters;
}
