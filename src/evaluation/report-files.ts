import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawPlot, type Point } from './plot.js';
import type { Report } from './report.js';
import type { Rates } from './score.js';
import { formatMarkdown } from './table.js';

/** The report as JSON, as Markdown and as plots, by the names of their files. */
export function reportFiles(report: Report): Readonly<Record<string, string>> {
  return {
    'report.json': `${JSON.stringify(report, null, 2)}\n`,
    'report.md': formatMarkdown(report),
    'f1.svg': againstSize(report, 'f1', 'F1 of entities'),
    'wer.svg': againstSize(report, 'wer', 'Word error rate'),
    ...Object.fromEntries(report.sizes.map(({ n }) => [`ladder-${n}.svg`, ladder(report, n)])),
  };
}

export async function writeReport(folder: string, report: Report): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(reportFiles(report))) {
    await writeFile(join(folder, name), content);
  }
}

function againstSize(report: Report, key: keyof Rates, title: string): string {
  return drawPlot({
    title: `${title}: ${report.manifest}`,
    xTitle: 'distractors in the list',
    labels: report.sizes.map(({ n }) => `${n}`),
    form: 'lines',
    series: configsOf(report).map((name) => ({
      name,
      points: report.sizes.map(({ n }) => pointOf(report, name, n, key)),
    })),
  });
}

/** What each technique adds to the one before, with lists of one size. */
function ladder(report: Report, n: number): string {
  const names = configsOf(report);
  return drawPlot({
    title: `Techniques with ${n} distractors: ${report.manifest}`,
    xTitle: 'configuration',
    labels: names,
    form: 'bars',
    series: [
      { name: 'F1 of entities', points: names.map((name) => pointOf(report, name, n, 'f1')) },
      { name: 'WER', points: names.map((name) => pointOf(report, name, n, 'wer')) },
    ],
  });
}

function configsOf({ runs }: Report): string[] {
  return [...new Set(runs.map(({ config }) => config))];
}

function pointOf({ runs }: Report, config: string, n: number, key: keyof Rates): Point {
  const run = runs.find((each) => each.config === config && each.n === n)!;
  return { value: run[key], interval: run.intervals[key] };
}
