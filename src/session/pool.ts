import type { Worker } from 'node:worker_threads';
import { Subject } from 'rxjs';
import type { EncoderDescription } from '../encoder/runtime.js';
import { type Logger, SILENT } from '../observability/logger.js';
import { counted, type MetricSnapshot, sum } from '../observability/snapshot.js';
import { ProtocolError } from '../protocol/errors.js';
import type { VocabularySummary } from '../protocol/messages.js';
import type { Recogniser, RecogniserConfig, RecogniserEvent, RecogniserFactory } from './recogniser.js';
import type { FromWorker, ToWorker } from './thread.js';

/** What a worker may have under way takes tenths of a second; one that still runs after this hangs. */
const STOP_MS = 5000;

interface Seat {
  readonly events: Subject<RecogniserEvent>;
  readonly opened: (vocabulary: VocabularySummary) => void;
  readonly refused: (reason: unknown) => void;
}

/** Milliseconds that a worker has to say what it counted; what it said before counts otherwise. */
const SNAPSHOT_MS = 1000;

/** One worker and the sessions that sit in it. */
class Crew {
  readonly seats = new Map<number, Seat>();
  readonly #worker: Worker;
  #last = 0;
  #snapshot: MetricSnapshot = [];
  #asking: Promise<MetricSnapshot> | undefined;
  #answered = (): void => undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => {
      this.#receive(message);
    });
  }

  /** Resolves once the worker has its model. */
  static start(
    spawn: () => Worker,
  ): Promise<{ readonly crew: Crew; readonly description: EncoderDescription }> {
    const worker = spawn();
    const crew = new Crew(worker);
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (message: FromWorker) => {
        worker.off('error', reject);
        if (message.type === 'ready') resolve({ crew, description: message.description });
      });
    });
  }

  /** Called once, however the worker ended. */
  onDeath(handler: (reason: unknown) => void): void {
    const once = (reason: unknown): void => {
      this.#worker.off('error', once);
      this.#worker.off('exit', once);
      handler(reason);
    };
    // after an error comes an exit too
    this.#worker.on('error', once);
    this.#worker.on('exit', once);
  }

  open(config: RecogniserConfig): Promise<Recogniser> {
    const session = ++this.#last;
    const events = new Subject<RecogniserEvent>();
    return new Promise((resolve, refused) => {
      const opened = (vocabulary: VocabularySummary): void => {
        resolve({
          vocabulary,
          events: events.asObservable(),
          send: (command) => {
            if (command.type === 'audio') {
              const bytes = movable(command.bytes);
              const moved = { type: 'command', session, command: { ...command, bytes } } satisfies ToWorker;
              this.#worker.postMessage(moved, [bytes.buffer as ArrayBuffer]);
            } else this.#worker.postMessage({ type: 'command', session, command } satisfies ToWorker);
          },
          close: () => {
            this.seats.delete(session);
            this.#worker.postMessage({ type: 'close', session } satisfies ToWorker);
            events.complete();
          },
        });
      };
      this.seats.set(session, { events, opened, refused });
      this.#worker.postMessage({ type: 'open', session, config } satisfies ToWorker);
    });
  }

  /** What the worker has counted. */
  snapshot(): Promise<MetricSnapshot> {
    this.#asking ??= this.#ask();
    return this.#asking;
  }

  /** The same, as it said it last. */
  get lastSnapshot(): MetricSnapshot {
    return this.#snapshot;
  }

  /** Lets the worker end what it computes: a thread that dies in the middle of that takes the process with it. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<unknown>((resolve) => {
      worker.once('exit', resolve);
      timer = setTimeout(() => void worker.terminate().then(resolve), STOP_MS);
      worker.postMessage({ type: 'stop' } satisfies ToWorker);
    });
    clearTimeout(timer);
  }

  async #ask(): Promise<MetricSnapshot> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SNAPSHOT_MS);
      this.#answered = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#worker.postMessage({ type: 'metrics' } satisfies ToWorker);
    });
    this.#asking = undefined;
    return this.#snapshot;
  }

  #receive(message: FromWorker): void {
    if (message.type === 'ready') return;
    if (message.type === 'metrics') {
      this.#snapshot = message.snapshot;
      this.#answered();
      return;
    }
    // a session closed meanwhile has no seat, and its late events no reader
    const seat = this.seats.get(message.session);
    if (seat === undefined) return;
    if (message.type === 'opened') seat.opened(message.vocabulary);
    else if (message.type === 'event') seat.events.next(message.event);
    else {
      this.seats.delete(message.session);
      seat.refused(new ProtocolError('internal', `The session could not be opened: ${message.message}`));
    }
  }
}

/** Bytes that have their buffer for themselves: Node's small buffers share one, and only a whole buffer moves. */
function movable(bytes: Uint8Array): Uint8Array {
  const alone = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return alone ? bytes : Uint8Array.from(bytes);
}

export interface WorkerPoolOptions {
  readonly workers: number;
  readonly logger?: Logger;
}

/**
 * Recognisers on worker threads, so that neither inference nor decoding ever holds up a socket. A new session goes to
 * the worker with the fewest. A worker that dies takes its sessions with it and is replaced.
 */
export class WorkerPool implements RecogniserFactory {
  readonly description: EncoderDescription;
  readonly #spawn: () => Worker;
  readonly #crews: Crew[];
  readonly #logger: Logger;
  /** What workers counted that are no more. */
  #past: Promise<MetricSnapshot> = Promise.resolve([]);
  #replacing: Promise<unknown> = Promise.resolve();
  #stopping = false;

  private constructor(description: EncoderDescription, spawn: () => Worker, crews: Crew[], logger: Logger) {
    this.description = description;
    this.#spawn = spawn;
    this.#crews = crews;
    this.#logger = logger;
    for (const crew of crews) this.#watch(crew);
  }

  static async start(
    spawn: () => Worker,
    { workers, logger = SILENT }: WorkerPoolOptions,
  ): Promise<WorkerPool> {
    const started = await Promise.all(Array.from({ length: workers }, () => Crew.start(spawn)));
    return new WorkerPool(
      started[0]!.description,
      spawn,
      started.map(({ crew }) => crew),
      logger,
    );
  }

  /** Workers that run. */
  get running(): number {
    return this.#crews.length;
  }

  /** Resolves once no worker is missing that can be replaced. */
  async replaced(): Promise<void> {
    await this.#replacing;
  }

  /** What workers have counted, those that died included: a count never falls. */
  snapshots(): Promise<MetricSnapshot[]> {
    return Promise.all([this.#past, ...this.#crews.map((crew) => crew.snapshot())]);
  }

  async open(config: RecogniserConfig): Promise<Recogniser> {
    const crew = this.#crews.reduce<Crew | undefined>(
      (best, each) => (best === undefined || each.seats.size < best.seats.size ? each : best),
      undefined,
    );
    if (crew === undefined) {
      throw new ProtocolError(
        'server_full',
        'No worker is running at present; connect again in a few seconds.',
      );
    }
    return crew.open(config);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#crews.map((crew) => crew.stop()));
  }

  #watch(crew: Crew): void {
    crew.onDeath((reason) => {
      if (this.#stopping) return;
      this.#crews.splice(this.#crews.indexOf(crew), 1);
      this.#past = this.#past.then((past) => sum([past, counted(crew.lastSnapshot)]));
      this.#logger.error({ err: reason, sessions: crew.seats.size }, 'a recognition worker died');
      this.#replacing = Promise.all([this.#replacing, this.#replace()]);
      const message = `The recognition worker failed: ${reason instanceof Error ? reason.message : String(reason)}. Open a new session.`;
      for (const seat of crew.seats.values()) {
        seat.refused(new ProtocolError('internal', message));
        seat.events.next({ type: 'failed', code: 'internal', message, lost: true });
      }
      crew.seats.clear();
    });
  }

  async #replace(): Promise<void> {
    try {
      const { crew } = await Crew.start(this.#spawn);
      if (this.#stopping) {
        await crew.stop();
        return;
      }
      this.#crews.push(crew);
      this.#watch(crew);
      this.#logger.info({ workers: this.running }, 'another recognition worker is running');
    } catch (reason) {
      // the next death or open will say so; without any worker `open` refuses
      this.#logger.error({ err: reason }, 'a recognition worker could not be started');
    }
  }
}
