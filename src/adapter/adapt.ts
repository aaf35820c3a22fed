import { from, map, type Observable, of } from 'rxjs';
import type { EncodedWindow } from '../encoder/encode.js';
import { data, type Flow } from '../util/flow.js';
import type { BiasQueue } from './bias-queue.js';
import type { EmbeddedList } from './runtime.js';

/** Emits the item once, with log-probabilities that lean towards the list; where there is none, as it is and at once. */
export function adapt(
  item: Flow<EncodedWindow>,
  queue: BiasQueue,
  list: EmbeddedList | undefined,
): Observable<Flow<EncodedWindow>> {
  if (item.kind === 'boundary' || list === undefined) return of(item);
  const { window, logProbs } = item.value;
  const { hidden, frames, taps } = logProbs;
  if (hidden === undefined) return of(item);
  return from(queue.bias({ frames, hidden, taps }, list)).pipe(
    map(({ subwords }) => data({ window, logProbs: { ...logProbs, subwords } })),
  );
}
