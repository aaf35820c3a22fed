import { AudioFormatError } from '../audio/format-error.js';
import { closeReason, fromUnknown, NORMAL_CLOSURE, ProtocolError } from '../protocol/errors.js';
import type { ClientMessage, ErrorMessage, ServerMessage, StoppedMessage } from '../protocol/messages.js';
import type { Connection, ConnectionEnvironment } from '../session/endpoint.js';
import { Session } from '../session/session.js';
import type { Socket } from '../session/socket.js';
import { ListenAnswers } from './deepgram-answers.js';
import type { ListenAudio } from './deepgram-audio.js';
import { Configuration } from './deepgram-configure.js';
import { IdleTimer } from './deepgram-idle.js';
import {
  type ListenAnswer,
  type ListenMessage,
  parseListenMessage,
  SchemaError,
} from './deepgram-messages.js';
import { openAudio } from './deepgram-opus.js';
import type { ListenOptions } from './deepgram-query.js';
import { toStart } from './deepgram-start.js';
import { Gate } from './gate.js';

export interface ListenRequest {
  readonly requestId: string;
  readonly options: ListenOptions;
  readonly created: Date;
}

export interface ListenConnectionOptions {
  /** Without audio or a message for this long, the connection is closed. */
  readonly idleMs: number;
}

/** Ids of what is asked of the session: whose answer an answer is. */
const FINALIZE = 'finalize';
const CONFIGURE = 'configure';
const MARK = 'utterance';

/** Close code of RFC 6455 that Deepgram uses for its NET errors. */
const NET_ERROR = 1011;
/** And that for audio which cannot be decoded. */
const DATA_ERROR = 1008;

/** How much of a message that could not be read is shown to its sender. */
const MAX_QUOTED_CHARS = 200;

/**
 * A Deepgram client's end, translated to a native session and back: audio, limits, backpressure and faults are the
 * session's. What comes behind CloseStream is dropped, since the answers to it are under way.
 */
export class ListenConnection implements Connection {
  readonly #socket: Socket;
  readonly #request: ListenRequest;
  readonly #environment: ConnectionEnvironment;
  readonly #audio: ListenAudio;
  readonly #answers: ListenAnswers;
  readonly #configuration: Configuration;
  readonly #session: Session;
  readonly #idle: IdleTimer;
  /** Shut until audio can be decoded. */
  readonly #gate: Gate;
  #ending = false;
  #closed = false;
  #overflowed = false;
  /** What the session is being asked at this moment: an error without an id is about that. */
  #asking: string | undefined;

  constructor(
    socket: Socket,
    request: ListenRequest,
    environment: ConnectionEnvironment,
    { idleMs }: ListenConnectionOptions,
  ) {
    const { options, requestId } = request;
    const send = (answer: ListenAnswer): void => this.#send(answer);
    this.#socket = socket;
    this.#request = request;
    this.#environment = environment;
    this.#audio = openAudio(options, environment.limits);
    this.#answers = new ListenAnswers({ requestId, options, format: this.#audio.format, send });
    this.#configuration = new Configuration({
      requestId,
      limits: environment.limits,
      send,
      replace: (replace) => this.#ask({ type: 'vocabulary.update', id: CONFIGURE, replace }),
    });
    this.#idle = new IdleTimer(idleMs, () => {
      const seconds = idleMs / 1000;
      this.#leave(NET_ERROR, `NET-0001: neither audio nor KeepAlive came within ${seconds} seconds.`);
    });
    this.#gate = new Gate(socket, this.#audio.ready, {
      maxBytes: environment.limits.maxInputBytes,
      failed: (error) => this.#session.fail(error),
    });
    this.#session = new Session(this.#inner(), environment);
    this.#ask(toStart(options, this.#audio.format), 'start');
  }

  text(text: string): void {
    this.#gate.pass(text.length, () => this.#text(text));
  }

  binary(bytes: Uint8Array): void {
    this.#gate.pass(bytes.length, () => this.#binary(bytes));
  }

  #text(text: string): void {
    this.#guard(() => {
      const { maxFrameBytes } = this.#environment.limits;
      if (text.length > maxFrameBytes) {
        const message = `A frame has ${text.length} bytes; send at most ${maxFrameBytes}.`;
        throw new ProtocolError('frame_too_large', message);
      }
      this.#message(this.#parse(text));
    });
  }

  #binary(bytes: Uint8Array): void {
    this.#guard(() => {
      // how streams were ended before there was CloseStream
      if (bytes.length === 0) {
        this.#end();
        return;
      }
      this.#session.binary(this.#audio.push(bytes));
      if (this.#answers.wantsMark(this.#audio.samples)) this.#ask({ type: 'mark', id: MARK });
    });
  }

  fail(error: ProtocolError): void {
    this.#session.fail(error);
  }

  disconnected(): void {
    this.#release();
    this.#session.disconnected();
  }

  shutDown(): void {
    this.#session.shutDown();
  }

  #guard(action: () => void): void {
    if (this.#closed || this.#ending) return;
    this.#idle.restart();
    try {
      action();
    } catch (thrown) {
      if (thrown instanceof AudioFormatError) {
        this.#undecodable(thrown);
        return;
      }
      const error = fromUnknown(thrown);
      if (error.fatal) this.#session.fail(error);
      else this.#report(error.toMessage());
    }
  }

  /** The whole sentence, and then as much of it as a close reason holds. */
  #undecodable({ message }: AudioFormatError): void {
    this.#send({ type: 'Error', variant: 'DATA-0000', description: message });
    this.#leave(DATA_ERROR, `DATA-0000: ${message}`);
  }

  #parse(text: string): ListenMessage | undefined {
    try {
      return parseListenMessage(text);
    } catch (thrown) {
      if (!(thrown instanceof SchemaError)) throw thrown;
      const message = text.slice(0, MAX_QUOTED_CHARS);
      this.#send({ type: 'Error', variant: 'SchemaError', description: thrown.message, message });
      return undefined;
    }
  }

  #message(message: ListenMessage | undefined): void {
    switch (message?.type) {
      case undefined:
        return;
      case 'KeepAlive':
        // no samples: the session's own patience begins anew, and nothing else happens
        this.#session.binary(new Uint8Array());
        return;
      case 'Finalize':
        this.#finalize(message.channel);
        return;
      case 'Configure':
        this.#configuration.configure(message);
        return;
      case 'CloseStream':
        this.#end();
    }
  }

  #finalize(channel: number | undefined): void {
    const { channels } = this.#audio.format;
    // the session decides all channels at once, and would cut the other speaker's words
    if (channel !== undefined && !(channel === 0 && channels === 1)) {
      throw new ProtocolError(
        'invalid_message',
        `Finalize of channel ${channel} alone is not offered; leave "channel" out.`,
      );
    }
    this.#ask({ type: 'flush', id: FINALIZE });
  }

  #end(): void {
    this.#ending = true;
    this.#idle.stop();
    this.#ask({ type: 'stop' });
  }

  #ask(message: ClientMessage, asking = 'id' in message ? message.id : undefined): void {
    this.#asking = asking;
    this.#session.text(JSON.stringify(message));
    this.#asking = undefined;
  }

  #answer(message: ServerMessage): void {
    switch (message.type) {
      case 'ready':
        this.#answers.ready(message.model);
        this.#configuration.started(message.vocabulary?.rejected ?? []);
        return;
      case 'partial':
        this.#answers.partial(message);
        return;
      case 'final':
        this.#answers.final(message);
        return;
      case 'flushed':
        this.#answers.flushed(message);
        return;
      case 'mark':
        this.#answers.marked(message);
        return;
      case 'vocabulary.applied':
        this.#configuration.applied(message);
        return;
      case 'stopped':
        this.#stopped(message);
        return;
      case 'error':
        this.#error(message);
    }
  }

  #stopped(message: StoppedMessage): void {
    this.#answers.stopped(message);
    const { model_uuid, model_info } = this.#answers.metadata!;
    const { warnings } = this.#configuration;
    this.#send({
      type: 'Metadata',
      transaction_key: 'deprecated',
      request_id: this.#request.requestId,
      sha256: this.#audio.sha256(),
      created: this.#request.created.toISOString(),
      duration: message.audioSeconds,
      channels: this.#audio.format.channels,
      models: [model_uuid],
      model_info: { [model_uuid]: model_info },
      ...(warnings.length > 0 && { warnings }),
    });
  }

  #error(error: ErrorMessage): void {
    const about = error.id ?? this.#asking;
    if (error.fatal) this.#report(error);
    else if (about === CONFIGURE) this.#configuration.refused(error);
    else if (about === MARK) this.#answers.markRefused();
    else if (about === 'start') {
      // no second start will come
      this.#report(error);
      this.#leave(new ProtocolError(error.code, error.message).closeCode, error.message);
    } else this.#report(error);
  }

  #report({ code, message }: Pick<ErrorMessage, 'code' | 'message'>): void {
    this.#send({ type: 'Error', variant: code, description: message });
  }

  /** Bounded as the session's own output is: not all answers come from there. */
  #send(answer: ListenAnswer): void {
    this.#socket.send(JSON.stringify(answer));
    const { bufferedBytes } = this.#socket;
    const { maxOutputBytes } = this.#environment.limits;
    if (bufferedBytes <= maxOutputBytes || this.#overflowed) return;
    this.#overflowed = true;
    const message = `${bufferedBytes} bytes wait to be read, more than the ${maxOutputBytes} allowed; read faster.`;
    this.#session.fail(new ProtocolError('slow_consumer', message));
  }

  /** The session's socket: what it says is translated, what it may hold back is the client's. */
  #inner(): Socket {
    const outer = this.#socket;
    return {
      send: (text) => this.#answer(JSON.parse(text) as ServerMessage),
      close: (code, reason) => this.#close(code, code === NORMAL_CLOSURE ? '' : reason),
      setPaused: (paused) => {
        this.#idle.paused = paused;
        this.#gate.setPaused(paused);
      },
      get bufferedBytes() {
        return outer.bufferedBytes;
      },
    };
  }

  #leave(code: number, reason: string): void {
    this.#session.disconnected();
    this.#close(code, reason);
  }

  #close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#release();
    this.#socket.close(code, closeReason(reason));
  }

  #release(): void {
    this.#closed = true;
    this.#idle.stop();
    this.#audio.close();
  }
}
