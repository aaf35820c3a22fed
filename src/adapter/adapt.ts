import { from, map, type Observable, of } from 'rxjs';
import type { EncodedWindow } from '../encoder/encode.js';
import { data, type Flow } from '../util/flow.js';
import type { AttentionTrack } from './attention-track.js';
import type { BiasQueue } from './bias-queue.js';
import type { EmbeddedList } from './runtime.js';

/**
 * Emits the item once, with log-probabilities that lean towards the list; where there is none, as it is and at once.
 * @param track told what was attended to
 */
export function adapt(
  item: Flow<EncodedWindow>,
  queue: BiasQueue,
  list: EmbeddedList | undefined,
  track: AttentionTrack,
): Observable<Flow<EncodedWindow>> {
  if (item.kind === 'boundary') return of(item);
  const { window, logProbs } = item.value;
  const { hidden, frames, taps } = logProbs;
  if (hidden === undefined || list === undefined) {
    track.skip(window.frame);
    return of(item);
  }
  return from(queue.bias({ frames, hidden, taps }, list)).pipe(
    map((biased) => {
      track.record(window.frame, frames, biased, list);
      return data({ window, logProbs: { ...logProbs, subwords: biased.subwords } });
    }),
  );
}
