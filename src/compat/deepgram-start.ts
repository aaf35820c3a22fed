import type { AudioFormat, EndpointOptions, StartMessage } from '../protocol/messages.js';
import type { ListenOptions } from './deepgram-query.js';

/** Pauses that the session can be told to listen for. */
const LEAST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** The native start that a query asks for. */
export function toStart(options: ListenOptions, audio: AudioFormat): StartMessage {
  const { interimResults, vadEvents, utteranceEndMs, endpointingMs, keyterms } = options;
  return {
    type: 'start',
    audio,
    ...(keyterms.length > 0 && { vocabulary: keyterms.map(({ entry }) => entry) }),
    options: {
      // the begin of speech, and speech going on, show in partials too
      partials: interimResults || vadEvents || utteranceEndMs !== undefined,
      ...(endpointingMs !== undefined && { endpoint: toEndpoint(endpointingMs) }),
    },
  };
}

function toEndpoint(endpointingMs: number | false): EndpointOptions {
  if (endpointingMs === false) return { enabled: false };
  const pause = Math.min(LONGEST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, endpointingMs));
  return { silenceMs: pause, trailingBlankMs: pause };
}
