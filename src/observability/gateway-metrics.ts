import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { PAUSING_LIMITS, type SessionEvent, type WatchSessions } from './session-event.js';
import type { MetricSnapshot } from './snapshot.js';
import { type ObserveStage, stageHistogram } from './stages.js';

const BUILD_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5];
const ENTRIES = [0, 1, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000];
/** Around `overloadSeconds`, beyond which clients are told and get fewer partials. */
const LAG_SECONDS = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30];

/** What can be looked at on the main thread at any time. */
export interface GatewayGauges {
  /** Recognition workers that run. */
  readonly workers: () => number;
  /** Bytes sent that the clients have not taken yet. */
  readonly outputBytes: () => number;
}

export interface GatewayMetricsOptions {
  /** What clients may be told: counted from 0 on, so that a first error is a rise. */
  readonly errorCodes: readonly string[];
  /** Version of the package, and name and version of the model. */
  readonly build: { readonly version: string; readonly model: string; readonly modelVersion: string };
}

/** What the main thread counts: connections, sessions and what they do. */
export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #connections: Gauge;
  readonly #refused: Counter;
  readonly #dropped: Counter;
  readonly #sessions: Gauge;
  readonly #suspended: Gauge;
  readonly #resumed: Counter;
  readonly #started: Counter;
  readonly #audio: Counter;
  readonly #decoded: Counter;
  readonly #waiting: Gauge;
  readonly #paused: Counter;
  readonly #builds: Histogram;
  readonly #entries: Histogram;
  readonly #updates: Counter;
  readonly #rejected: Counter;
  readonly #lag: Histogram;
  readonly #coalesced: Counter;
  readonly #errors: Counter;
  readonly #stage: ObserveStage;

  constructor({ errorCodes, build }: GatewayMetricsOptions) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#stage = stageHistogram(this.#registry, ['send']);
    new Gauge({
      name: 'lexigate_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['version', 'model', 'model_version'],
      registers,
    }).set({ version: build.version, model: build.model, model_version: build.modelVersion }, 1);
    this.#connections = new Gauge({
      name: 'lexigate_connections',
      help: 'Open WebSocket connections, by the path of their protocol.',
      labelNames: ['path'],
      registers,
    });
    this.#refused = new Counter({
      name: 'lexigate_connections_refused_total',
      help: 'Upgrades refused, by HTTP status: 401 and 403 access, 429 a full key, 503 a full or stopping gateway.',
      labelNames: ['status'],
      registers,
    });
    this.#dropped = new Counter({
      name: 'lexigate_tcp_dropped_total',
      help: 'TCP connections closed at once, since there were maxHandshakes beside the WebSockets.',
      registers,
    });
    this.#sessions = new Gauge({
      name: 'lexigate_sessions',
      help: 'Sessions that have started and not ended.',
      registers,
    });
    this.#suspended = new Gauge({
      name: 'lexigate_sessions_suspended',
      help: 'Of these, sessions whose connection is lost and whose client may come back.',
      registers,
    });
    this.#resumed = new Counter({
      name: 'lexigate_sessions_resumed_total',
      help: 'Times that a client came back to its session.',
      registers,
    });
    this.#started = new Counter({
      name: 'lexigate_sessions_started_total',
      help: 'Sessions started, by the path of their protocol.',
      labelNames: ['path'],
      registers,
    });
    this.#audio = new Counter({
      name: 'lexigate_audio_received_seconds_total',
      help: 'Audio received, a session of two channels counted once.',
      registers,
    });
    this.#decoded = new Counter({
      name: 'lexigate_audio_decoded_seconds_total',
      help: 'Audio decoded.',
      registers,
    });
    this.#waiting = new Gauge({
      name: 'lexigate_audio_waiting_seconds',
      help: 'Audio of open sessions that is received and not decoded: what a step still gathers, and the queue.',
      registers,
    });
    this.#paused = new Counter({
      name: 'lexigate_reading_paused_total',
      help: 'Times that a socket was not read any more, by the limit that was passed.',
      labelNames: ['limit'],
      registers,
    });
    this.#builds = new Histogram({
      name: 'lexigate_list_build_seconds',
      help: 'Time from a list or patch to it being in force, with decoding again where that was asked for.',
      buckets: BUILD_SECONDS,
      registers,
    });
    this.#entries = new Histogram({
      name: 'lexigate_list_entries',
      help: 'Entries of lists that came into force.',
      buckets: ENTRIES,
      registers,
    });
    this.#updates = new Counter({
      name: 'lexigate_list_updates_total',
      help: 'Updates of lists while a session runs.',
      labelNames: ['outcome'],
      registers,
    });
    this.#rejected = new Counter({
      name: 'lexigate_list_entries_rejected_total',
      help: 'Entries that could not be used, and were named to the client.',
      registers,
    });
    this.#lag = new Histogram({
      name: 'lexigate_caption_lag_seconds',
      help: 'How much later than the latency of its session a partial or final went out.',
      buckets: LAG_SECONDS,
      registers,
    });
    this.#coalesced = new Counter({
      name: 'lexigate_partials_coalesced_total',
      help: 'Partials that gave way to a newer one, the reader or the recognition being behind.',
      registers,
    });
    this.#errors = new Counter({
      name: 'lexigate_errors_total',
      help: 'Errors told to clients, by code.',
      labelNames: ['code'],
      registers,
    });
    for (const status of [401, 403, 404, 429, 503]) this.#refused.inc({ status }, 0);
    for (const code of errorCodes) this.#errors.inc({ code }, 0);
    for (const limit of PAUSING_LIMITS) this.#paused.inc({ limit }, 0);
    for (const outcome of ['applied', 'refused']) this.#updates.inc({ outcome }, 0);
  }

  /** What to look at when asked for a snapshot. */
  look({ workers, outputBytes }: GatewayGauges): void {
    const gauges = [
      ['lexigate_workers', 'Recognition workers that run.', workers],
      ['lexigate_output_waiting_bytes', 'Bytes sent that clients have not taken yet.', outputBytes],
    ] as const;
    for (const [name, help, value] of gauges) {
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(value());
        },
      });
    }
  }

  /** @param path of an endpoint. @returns to be called when the connection is closed */
  connected(path: string): () => void {
    this.#connections.inc({ path });
    return () => this.#connections.dec({ path });
  }

  refused(status: number): void {
    this.#refused.inc({ status });
  }

  dropped(): void {
    this.#dropped.inc();
  }

  readonly watch: WatchSessions = ({ path }) => {
    let started = false;
    let suspended = false;
    let waiting = 0;
    const suspend = (is: boolean): void => {
      if (is !== suspended) this.#suspended.inc(is ? 1 : -1);
      suspended = is;
    };
    const waits = (seconds: number): void => {
      waiting += seconds;
      this.#waiting.inc(seconds);
    };
    return (event) => {
      this.#count(event);
      if (event.type === 'received') waits(event.seconds);
      else if (event.type === 'decoded') waits(-event.seconds);
      else if (event.type === 'suspended') suspend(true);
      else if (event.type === 'resumed') suspend(false);
      else if (event.type === 'started') {
        started = true;
        this.#sessions.inc();
        this.#started.inc({ path });
      } else if (event.type === 'closed') {
        suspend(false);
        waits(-waiting);
        if (started) this.#sessions.dec();
      }
    };
  };

  snapshot(): Promise<MetricSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }

  #count(event: SessionEvent): void {
    switch (event.type) {
      case 'received':
        this.#audio.inc(event.seconds);
        return;
      case 'decoded':
        this.#decoded.inc(event.seconds);
        return;
      case 'paused':
        this.#paused.inc({ limit: event.limit });
        return;
      case 'updateApplied':
        this.#updates.inc({ outcome: 'applied' });
        this.#built(event);
        return;
      case 'updateRefused':
        this.#updates.inc({ outcome: 'refused' });
        return;
      case 'opened':
        // no list is none that was built
        if (event.version > 0) this.#built(event);
        return;
      case 'sent':
        this.#stage('send', event.seconds);
        return;
      case 'partial':
      case 'final':
        this.#lag.observe(event.lagMs / 1000);
        return;
      case 'resumed':
        this.#resumed.inc();
        return;
      case 'coalesced':
        this.#coalesced.inc();
        return;
      case 'error':
        this.#errors.inc({ code: event.code });
    }
  }

  #built({ entries, rejected, buildMs }: { entries: number; rejected: number; buildMs: number }): void {
    this.#builds.observe(buildMs / 1000);
    this.#entries.observe(entries);
    this.#rejected.inc(rejected);
  }
}
