import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricSnapshot } from './snapshot.js';
import { type ObserveStage, stageHistogram } from './stages.js';

const WAIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const BATCH_STREAMS = [1, 2, 4, 8, 16, 32, 64];

/** Of a final that biasing had a say in. */
export interface FinalBiasing {
  /** Occurrences of entries. */
  readonly hits: number;
  /** Whether without a list the text would be another; undefined: the session did not ask. */
  readonly changed: boolean | undefined;
}

/** What can be looked at in a worker at any time. */
export interface RecognitionGauges {
  /** Steps that wait for the encoder. */
  readonly waitingSteps: () => number;
  /** Memory of the lists kept for sessions to come. */
  readonly keptListBytes: () => number;
}

/** What a recognition worker counts, in its own thread; fetched as a whole when someone asks. */
export class RecognitionMetrics {
  readonly #registry = new Registry();
  readonly stage: ObserveStage;
  readonly #wait: Histogram;
  readonly #streams: Histogram;
  readonly #finals: Counter;
  readonly #hits: Counter;
  readonly #explained: Counter;
  readonly #changed: Counter;

  constructor({ waitingSteps, keptListBytes }: RecognitionGauges) {
    const registers = [this.#registry];
    this.stage = stageHistogram(this.#registry, ['windowing', 'encoder', 'adapter', 'decoder', 'captions']);
    this.#wait = new Histogram({
      name: 'lexigate_encoder_wait_seconds',
      help: 'Time that a step of a stream waits for the encoder to be free.',
      buckets: WAIT_SECONDS,
      registers,
    });
    this.#streams = new Histogram({
      name: 'lexigate_encoder_batch_streams',
      help: 'Streams that the encoder takes together.',
      buckets: BATCH_STREAMS,
      registers,
    });
    this.#finals = new Counter({ name: 'lexigate_finals_total', help: 'Finals made.', registers });
    this.#hits = new Counter({
      name: 'lexigate_entity_hits_total',
      help: 'Occurrences of list entries in finals.',
      registers,
    });
    this.#explained = new Counter({
      name: 'lexigate_finals_explained_total',
      help: 'Finals of sessions that ask for explanations, decoded with a list and without.',
      registers,
    });
    this.#changed = new Counter({
      name: 'lexigate_finals_changed_total',
      help: 'Of the explained finals, those whose text would be another without a list.',
      registers,
    });
    const gauges = [
      ['lexigate_encoder_waiting_steps', 'Steps that wait for the encoder.', waitingSteps],
      ['lexigate_kept_list_bytes', 'Memory of built lists kept for sessions to come.', keptListBytes],
    ] as const;
    for (const [name, help, look] of gauges) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(look());
        },
      });
    }
  }

  /** A run of the encoder, in seconds. @param waits of each stream in it */
  batch(waits: readonly number[], seconds: number): void {
    for (const wait of waits) this.#wait.observe(wait);
    this.#streams.observe(waits.length);
    this.stage('encoder', seconds);
  }

  final({ hits, changed }: FinalBiasing): void {
    this.#finals.inc();
    if (hits > 0) this.#hits.inc(hits);
    if (changed !== undefined) this.#explained.inc();
    if (changed === true) this.#changed.inc();
  }

  snapshot(): Promise<MetricSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }
}
