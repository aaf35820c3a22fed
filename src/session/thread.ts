import type { EncoderDescription } from '../encoder/runtime.js';
import type { MetricSnapshot } from '../observability/snapshot.js';
import type { VocabularySummary } from '../protocol/messages.js';
import type { RecogniserCommand, RecogniserConfig, RecogniserEvent } from './recogniser.js';

/** What crosses the thread border towards a worker. `session` numbers the sessions of a worker and is not used twice. */
export type ToWorker =
  | { readonly type: 'open'; readonly session: number; readonly config: RecogniserConfig }
  | { readonly type: 'command'; readonly session: number; readonly command: RecogniserCommand }
  | { readonly type: 'close'; readonly session: number }
  /** No more sessions: end what is under way, then the thread. */
  | { readonly type: 'stop' }
  /** Asks for what the worker has counted. */
  | { readonly type: 'metrics' };

/** And what comes from one. */
export type FromWorker =
  | { readonly type: 'ready'; readonly description: EncoderDescription }
  | { readonly type: 'opened'; readonly session: number; readonly vocabulary: VocabularySummary }
  | { readonly type: 'refused'; readonly session: number; readonly message: string }
  | { readonly type: 'event'; readonly session: number; readonly event: RecogniserEvent }
  | { readonly type: 'metrics'; readonly snapshot: MetricSnapshot };
