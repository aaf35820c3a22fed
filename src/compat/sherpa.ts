import { closeReason, ProtocolError } from '../protocol/errors.js';
import type { ServerMessage, StartMessage } from '../protocol/messages.js';
import {
  type Connection,
  type ConnectionEnvironment,
  type Endpoint,
  environmentOf,
  type SessionEnvironment,
} from '../session/endpoint.js';
import { Session } from '../session/session.js';
import type { Socket } from '../session/socket.js';
import { innerSocket } from './inner-socket.js';
import { emptyEnd, type SherpaResult, sherpaResult } from './sherpa-reply.js';

export const SHERPA_PATH = '/sherpa';

/** sherpa-onnx's clients are told a host and a port, and ask for this path. */
export const SHERPA_ROOT_PATH = '/';

/**
 * What its clients send; they have no way to say anything else. A segment ends after 1.2 s without a word, as in
 * sherpa-onnx (its `rule2`): clients that show the last result as that of the file then show words, unless the file ends
 * in a longer pause.
 */
const START: StartMessage = {
  type: 'start',
  audio: { encoding: 'f32le', sampleRate: 16_000, channels: 1 },
  options: { endpoint: { trailingBlankMs: 1200 } },
};

/** The protocol of sherpa-onnx's online server (k2-fsa/sherpa-onnx, `online-websocket-server`). */
export function sherpaEndpoint(environment: SessionEnvironment, path: string = SHERPA_PATH): Endpoint {
  return {
    path,
    handshake: ({ url }) => {
      const [unknown] = url.searchParams.keys();
      if (unknown === undefined) return { accept: true };
      const message = `The address has "${unknown}"; nothing can be chosen here: send 32-bit floats, 16 kHz, one channel.`;
      return { accept: false, status: 400, message };
    },
    connect: (socket, request) => new SherpaConnection(socket, environmentOf(environment, request)),
  };
}

/** A sherpa-onnx client's end, translated to a native session and back. */
class SherpaConnection implements Connection {
  readonly #socket: Socket;
  readonly #session: Session;
  #done = false;
  #closed = false;
  /** The last result said that it is the last. */
  #ended = false;
  #nextSegment = 0;
  #decidedSeconds = 0;

  constructor(socket: Socket, environment: ConnectionEnvironment) {
    this.#socket = socket;
    const inner = innerSocket(socket, {
      message: (message) => this.#message(message),
      close: (code, reason) => this.#close(code, reason),
    });
    this.#session = new Session(inner, environment);
    this.#session.text(JSON.stringify(START));
  }

  text(text: string): void {
    if (this.#closed || this.#done) return;
    if (text === 'Done') {
      this.#done = true;
      this.#session.text(JSON.stringify({ type: 'stop' }));
      return;
    }
    const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
    this.#fail(
      new ProtocolError(
        'invalid_message',
        `A text frame is ${shown}; send audio as binary frames and "Done" behind the last. Other protocols have other paths, vosk's is /vosk.`,
      ),
    );
  }

  binary(bytes: Uint8Array): void {
    if (!this.#closed && !this.#done) this.#session.binary(bytes);
  }

  fail(error: ProtocolError): void {
    this.#fail(error);
  }

  disconnected(): void {
    this.#closed = true;
    this.#session.disconnected();
  }

  shutDown(): void {
    this.#session.shutDown();
  }

  #message(message: ServerMessage): void {
    switch (message.type) {
      case 'partial':
        this.#send(sherpaResult(message));
        return;
      case 'final':
        this.#nextSegment = message.segment + 1;
        this.#decidedSeconds = message.end;
        this.#ended = message.reason === 'stop';
        this.#send(sherpaResult(message));
        return;
      case 'stopped':
        if (!this.#ended) this.#send(emptyEnd(this.#nextSegment, this.#decidedSeconds));
        this.#socket.send('Done!');
        return;
      case 'error':
        this.#fail(new ProtocolError(message.code, message.message));
    }
  }

  #send(result: SherpaResult): void {
    this.#socket.send(JSON.stringify(result));
  }

  /** sherpa-onnx has no errors: its clients print what comes, and see the end of the connection. */
  #fail(error: ProtocolError): void {
    if (this.#closed) return;
    this.#socket.send(JSON.stringify({ error: error.message, code: error.code }));
    this.#close(error.closeCode, closeReason(error.message));
    this.#session.disconnected();
  }

  #close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close(code, reason);
  }
}
