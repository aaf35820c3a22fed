import type { Interval } from './bootstrap.js';
import type { ListKind, Report, ReportedRun } from './report.js';
import type { Rates } from './score.js';

const RATES: readonly (readonly [string, keyof Rates])[] = [
  ['WER', 'wer'],
  ['U-WER', 'uWer'],
  ['B-WER', 'bWer'],
  ['precision', 'precision'],
  ['recall', 'recall'],
  ['F1', 'f1'],
];

const LISTS: Readonly<Record<ListKind, string>> = {
  spoken: 'lists of the entities that are spoken and',
  anti: 'anti-lists (nothing that is spoken) of',
  'hard anti': 'anti-lists of what sounds like common words:',
};

/** The report for a terminal: percent, without intervals. */
export function formatReport(report: Report): string {
  const header = ['', 'N', ...RATES.map(([title]) => `${title} %`), 'real time'];
  const rows = report.runs.map((run) => [
    run.config,
    `${run.n}`,
    ...RATES.map(([, key]) => percent(run[key])),
    run.realTimeFactor.toFixed(3),
  ]);
  return `${[...facts(report), '', ...columns(header, rows)].join('\n')}\n`;
}

/** The report as Markdown, with intervals, domains apart. */
export function formatMarkdown(report: Report): string {
  const header = ['configuration', 'N', ...RATES.map(([title]) => title)];
  const rows = report.runs.map((run) => [
    run.config,
    `${run.n}`,
    ...RATES.map(([, key]) => `${percent(run[key])} ${bounds(run.intervals[key])}`),
  ]);
  return `${[
    `# ${report.manifest}`,
    '',
    ...facts(report).map((line) => `${line}.`),
    'Percent; in brackets 95 % intervals by bootstrap over utterances.',
    '',
    ...pipes(header, rows),
    ...domains(report.runs),
  ].join('\n')}\n`;
}

/** A Markdown table. */
export function pipes(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

export function percent(fraction: number): string {
  return (fraction * 100).toFixed(2);
}

function bounds([low, high]: Interval): string {
  return `[${percent(low)}, ${percent(high)}]`;
}

function domains(runs: readonly ReportedRun[]): string[] {
  const rows = runs.flatMap(({ config, n, domains }) =>
    Object.entries(domains).map(([domain, rates]) => [
      domain,
      config,
      `${n}`,
      ...RATES.map(([, key]) => percent(rates[key])),
    ]),
  );
  if (rows.length === 0) return [];
  const header = ['domain', 'configuration', 'N', ...RATES.map(([title]) => title)];
  return ['', '## Domains', '', ...pipes(header, rows)];
}

function facts(report: Report): string[] {
  const { model, manifest, lists, distractors, latencyMs, utterances, seconds, words, entities } = report;
  const sizes = report.sizes.map(({ n, least, most }) => {
    if (least === n) return `${n}`;
    return `${least === most ? most : `${least} to ${most}`} (of ${n} asked for)`;
  });
  return [
    `${manifest}: ${utterances} utterances, ${(seconds / 60).toFixed(1)} min, ${words} words, ${entities} entities`,
    `model ${model.name} ${model.version} at ${latencyMs} ms`,
    `${LISTS[lists]} ${sizes.join(', ')} distractors from ${distractors}, seed ${report.seed}`,
  ];
}

function columns(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  return lines.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
}
