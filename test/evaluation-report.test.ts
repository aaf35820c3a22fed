import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bootstrap } from '../src/evaluation/bootstrap.js';
import { parseManifest } from '../src/evaluation/manifest.js';
import { phoneticNeighbours } from '../src/evaluation/neighbours.js';
import { type Measured, makeReport } from '../src/evaluation/report.js';
import { reportFiles } from '../src/evaluation/report-files.js';
import { add, type Counts, rates } from '../src/evaluation/score.js';
import { Lexicon } from '../src/phonetics/lexicon.js';

const test = suite('evaluation: report');

const utterance = (words: number, errors: number, found: number, missed: number): Counts => ({
  biasedWords: 0,
  biasedErrors: 0,
  unbiasedWords: words,
  unbiasedErrors: errors,
  truePositives: found,
  falsePositives: 0,
  falseNegatives: missed,
});

test('intervals are as wide as the binomial says where each utterance is a word, right or wrong', () => {
  const all = Array.from({ length: 400 }, (_, i) => utterance(1, i % 5 === 0 ? 1 : 0, 0, 0));
  const [low, high] = bootstrap(all, 1).wer;
  const deviation = Math.sqrt((0.2 * 0.8) / 400);
  assert.ok(Math.abs(low - (0.2 - 1.96 * deviation)) < 0.01, `${low}`);
  assert.ok(Math.abs(high - (0.2 + 1.96 * deviation)) < 0.01, `${high}`);
});

test('intervals are the same for the same seed, and a point where all utterances are alike', () => {
  const some = Array.from({ length: 30 }, (_, i) => utterance(10, i % 4, 1, i % 2));
  assert.equal(bootstrap(some, 3), bootstrap(some, 3));
  assert.not.equal(bootstrap(some, 3), bootstrap(some, 4));
  const alike = Array.from({ length: 9 }, () => utterance(10, 3, 1, 1));
  assert.equal(bootstrap(alike, 1).wer, [0.3, 0.3]);
  assert.equal(bootstrap(alike, 1).recall, [0.5, 0.5]);
});

test('neighbours of common words are what sounds the same or is a phone apart, and is not common itself', () => {
  const lexicon = Lexicon.fromBytes(
    Buffer.from('cab\tkæb\ncat\tkæt\nkat\tkæt\noctopus\tɑktəpʊs\nscat\tskæt\nzebra\tzibɹə\n'),
  );
  assert.equal(
    phoneticNeighbours(lexicon, (word) => word === 'cat'),
    ['cab', 'kat', 'scat'],
  );
});

const MANIFEST = 'path\ttranscript\tentities\tdomain\na\tx\tx\tplaces\nb\ty\ty\tmedicines\nc\tz\tz\t\n';
const UTTERANCES = parseManifest(MANIFEST, 'm.tsv');

function measured(config: string, n: number, wrong: number): Measured {
  const results = UTTERANCES.map((each, i) => ({
    utterance: each,
    hypothesis: '',
    seconds: 1,
    counts: utterance(4, i < wrong ? 1 : 0, i < wrong ? 0 : 1, i < wrong ? 1 : 0),
  }));
  const counts = add(results.map((result) => result.counts));
  return {
    config,
    n,
    result: { ...rates(counts), utterances: 3, seconds: 3, realTimeFactor: 0.1, counts, results },
  };
}

const report = makeReport(
  {
    model: { name: 'fake', version: '1' },
    manifest: 'm <&> "n"',
    lists: 'anti',
    distractors: 'entities',
    sizes: [0, 1000].map((n) => ({ n, least: n, most: n })),
    seed: 1,
    latencyMs: 640,
    endpoints: true,
  },
  [measured('none', 0, 2), measured('none', 1000, 2), measured('joint', 0, 0), measured('joint', 1000, 1)],
);

test('domains that the manifest names are reported apart, what has none is not', () => {
  const { domains } = report.runs[0]!;
  assert.equal(Object.keys(domains), ['medicines', 'places']);
  assert.is(domains['places']!.wer, 1 / 4);
  assert.match(reportFiles(report)['report.md']!, /\| places \| none \| 0 \| 25\.00 \|/);
});

test('the Markdown has a row for each run, with intervals', () => {
  const markdown = reportFiles(report)['report.md']!;
  assert.match(markdown, /\| joint \| 1000 \| 8\.33 \[0\.00, 25\.00\] \|/);
  assert.match(markdown, /anti-lists .* of 0, 1000 distractors/);
});

test('the plots draw every configuration once, at every size, and escape what they are told', () => {
  const files = reportFiles(report);
  assert.equal(Object.keys(files).sort(), [
    'f1.svg',
    'ladder-0.svg',
    'ladder-1000.svg',
    'report.json',
    'report.md',
    'wer.svg',
  ]);
  const plot = files['f1.svg']!;
  const lines = [...plot.matchAll(/<polyline points="([^"]*)"/g)].map((match) => match[1]!.split(' '));
  assert.equal(
    lines.map((line) => line.length),
    [2, 2],
  );
  // joint found everything without distractors, so its line begins at the top, above that of none
  const y = (point: string): number => Number(point.split(',')[1]);
  assert.ok(y(lines[1]![0]!) < y(lines[0]![0]!));
  assert.match(plot, /m &lt;&amp;&gt; &quot;n&quot;/);
  assert.not.match(plot, /NaN|Infinity|undefined/);
  assert.is([...files['ladder-0.svg']!.matchAll(/<rect x=/g)].length, 2 * 2 + 2);
});

test.run();
