import type { ProtocolError } from '../protocol/errors.js';
import type { ResumeMessage } from '../protocol/messages.js';
import { SUBPROTOCOL } from '../protocol/validate.js';
import {
  type Connection,
  type ConnectionEnvironment,
  type ConnectionRequest,
  type Endpoint,
  environmentOf,
  type SessionEnvironment,
} from './endpoint.js';
import { ResumableSessions } from './resumption.js';
import { Session } from './session.js';
import type { Socket } from './socket.js';

/** Path of the native protocol. */
export const STREAM_PATH = '/v1/stream';

/** The native protocol. A client that offers no subprotocol is served too: there is but one at this path. */
export function nativeEndpoint(environment: SessionEnvironment): Endpoint {
  const sessions = new ResumableSessions(environment.limits);
  return {
    path: STREAM_PATH,
    handshake: ({ protocols }) => {
      if (protocols.length === 0) return { accept: true };
      if (protocols.includes(SUBPROTOCOL)) return { accept: true, protocol: SUBPROTOCOL };
      const message = `The subprotocols ${protocols.join(', ')} are not spoken here; ask for ${SUBPROTOCOL}.`;
      return { accept: false, status: 400, message };
    },
    connect: (socket, request) =>
      new NativeConnection(socket, request, environmentOf(environment, request), sessions),
  };
}

/** A connection with its session: a new one, or with `resume` one that there was. */
class NativeConnection implements Connection {
  readonly #socket: Socket;
  readonly #keyId: string | undefined;
  readonly #sessions: ResumableSessions;
  #session: Session;

  constructor(
    socket: Socket,
    { keyId }: ConnectionRequest,
    environment: ConnectionEnvironment,
    sessions: ResumableSessions,
  ) {
    this.#socket = socket;
    this.#keyId = keyId;
    this.#sessions = sessions;
    this.#session = new Session(socket, {
      ...environment,
      resumption: {
        opened: (session) => sessions.add(session, keyId),
        suspended: (session) => sessions.suspend(session),
        ended: (session) => sessions.remove(session),
        resume: (message) => this.#resume(message),
      },
    });
  }

  text(text: string): void {
    this.#own?.text(text);
  }

  binary(bytes: Uint8Array): void {
    this.#own?.binary(bytes);
  }

  fail(error: ProtocolError): void {
    this.#own?.fail(error);
  }

  disconnected(cut?: boolean): void {
    this.#own?.disconnected(cut);
  }

  shutDown(): void {
    this.#own?.shutDown();
  }

  /** The session, unless another connection has taken it over. */
  get #own(): Session | undefined {
    return this.#session.uses(this.#socket) ? this.#session : undefined;
  }

  #resume(message: ResumeMessage): void {
    const session = this.#sessions.find(message, this.#keyId);
    session.resume(this.#socket, message.seq);
    this.#sessions.found(session);
    this.#session.disconnected();
    this.#session = session;
  }
}
