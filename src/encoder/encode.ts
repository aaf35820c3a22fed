import { concatMap, defer, from, map, type Observable, type OperatorFunction, of } from 'rxjs';
import type { Window } from '../audio/windower.js';
import { data, type Flow } from '../util/flow.js';
import type { Batcher } from './batcher.js';
import type { EncoderState, Latency, LogProbs } from './runtime.js';

/** Log-probabilities of a window, with the window they belong to. */
export interface EncodedWindow {
  readonly window: Window;
  readonly logProbs: LogProbs;
}

/**
 * Windows become log-probabilities, one step after the other, since each needs the state that the last one left.
 * Tentative windows continue from one another on a fork of the state that is dropped with the boundary they end at.
 *
 * The queue in front of `concatMap` is bounded by the session: it stops reading the socket while more than
 * `maxBufferedSeconds` of audio wait (see `session/limits.ts`).
 */
export function encode(
  batcher: Batcher,
  latency: Latency,
): OperatorFunction<Flow<Window>, Flow<EncodedWindow>> {
  return (source) =>
    defer(() => {
      const { runtime } = batcher;
      let state = runtime.start();
      let fork: EncoderState | undefined;
      const step = (window: Window): Observable<Flow<EncodedWindow>> => {
        const { tentative, pcm } = window;
        const before = tentative ? (fork ?? runtime.fork(state)) : state;
        return from(batcher.encode({ pcm, state: before }, latency, { urgent: tentative })).pipe(
          map((result) => {
            fork = tentative ? result.state : undefined;
            if (!tentative) state = result.state;
            return data({ window, logProbs: result.logProbs });
          }),
        );
      };
      return source.pipe(
        concatMap((item) => {
          if (item.kind === 'boundary') {
            fork = undefined;
            return of(item);
          }
          return defer(() => step(item.value));
        }),
      );
    });
}
