import { bootstrap, type Intervals } from './bootstrap.js';
import type { ConfigurationResult, UtteranceResult } from './run.js';
import { add, type Counts, type Rates, rates } from './score.js';

/** Which lists the recogniser is given: those with the utterance's entities, or anti-lists, of which nothing is said. */
export type ListKind = 'spoken' | 'anti' | 'hard anti';

/** How long the lists of one size are. */
export interface ListSize {
  /** Distractors asked for per utterance. */
  readonly n: number;
  /** Drawn per utterance; fewer than `n` where the source has no more. */
  readonly least: number;
  readonly most: number;
}

/** What was measured, and on what. */
export interface ReportFacts {
  readonly model: { readonly name: string; readonly version: string };
  readonly manifest: string;
  readonly lists: ListKind;
  /** Where distractors come from: a file's name, or `entities` for those of the manifest's other utterances. */
  readonly distractors: string;
  readonly sizes: readonly ListSize[];
  readonly seed: number;
  /** Chunk and look-ahead together. */
  readonly latencyMs: number;
  readonly endpoints: boolean;
  readonly utterances: number;
  readonly seconds: number;
  readonly words: number;
  /** Occurrences of entities in the references. */
  readonly entities: number;
}

/** One configuration with lists of one size. */
export interface Measured {
  readonly config: string;
  readonly n: number;
  readonly result: ConfigurationResult;
}

export interface ReportedRun extends Rates {
  readonly config: string;
  readonly n: number;
  readonly realTimeFactor: number;
  /** 95 %, over utterances. */
  readonly intervals: Intervals;
  readonly counts: Counts;
  /** Rates of the utterances of each domain that the manifest names. */
  readonly domains: Readonly<Record<string, Rates & { readonly counts: Counts }>>;
}

/** A configuration in short. */
export interface ConfigurationRates extends Rates {
  readonly utterances: number;
  /** Of audio. */
  readonly seconds: number;
  readonly realTimeFactor: number;
}

/** All rates are fractions. */
export interface Report extends ReportFacts {
  /** By configuration, with lists of the first size: what most readers of the file want. */
  readonly configs: Readonly<Record<string, ConfigurationRates>>;
  readonly runs: readonly ReportedRun[];
}

/** @param measured at least one run, all of the same utterances */
export function makeReport(
  facts: Omit<ReportFacts, 'utterances' | 'seconds' | 'words' | 'entities'>,
  measured: readonly Measured[],
): Report {
  const { n, result: first } = measured[0]!;
  const { counts, utterances, seconds } = first;
  const short = ({ config, result }: Measured): [string, ConfigurationRates] => [
    config,
    { ...rates(result.counts), utterances, seconds, realTimeFactor: result.realTimeFactor },
  ];
  return {
    ...facts,
    utterances,
    seconds,
    words: counts.biasedWords + counts.unbiasedWords,
    entities: counts.truePositives + counts.falseNegatives,
    configs: Object.fromEntries(measured.filter((each) => each.n === n).map(short)),
    runs: measured.map(({ config, n, result: { results, realTimeFactor, counts } }) => ({
      config,
      n,
      ...rates(counts),
      realTimeFactor,
      intervals: bootstrap(
        results.map((result) => result.counts),
        facts.seed,
      ),
      counts,
      domains: byDomain(results),
    })),
  };
}

function byDomain(results: readonly UtteranceResult[]): ReportedRun['domains'] {
  const names = [...new Set(results.flatMap(({ utterance }) => utterance.domain ?? []))].sort();
  return Object.fromEntries(
    names.map((name) => {
      const counts = add(
        results.filter(({ utterance }) => utterance.domain === name).map((result) => result.counts),
      );
      return [name, { ...rates(counts), counts }];
    }),
  );
}

/** A line per utterance and run, to read what was heard. */
export function formatTranscripts(measured: readonly Measured[]): string {
  const lines = measured.flatMap(({ config, n, result: { results } }) =>
    results.map(({ utterance, hypothesis }) =>
      [utterance.path, config, n, utterance.words.join(' '), hypothesis, utterance.entities.join('|')].join(
        '\t',
      ),
    ),
  );
  return `${['path\tconfig\tn\ttranscript\thypothesis\tentities', ...lines].join('\n')}\n`;
}
