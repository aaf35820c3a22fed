import { Observable, type OperatorFunction, Subject } from 'rxjs';

/**
 * The same operator, its time told for each item that it takes in: only its own, without what is done downstream before
 * it returns. For operators that work at once; what they do later is not seen.
 * @param now a clock in milliseconds
 */
export function timed<A, B>(
  operator: OperatorFunction<A, B>,
  observe: ((seconds: number) => void) | undefined,
  now: () => number = () => performance.now(),
): OperatorFunction<A, B> {
  if (observe === undefined) return operator;
  return (source) =>
    new Observable((destination) => {
      const input = new Subject<A>();
      let downstreamMs = 0;
      const output = operator(input).subscribe({
        next: (value) => {
          const begun = now();
          destination.next(value);
          downstreamMs += now() - begun;
        },
        error: (reason) => destination.error(reason),
        complete: () => destination.complete(),
      });
      output.add(
        source.subscribe({
          next: (value) => {
            downstreamMs = 0;
            const begun = now();
            input.next(value);
            observe((now() - begun - downstreamMs) / 1000);
          },
          error: (reason) => input.error(reason),
          complete: () => input.complete(),
        }),
      );
      return output;
    });
}
