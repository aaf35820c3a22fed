import { fromUnknown } from '../protocol/errors.js';
import {
  type Endpoint,
  environmentOf,
  type Handshake,
  type SessionEnvironment,
} from '../session/endpoint.js';
import { VoskConnection } from './vosk-connection.js';
import { parseSampleRate } from './vosk-request.js';

export const VOSK_PATH = '/vosk';

/** vosk-server's own default: telephony. */
const DEFAULT_SAMPLE_RATE = 8000;

/** The protocol of vosk-server (alphacep/vosk-server, `websocket/`). */
export function voskEndpoint(environment: SessionEnvironment): Endpoint {
  return {
    path: VOSK_PATH,
    handshake: ({ url }) => handshake(url.searchParams),
    connect: (socket, request) => {
      const sampleRate = sampleRateOf(request.url.searchParams);
      return new VoskConnection(socket, environmentOf(environment, request), sampleRate);
    },
  };
}

/** Where vosk-server has an environment variable, an address may say the rate for clients that send no config. */
function handshake(query: URLSearchParams): Handshake {
  const unknown = [...query.keys()].find((name) => name !== 'sample_rate');
  if (unknown !== undefined) {
    const message = `The address has "${unknown}"; known is sample_rate, the rest goes into a config message.`;
    return { accept: false, status: 400, message };
  }
  try {
    sampleRateOf(query);
    return { accept: true };
  } catch (thrown) {
    return { accept: false, status: 400, message: fromUnknown(thrown).message };
  }
}

function sampleRateOf(query: URLSearchParams): number {
  const given = query.get('sample_rate');
  return given === null ? DEFAULT_SAMPLE_RATE : parseSampleRate(given);
}
