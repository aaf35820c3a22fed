import type { ConfigurationResult } from './run.js';
import type { Counts, Rates } from './score.js';

/** What was measured, and on what. */
export interface ReportFacts {
  readonly model: { readonly name: string; readonly version: string };
  readonly manifest: string;
  readonly distractors: {
    /** File name, or `entities` for those of the manifest's other utterances. */
    readonly source: string;
    /** Asked for per utterance. */
    readonly n: number;
    /** Drawn per utterance; fewer than `n` where the source has no more. */
    readonly least: number;
    readonly most: number;
  };
  readonly seed: number;
  /** Chunk and look-ahead together. */
  readonly latencyMs: number;
  readonly endpoints: boolean;
  readonly words: number;
  /** Occurrences of entities in the references. */
  readonly entities: number;
}

export interface ReportedConfiguration extends Rates {
  readonly utterances: number;
  readonly seconds: number;
  readonly realTimeFactor: number;
  readonly counts: Counts;
}

/** All rates are fractions. */
export interface Report extends ReportFacts {
  readonly configs: Readonly<Record<string, ReportedConfiguration>>;
}

export function makeReport(
  facts: Omit<ReportFacts, 'words' | 'entities'>,
  measured: ReadonlyMap<string, ConfigurationResult>,
): Report {
  const [first] = measured.values();
  const counts = first!.counts;
  return {
    ...facts,
    words: counts.biasedWords + counts.unbiasedWords,
    entities: counts.truePositives + counts.falseNegatives,
    configs: Object.fromEntries(
      [...measured].map(([name, { results: _, ...figures }]) => [name, figures] as const),
    ),
  };
}

const COLUMNS: readonly (readonly [string, (figures: ReportedConfiguration) => string])[] = [
  ['WER %', ({ wer }) => percent(wer)],
  ['U-WER %', ({ uWer }) => percent(uWer)],
  ['B-WER %', ({ bWer }) => percent(bWer)],
  ['precision %', ({ precision }) => percent(precision)],
  ['recall %', ({ recall }) => percent(recall)],
  ['F1 %', ({ f1 }) => percent(f1)],
  ['real time', ({ realTimeFactor }) => realTimeFactor.toFixed(3)],
];

/** The report for a terminal. */
export function formatReport({ configs, ...facts }: Report): string {
  const { model, manifest, distractors, latencyMs, words, entities } = facts;
  const [first] = Object.values(configs);
  const { n, least, most, source } = distractors;
  const drawn = least === n ? `${n}` : `${least === most ? most : `${least} to ${most}`} (of ${n} asked for)`;
  const head = [
    `${manifest}: ${first!.utterances} utterances, ${(first!.seconds / 60).toFixed(1)} min, ${words} words, ${entities} entities`,
    `model ${model.name} ${model.version} at ${latencyMs} ms; ${drawn} distractors from ${source}, seed ${facts.seed}`,
  ];
  const rows = Object.entries(configs).map(([name, figures]) => [
    name,
    ...COLUMNS.map(([, cell]) => cell(figures)),
  ]);
  return `${[...head, '', ...table(['', ...COLUMNS.map(([title]) => title)], rows)].join('\n')}\n`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  return lines.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
}

function percent(fraction: number): string {
  return (fraction * 100).toFixed(2);
}

/** A line per utterance and configuration, to read what was heard. */
export function formatTranscripts(measured: ReadonlyMap<string, ConfigurationResult>): string {
  const lines = [...measured].flatMap(([name, { results }]) =>
    results.map(({ utterance, hypothesis }) =>
      [utterance.path, name, utterance.words.join(' '), hypothesis, utterance.entities.join('|')].join('\t'),
    ),
  );
  return `${['path\tconfig\ttranscript\thypothesis\tentities', ...lines].join('\n')}\n`;
}
