import type { RejectedEntry, VocabularyEntry } from './entry.js';
import { explainRejection, normaliseEntry } from './normalise.js';

/** One way to an entry: a path of the graph. */
export interface Spelling {
  /** a to z, apostrophe, single spaces between words. */
  readonly spelling: string;
  /** Whether the entry is spelled so, rather than sounding so. */
  readonly direct: boolean;
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

/** What became of an entry. */
export interface SpelledEntry {
  /** The entry without the sounds-like spellings that were refused; undefined: nothing of it can be used. */
  readonly entry: VocabularyEntry | undefined;
  /** Each once, the entry's own first; none where the entry is refused. */
  readonly spellings: readonly Spelling[];
  /** What could not be done for it, and why. */
  readonly rejected: readonly RejectedEntry[];
}

/** All ways to an entry, the same for the same entry. Of an entry that comes back nothing is refused another time. */
export function spellEntry(
  entry: VocabularyEntry,
  {
    maxLength = MAX_ENTRY_LENGTH,
    minLetters = MIN_LETTERS,
    maxWeight = MAX_WEIGHT,
  }: Partial<SpellingOptions> = {},
): SpelledEntry {
  const limits = { maxLength, minLetters, maxWeight };
  const { text, weight } = entry;
  if (!(weight > 0 && weight <= maxWeight)) {
    const reason = `weight ${weight} is not above 0 and at most ${maxWeight}`;
    return { entry: undefined, spellings: [], rejected: [{ text, reason }] };
  }
  const own = spell(text, limits);
  const spellings: Spelling[] = 'spelling' in own ? [{ spelling: own.spelling, direct: true }] : [];
  const rejected: RejectedEntry[] = [];
  const soundsLike: string[] = [];
  for (const other of entry.soundsLike) {
    const sound = spell(other, limits);
    if ('reason' in sound) {
      rejected.push({ text, reason: `sounds-like spelling: ${sound.reason}` });
      continue;
    }
    soundsLike.push(other);
    const { spelling } = sound;
    if (!spellings.some((known) => known.spelling === spelling)) spellings.push({ spelling, direct: false });
  }
  if (spellings.length === 0) {
    if ('reason' in own) rejected.push({ text, reason: own.reason });
    return { entry: undefined, spellings, rejected };
  }
  return { entry: rejected.length === 0 ? entry : { ...entry, soundsLike }, spellings, rejected };
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
