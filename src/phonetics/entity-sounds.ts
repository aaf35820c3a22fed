import type { VocabularyEntry } from '../biasing/entry.js';
import { normaliseEntry } from '../biasing/normalise.js';
import type { Labels, Pronouncer } from './pronouncer.js';

/**
 * One spelling by sound, the likeliest that is not made of words which the language model lists: those are meant when
 * they are heard. With 1,000 names in native speech: F1 59.4 without any, 56.2 with three, 58.8 with one, 61.8 with the one
 * that is not listed; with 100 names there is little between them (87.9, without any 86.8).
 */
const SPELLINGS = 1;
/** Choices among which that one is. */
const TRIED = 4;
/** Of an entry of several words, the likeliest combinations. */
const PRONUNCIATIONS = 6;

/** The words of everything that an entry may be said as; none where nothing of it can be spelled. */
export function wordsOfEntry({ text, soundsLike }: VocabularyEntry): string[] {
  return [text, ...soundsLike].flatMap((form) => normaliseEntry(form)?.split(' ') ?? []);
}

/**
 * The entry with spellings by its sound in addition to those that the user gave (grapheme-to-grapheme: Dingliwal et al.,
 * SLT 2022, 3.5).
 */
export function soundingEntry(entry: VocabularyEntry, pronouncer: Pronouncer): VocabularyEntry {
  const own = normaliseEntry(entry.text);
  if (own === undefined) return entry;
  const [, ...tried] = combine(
    own.split(' ').map((word) => [word, ...pronouncer.spellings(word)]),
    TRIED,
    (a, b) => `${a} ${b}`,
  );
  const others = tried
    .filter((spelling) => !spelling.split(' ').every((word) => pronouncer.isListed(word)))
    .slice(0, SPELLINGS);
  return others.length === 0 ? entry : { ...entry, soundsLike: [...entry.soundsLike, ...others] };
}

/** How near an entry, said in any of its ways, comes to a common word. */
export function entryConfusability(pronunciations: readonly Labels[], pronouncer: Pronouncer): number {
  return pronunciations.reduce((most, labels) => Math.max(most, pronouncer.confusability(labels)), 0);
}

/** How an entry may be said: its text, and what the user says that it sounds like. */
export function entryPronunciations(entry: VocabularyEntry, pronouncer: Pronouncer): Labels[] {
  const forms = [entry.text, ...entry.soundsLike].flatMap((form) => normaliseEntry(form) ?? []);
  return forms.flatMap((form) =>
    combine(
      form.split(' ').map((word) => pronouncer.labels(word)),
      PRONUNCIATIONS,
      (a, b) => Uint8Array.from([...a, ...b]),
    ),
  );
}

/**
 * Combinations of one choice for each place, of which the first is the first choice everywhere and those that follow
 * leave it by as few ranks as can be.
 */
function combine<T>(choices: readonly (readonly T[])[], most: number, join: (a: T, b: T) => T): T[] {
  const [first = [], ...others] = choices;
  let combined = first.map((value, rank) => ({ value, rank })).slice(0, most);
  for (const options of others) {
    combined = combined
      .flatMap(({ value, rank }) =>
        options.map((option, i) => ({ value: join(value, option), rank: rank + i })),
      )
      .sort((a, b) => a.rank - b.rank)
      .slice(0, most);
  }
  return combined.map(({ value }) => value);
}
