import type { Attention } from '../adapter/attention.js';
import { escaped, round, text } from './svg.js';

/** Rows besides `<no-bias>`: the entries that were attended to most. */
const MOST_ROWS = 24;
/** Weight below which a cell is left white. */
const FAINTEST = 0.02;
const ROW = 20;
const LEFT = 190;
const TOP = 72;
const BOTTOM = 40;
/** Width of the whole time axis, in which a frame has from 2 to 8 points. */
const WIDTH = 1100;

/**
 * Which entries the network attended to when, as an SVG document: a row per entry, darker where the weight is larger, above
 * them the words that were heard.
 */
export function drawAttention(title: string, { frames, frameMs, none, entries, words }: Attention): string {
  const cell = Math.min(8, Math.max(2, WIDTH / Math.max(1, frames)));
  const shown = [...entries]
    .map((entry) => ({ ...entry, peak: Math.max(...entry.weights) }))
    .sort((a, b) => b.peak - a.peak)
    .slice(0, MOST_ROWS);
  const rows = [{ text: '<no-bias>', weights: none, peak: 1 }, ...shown];
  const width = LEFT + frames * cell + 20;
  const height = TOP + rows.length * ROW + BOTTOM;
  const parts = [
    text(LEFT, 20, title, 'font-size="14" font-weight="bold"'),
    ...words.map(({ text: word, frame }) => {
      const x = round(LEFT + frame * cell);
      return text(x, TOP - 8, word, `font-size="10" transform="rotate(-35 ${x} ${TOP - 8})"`);
    }),
    ...rows.flatMap(({ text: entry, weights, peak }, i) => [
      text(LEFT - 8, TOP + i * ROW + 14, `${entry} ${peak < 1 ? peak.toFixed(2) : ''}`, 'text-anchor="end"'),
      ...cells(weights, TOP + i * ROW, cell, i === 0 ? '#999999' : '#0072b2'),
    ]),
    `<path d="M${LEFT} ${TOP}H${round(LEFT + frames * cell)}V${TOP + rows.length * ROW}H${LEFT}Z" fill="none" stroke="#cccccc"/>`,
    ...seconds(frames, frameMs, cell, TOP + rows.length * ROW),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="${escaped(title)}">`,
    `<rect width="${round(width)}" height="${height}" fill="white"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function cells(weights: Float32Array, y: number, cell: number, colour: string): string[] {
  return Array.from(weights).flatMap((weight, frame) =>
    weight < FAINTEST
      ? []
      : [
          `<rect x="${round(LEFT + frame * cell)}" y="${y + 2}" width="${round(cell)}" height="${ROW - 4}" fill="${colour}" fill-opacity="${weight.toFixed(2)}"/>`,
        ],
  );
}

function seconds(frames: number, frameMs: number, cell: number, y: number): string[] {
  const count = Math.floor((frames * frameMs) / 1000);
  const every = Math.max(1, Math.ceil(count / 20));
  return Array.from({ length: Math.floor(count / every) + 1 }, (_, i) => i * every).map((second) => {
    const x = round(LEFT + ((second * 1000) / frameMs) * cell);
    return `<path d="M${x} ${y}v5" stroke="#666666"/>${text(x, y + 18, `${second} s`, 'text-anchor="middle"')}`;
  });
}
