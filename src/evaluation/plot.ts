import type { Interval } from './bootstrap.js';
import { escaped, round, text } from './svg.js';

/** A value at each place of the axis, with its interval; a fraction. */
export interface Point {
  readonly value: number;
  readonly interval: Interval;
}

export interface Series {
  readonly name: string;
  /** One per label of the plot. */
  readonly points: readonly Point[];
}

export interface Plot {
  readonly title: string;
  readonly xTitle: string;
  /** Places on the axis, evenly spaced: sizes of lists begin at 0 and grow by powers, which no one scale shows. */
  readonly labels: readonly string[];
  /** Lines where places are an order, bars where they are names. */
  readonly form: 'lines' | 'bars';
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 56;
const RIGHT = 150;
const TOP = 40;
const BOTTOM = 52;
const BAR_SHARE = 0.8;
/** Okabe and Ito's colours, told apart whatever eyes one has. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#999999'];
/** Steps of the axis that people count in, in percent. */
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20];
const MOST_STEPS = 8;

/** A plot in percent as an SVG document that needs no script and no font of its own. */
export function drawPlot(plot: Plot): string {
  const scale = scaleOf(plot);
  const parts = [
    text(WIDTH / 2, 22, plot.title, 'text-anchor="middle" font-size="15" font-weight="bold"'),
    ...grid(scale),
    ...plot.labels.map((label, i) =>
      text(place(plot, i), HEIGHT - BOTTOM + 18, label, 'text-anchor="middle"'),
    ),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, plot.xTitle, 'text-anchor="middle"'),
    ...plot.series.flatMap((series, i) => [
      ...(plot.form === 'lines' ? line(plot, series, i, scale) : bars(plot, series, i, scale)),
      ...legend(series.name, i),
    ]),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img" aria-label="${escaped(plot.title)}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

interface Scale {
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

/** Round percentages around all intervals; bars stand on 0. */
function scaleOf({ series, form }: Plot): Scale {
  const bounds = series.flatMap(({ points }) =>
    points.flatMap(({ interval, value }) => [...interval, value]),
  );
  const least = form === 'bars' ? 0 : Math.min(...bounds) * 100;
  const most = Math.max(...bounds) * 100;
  const step = STEPS.find((each) => (most - least) / each <= MOST_STEPS) ?? STEPS.at(-1)!;
  const low = Math.floor(least / step) * step;
  return { low, high: Math.max(Math.ceil(most / step) * step, low + step), step };
}

function grid({ low, high, step }: Scale): string[] {
  const count = Math.round((high - low) / step);
  return Array.from({ length: count + 1 }, (_, i) => low + i * step).flatMap((percent) => {
    const y = height(percent / 100, { low, high, step });
    return [
      `<path d="M${LEFT} ${y}H${WIDTH - RIGHT}" stroke="#dddddd"/>`,
      text(LEFT - 6, y + 4, `${step < 1 ? percent.toFixed(1) : Math.round(percent)} %`, 'text-anchor="end"'),
    ];
  });
}

function line(plot: Plot, { points }: Series, index: number, scale: Scale): string[] {
  const colour = COLOURS[index % COLOURS.length]!;
  const at = points.map(({ value }, i) => `${place(plot, i)},${height(value, scale)}`);
  return [
    `<polyline points="${at.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points.flatMap(({ value, interval }, i) => {
      // side by side, so that intervals of several series can be told apart
      const x = place(plot, i) + (index - (plot.series.length - 1) / 2) * 5;
      return [
        whisker(x, interval, scale, colour),
        `<circle cx="${place(plot, i)}" cy="${height(value, scale)}" r="3" fill="${colour}"/>`,
      ];
    }),
  ];
}

function bars(plot: Plot, { points }: Series, index: number, scale: Scale): string[] {
  const colour = COLOURS[index % COLOURS.length]!;
  const width = (spacing(plot) * BAR_SHARE) / plot.series.length;
  return points.flatMap(({ value, interval }, i) => {
    const x = place(plot, i) + (index - plot.series.length / 2) * width;
    const y = height(value, scale);
    const base = height(scale.low / 100, scale);
    return [
      `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${round(base - y)}" fill="${colour}"/>`,
      whisker(round(x + width / 2), interval, scale, '#333333'),
    ];
  });
}

function whisker(x: number, [low, high]: Interval, scale: Scale, colour: string): string {
  return `<path d="M${x} ${height(low, scale)}V${height(high, scale)}" stroke="${colour}" stroke-opacity="0.6"/>`;
}

function legend(name: string, index: number): string[] {
  const y = TOP + 10 + index * 18;
  const x = WIDTH - RIGHT + 14;
  return [
    `<rect x="${x}" y="${y - 9}" width="10" height="10" fill="${COLOURS[index % COLOURS.length]}"/>`,
    text(x + 16, y, name, ''),
  ];
}

function spacing({ labels }: Plot): number {
  return (WIDTH - LEFT - RIGHT) / labels.length;
}

function place(plot: Plot, index: number): number {
  return round(LEFT + (index + 0.5) * spacing(plot));
}

function height(fraction: number, { low, high }: Scale): number {
  return round(HEIGHT - BOTTOM - ((fraction * 100 - low) / (high - low)) * (HEIGHT - TOP - BOTTOM));
}
