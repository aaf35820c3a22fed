import { concatMap, defer, from, type OperatorFunction, of } from 'rxjs';
import type { EncodedWindow } from '../encoder/encode.js';
import { data, type Flow } from '../util/flow.js';
import type { FinalHypothesis, PartialHypothesis, Segmenter } from './segmenter.js';

/**
 * Log-probabilities become hypotheses; a flush or a stop ends the open segment before it passes.
 * @param levels level in dBFS of each frame of a window
 */
export function decode(
  segmenter: Segmenter,
  levels: (pcm: Float32Array) => ArrayLike<number>,
): OperatorFunction<Flow<EncodedWindow>, Flow<FinalHypothesis | PartialHypothesis>> {
  return (source) =>
    source.pipe(
      concatMap((item) => {
        if (item.kind === 'data') {
          const { window, logProbs } = item.value;
          return defer(() =>
            from(
              segmenter
                .push(
                  logProbs.subwords,
                  levels(window.pcm),
                  window.frame,
                  window.from,
                  window.to,
                  logProbs.phones,
                )
                .map((hypothesis) => data(hypothesis)),
            ),
          );
        }
        const { type } = item.boundary;
        if (type === 'mark') return of(item);
        return from([...segmenter.finish(type).map((hypothesis) => data(hypothesis)), item]);
      }),
    );
}
