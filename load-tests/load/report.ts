import { cpus } from 'node:os';
import { type Percentiles, percentiles, round } from '../statistics.js';
import { errorsOf, type Load, type Measured } from './run.js';

type Latency = Pick<Percentiles, 'p50' | 'p95' | 'p99'>;

/** What `--json` prints; nulls where the gateway runs elsewhere. */
export interface LoadReport {
  readonly streams: number;
  readonly partialLatencyMs: Latency;
  readonly firstPartialMs: Latency;
  readonly finalMs: Latency;
  readonly updateToEffectMs: Latency;
  readonly cpuSecondsPerAudioSecond: number | null;
  readonly rssMb: number | null;
  readonly textChanged: number;
  readonly lostFinals: number;
}

export function reportOf({ streams }: Load, { seen, gateway, audioSeconds }: Measured): LoadReport {
  return {
    streams,
    partialLatencyMs: latency(seen.partial),
    firstPartialMs: latency(seen.firstPartial),
    finalMs: latency(seen.final),
    updateToEffectMs: latency(seen.updateToEffect),
    cpuSecondsPerAudioSecond: gateway === undefined ? null : fine(gateway.cpuSeconds / audioSeconds),
    rssMb: gateway === undefined ? null : round(gateway.rssMb),
    textChanged: seen.textChanged,
    lostFinals: seen.lostFinals,
  };
}

/** The same for people, and what else there is to know, above all what the load itself cost. */
export function tell(load: Load, measured: Measured): string {
  const { seen, clientCpuSeconds, audioSeconds, wallSeconds } = measured;
  const report = reportOf(load, measured);
  const rows: readonly (readonly [string, Latency])[] = [
    ['partial beyond the chunk', report.partialLatencyMs],
    ['newest word to its partial', latency(seen.word)],
    ['first word to its partial', report.firstPartialMs],
    ['flush to final', report.finalMs],
    ['update to effect', report.updateToEffectMs],
  ];
  const share = (seconds: number): string =>
    `${Math.round((100 * seconds) / wallSeconds / cpus().length)} % of the machine, ${fine(seconds / audioSeconds)} s a second of audio`;
  return [
    `${load.streams} streams, ${Math.round(wallSeconds)} s, ${seen.utterances} utterances: ${seen.textChanged} texts changed, ${seen.lostFinals} finals lost`,
    ...rows.map(([what, { p50, p95, p99 }]) => `  ${what.padEnd(28)} p50 ${p50}  p95 ${p95}  p99 ${p99} ms`),
    ...(measured.gateway === undefined
      ? []
      : [
          `  gateway: processor ${share(measured.gateway.cpuSeconds)}; resident ${round(measured.gateway.rssMb)} MB`,
        ]),
    `  this load generator: processor ${share(clientCpuSeconds)}`,
    ...(seen.cut > 0 ? [`  connections cut: ${seen.cut}`] : []),
    ...(seen.errors.size > 0 || seen.failed > 0 ? [`  errors: ${errorsOf(seen)}`] : []),
  ].join('\n');
}

function latency(samples: readonly number[]): Latency {
  const { p50, p95, p99 } = percentiles(samples);
  return { p50, p95, p99 };
}

function fine(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
