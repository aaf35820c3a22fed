import { Histogram, type Registry } from 'prom-client';

/** What audio passes through on its way to a caption; the last one on the main thread, the others in a worker. */
export const STAGES = ['windowing', 'encoder', 'adapter', 'decoder', 'captions', 'send'] as const;
export type Stage = (typeof STAGES)[number];

export type ObserveStage = (stage: Stage, seconds: number) => void;

/** From a message that is written to an encoder that is overrun. */
const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The stages' histogram, which has the same name in every thread, so that their sum has all stages. */
export function stageHistogram(registry: Registry, stages: readonly Stage[]): ObserveStage {
  const histogram = new Histogram({
    name: 'lexigate_stage_seconds',
    help: 'Time that a stage takes: windowing, decoder and captions for a step of a stream, encoder and adapter for a batch of steps, send for a message.',
    labelNames: ['stage'],
    buckets: SECONDS,
    registers: [registry],
  });
  for (const stage of stages) histogram.zero({ stage });
  return (stage, seconds) => histogram.observe({ stage }, seconds);
}
