import { map, merge, Observable } from 'rxjs';
import type { Flow } from '../util/flow.js';

/**
 * Channels side by side become one stream: data passes as it comes, a boundary once every channel has reached it.
 * All channels carry the same boundaries in the same order, so the n-th of one is the n-th of another.
 */
export function joinChannels<T>(channels: readonly Observable<Flow<T>>[]): Observable<Flow<T>> {
  return new Observable((destination) => {
    const reached = channels.map(() => 0);
    let passed = 0;
    const numbered = channels.map((channel, number) => channel.pipe(map((item) => ({ item, number }))));
    return merge(...numbered).subscribe({
      next: ({ item, number }) => {
        if (item.kind === 'data') {
          destination.next(item);
          return;
        }
        reached[number]!++;
        if (Math.min(...reached) === passed) return;
        passed++;
        destination.next(item);
      },
      error: (reason) => destination.error(reason),
      complete: () => destination.complete(),
    });
  });
}
