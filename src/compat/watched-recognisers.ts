import { tap } from 'rxjs';
import type { RecogniserFactory } from '../session/recogniser.js';

/** Recognisers whose progress is told, which the native protocol does not need. */
export function watched(
  recognisers: RecogniserFactory,
  progress: (sample: number) => void,
): RecogniserFactory {
  return {
    description: recognisers.description,
    open: async (config) => {
      const recogniser = await recognisers.open(config);
      const events = recogniser.events.pipe(
        tap((event) => {
          if (event.type === 'progress') progress(event.sample);
        }),
      );
      return {
        vocabulary: recogniser.vocabulary,
        events,
        send: (command) => recogniser.send(command),
        close: () => recogniser.close(),
      };
    },
  };
}
