import { SUBPROTOCOL } from '../protocol/validate.js';
import { type Endpoint, environmentOf, type SessionEnvironment } from './endpoint.js';
import { Session } from './session.js';

/** Path of the native protocol. */
export const STREAM_PATH = '/v1/stream';

/** The native protocol. A client that offers no subprotocol is served too: there is but one at this path. */
export function nativeEndpoint(environment: SessionEnvironment): Endpoint {
  return {
    path: STREAM_PATH,
    handshake: ({ protocols }) => {
      if (protocols.length === 0) return { accept: true };
      if (protocols.includes(SUBPROTOCOL)) return { accept: true, protocol: SUBPROTOCOL };
      const message = `The subprotocols ${protocols.join(', ')} are not spoken here; ask for ${SUBPROTOCOL}.`;
      return { accept: false, status: 400, message };
    },
    connect: (socket, request) => new Session(socket, environmentOf(environment, request)),
  };
}
