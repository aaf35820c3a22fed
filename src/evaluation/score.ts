import { type AlignmentStep, align } from './alignment.js';
import { TermFinder } from './occurrences.js';

/** What is added up over utterances. */
export interface Counts {
  /** Words of the reference inside occurrences of its entities, and the errors on them. */
  readonly biasedWords: number;
  readonly biasedErrors: number;
  /** All others. */
  readonly unbiasedWords: number;
  readonly unbiasedErrors: number;
  /** Occurrences of entities: found, listed terms found where they were not said, and missed. */
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
}

/** What follows from the counts, as fractions; a fraction of nothing is 0. */
export interface Rates {
  readonly wer: number;
  readonly uWer: number;
  readonly bWer: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface ScoredList {
  /** Terms that belong to the utterance. */
  readonly entities: readonly string[];
  /** Terms that do not, and do not occur in the reference. */
  readonly distractors: readonly string[];
}

/**
 * Counts the errors of one utterance; all texts normalised.
 *
 * Words: a substitution or deletion is biased where the reference's word lies inside an occurrence of one of the
 * utterance's entities; an insertion where the inserted word is a word of these entities. So a distractor that was
 * hallucinated shows in the rest. This is the convention of the biasing lists of Le et al. (Interspeech 2021,
 * `is21_deep_bias/score.py`), carried from words to terms of several words.
 *
 * Terms: an occurrence in the reference is found where all of its words match and nothing is inserted between them;
 * an occurrence of any listed term in the hypothesis that is not such a place is a false positive.
 */
export function score(
  reference: readonly string[],
  hypothesis: readonly string[],
  { entities, distractors }: ScoredList,
): Counts {
  const steps = align(reference, hypothesis);
  const said = new TermFinder(entities).find(reference);
  const biased = new Array<boolean>(reference.length).fill(false);
  for (const { from, to } of said) biased.fill(true, from, to);
  const placeOf = matches(steps);
  const hits = said.filter(({ from, to }) => contiguous(placeOf, from, to));
  const hitPlaces = new Set(hits.map(({ from, term }) => `${placeOf.get(from)!} ${term}`));
  const heard = new TermFinder([...entities, ...distractors]).find(hypothesis);
  return {
    ...wordCounts(steps, hypothesis, biased, new Set(entities.flatMap((entity) => entity.split(' ')))),
    truePositives: hits.length,
    falsePositives: heard.filter(({ from, term }) => !hitPlaces.has(`${from} ${term}`)).length,
    falseNegatives: said.length - hits.length,
  };
}

type WordCounts = Pick<Counts, 'biasedWords' | 'biasedErrors' | 'unbiasedWords' | 'unbiasedErrors'>;

function wordCounts(
  steps: readonly AlignmentStep[],
  hypothesis: readonly string[],
  biased: readonly boolean[],
  entityWords: ReadonlySet<string>,
): WordCounts {
  let biasedErrors = 0;
  let errors = 0;
  for (const step of steps) {
    if (step.type === 'match') continue;
    errors++;
    const onEntity = step.type === 'insertion' ? entityWords.has(hypothesis[step.hyp]!) : biased[step.ref]!;
    if (onEntity) biasedErrors++;
  }
  const biasedWords = biased.filter(Boolean).length;
  return {
    biasedWords,
    biasedErrors,
    unbiasedWords: biased.length - biasedWords,
    unbiasedErrors: errors - biasedErrors,
  };
}

/** Places in the hypothesis of the reference's words that were recognised. */
function matches(steps: readonly AlignmentStep[]): Map<number, number> {
  return new Map(steps.flatMap((step) => (step.type === 'match' ? [[step.ref, step.hyp]] : [])));
}

/** Whether the reference's words `[from, to)` all match, side by side. */
function contiguous(placeOf: ReadonlyMap<number, number>, from: number, to: number): boolean {
  const first = placeOf.get(from);
  if (first === undefined) return false;
  for (let i = from + 1; i < to; i++) if (placeOf.get(i) !== first + i - from) return false;
  return true;
}

export function add(all: readonly Counts[]): Counts {
  const sum = (key: keyof Counts): number => all.reduce((total, counts) => total + counts[key], 0);
  return {
    biasedWords: sum('biasedWords'),
    biasedErrors: sum('biasedErrors'),
    unbiasedWords: sum('unbiasedWords'),
    unbiasedErrors: sum('unbiasedErrors'),
    truePositives: sum('truePositives'),
    falsePositives: sum('falsePositives'),
    falseNegatives: sum('falseNegatives'),
  };
}

/** Micro-averages: errors over words of all utterances together. */
export function rates(counts: Counts): Rates {
  const { biasedWords, biasedErrors, unbiasedWords, unbiasedErrors } = counts;
  const { truePositives, falsePositives, falseNegatives } = counts;
  return {
    wer: share(biasedErrors + unbiasedErrors, biasedWords + unbiasedWords),
    uWer: share(unbiasedErrors, unbiasedWords),
    bWer: share(biasedErrors, biasedWords),
    precision: share(truePositives, truePositives + falsePositives),
    recall: share(truePositives, truePositives + falseNegatives),
    f1: share(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
  };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
