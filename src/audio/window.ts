import { Observable, type OperatorFunction } from 'rxjs';
import { type Boundary, data, type Flow } from '../util/flow.js';
import { type Window, Windower, type WindowerOptions } from './windower.js';

const NOTHING = new Float32Array(0);

/**
 * Samples become windows. A flush or stop is preceded by the windows that decide everything before it. A mark changes
 * nothing: it passes once the windows that decide its audio have passed, however that came about. (The marks that
 * wait are bounded where they enter, see `session/limits.ts`.)
 */
export function window(options: WindowerOptions): OperatorFunction<Flow<Float32Array>, Flow<Window>> {
  return (source) =>
    new Observable((destination) => {
      const windower = new Windower(options);
      const marks: (Boundary & { readonly sample: number })[] = [];
      const release = (decided: number): void => {
        while (marks.length > 0 && marks[0]!.sample <= decided) {
          destination.next({ kind: 'boundary', boundary: marks.shift()! });
        }
      };
      const emit = (windows: readonly Window[]): void => {
        for (const each of windows) {
          destination.next(data(each));
          // behind the window that decides it, whether or not more have come at once
          if (!each.tentative) release((each.frame + each.to) * options.frameSamples);
        }
        release(windower.decided);
      };
      return source.subscribe({
        next: (item) => {
          if (item.kind === 'data') emit(windower.push(item.value));
          else if (item.boundary.type === 'mark') {
            marks.push({ ...item.boundary, sample: windower.received });
            emit([]);
          } else {
            emit(windower.flush(item.boundary.tail ?? NOTHING));
            const { tail: _, ...boundary } = item.boundary;
            destination.next({ kind: 'boundary', boundary: { ...boundary, sample: windower.decided } });
          }
        },
        error: (reason) => destination.error(reason),
        complete: () => destination.complete(),
      });
    });
}
