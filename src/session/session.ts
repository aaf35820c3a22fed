import { randomUUID } from 'node:crypto';
import { bytesPerFrame } from '../audio/decode.js';
import type { Latency } from '../encoder/runtime.js';
import { NOBODY_WATCHES, type SessionObserver } from '../observability/session-event.js';
import { closeReason, fromUnknown, NORMAL_CLOSURE, ProtocolError } from '../protocol/errors.js';
import type {
  ClientMessage,
  ReadyMessage,
  ResumeMessage,
  ServerMessage,
  StartMessage,
} from '../protocol/messages.js';
import { parseClientMessage } from '../protocol/validate.js';
import { Answers, listBuilt } from './answers.js';
import { Continuity } from './continuity.js';
import { Course } from './course.js';
import type { Connection, ConnectionEnvironment } from './endpoint.js';
import { Intake } from './intake.js';
import { Outbox } from './outbox.js';
import type { Recogniser } from './recogniser.js';
import { Requests } from './requests.js';
import { notResumable } from './resumption.js';
import type { Socket } from './socket.js';
import { chooseLatency, latencyMs, readyMessage, toCommand, toConfig } from './start.js';
import { Timeouts } from './timeouts.js';

/**
 * One connection's conversation, from `start` to `stopped`, without knowing what carries it. Invariants:
 * 1. Commands reach the recogniser in the order in which the client sent them.
 * 2. Every flush, mark and update is answered once, and after `stop` nothing follows but what was asked before it.
 * 3. A message that is refused changes nothing.
 * 4. Nothing is sent once the session is closed.
 */
export class Session implements Connection {
  readonly id = randomUUID();
  readonly #continuity: Continuity;
  readonly #options: ConnectionEnvironment;
  readonly #observe: SessionObserver;
  readonly #course: Course;
  readonly #outbox: Outbox;
  readonly #requests: Requests;
  readonly #now: () => number;
  /** What `start` settles. */
  #stream:
    | {
        readonly start: StartMessage;
        readonly latency: Latency;
        readonly intake: Intake;
        readonly answers: Answers;
      }
    | undefined;
  readonly #timeouts: Timeouts;

  constructor(socket: Socket, options: ConnectionEnvironment) {
    this.#continuity = new Continuity(socket, options.limits);
    this.#options = options;
    this.#observe = options.watch?.() ?? NOBODY_WATCHES;
    this.#now = options.now ?? (() => performance.now());
    this.#requests = new Requests(options.limits, this.#now);
    this.#course = new Course({
      opened: (recogniser) => this.#opened(recogniser),
      event: (event) => this.#stream!.answers.event(event),
      failed: (reason) => this.#fail(fromUnknown(reason)),
    });
    this.#outbox = new Outbox({
      socket: this.#continuity.line,
      limits: options.limits,
      lagMs: () => this.#stream?.intake.lagMs ?? 0,
      decodedMs: () => this.#stream?.intake.decodedMs ?? 0,
      overflow: (bytes) => this.#overflow(bytes),
      observe: this.#observe,
    });
    this.#timeouts = new Timeouts({
      limits: options.limits,
      paused: () => this.#stream?.intake.paused ?? false,
      expired: (error) => this.#fail(error),
    });
  }

  get closed(): boolean {
    return this.#course.closed;
  }

  /** A text frame. */
  text(text: string): void {
    this.#guard(() => {
      let counts = this.#stream !== undefined;
      try {
        this.#checkSize(text.length);
        const message = parseClientMessage(text);
        if (message.type === 'ack') counts = false;
        this.#message(message, text.length);
      } finally {
        // refused or not: the client counts what it sent
        if (counts) this.#continuity.requestArrived();
      }
    });
  }

  /** A binary frame; the session owns the bytes. */
  binary(bytes: Uint8Array): void {
    this.#guard(() => {
      this.#checkSize(bytes.length);
      this.#audioFrame(bytes);
    });
  }

  /**
   * The connection is gone, whoever closed it.
   * @param cut nobody closed it: the client may come back over another
   */
  disconnected(cut = false): void {
    if (!cut || this.closed || !this.#continuity.offered) {
      this.#leave();
      return;
    }
    this.#timeouts.rest();
    this.#observe({ type: 'suspended' });
    this.#continuity.suspend(() => this.#leave());
    this.#options.resumption?.suspended(this);
  }

  /** Whether what comes over a socket is meant for this session. */
  uses(socket: Socket): boolean {
    return this.#continuity.line.uses(socket);
  }

  /**
   * Goes on over another connection.
   * @param seq of the last message that the client has received
   * @throws ProtocolError `not_resumable`; then nothing has changed
   */
  resume(socket: Socket, seq: number): void {
    this.#continuity.resume(this.id, socket, seq, this.#stream!.intake.received);
    this.#observe({ type: 'resumed' });
    if (this.#course.stopped) this.#continuity.line.close(NORMAL_CLOSURE, 'stopped');
    else this.#timeouts.heard();
  }

  /** Tells the client and ends the session. */
  shutDown(): void {
    this.#fail(new ProtocolError('shutting_down', 'The server is shutting down; connect again in a moment.'));
  }

  /** Something outside the protocol's messages went wrong with the connection. */
  fail(error: ProtocolError): void {
    this.#fail(error);
  }

  #guard(action: () => void): void {
    if (this.closed || this.#course.stopped) return;
    this.#timeouts.heard();
    try {
      action();
    } catch (thrown) {
      this.#report(fromUnknown(thrown));
    }
  }

  #checkSize(size: number): void {
    const { maxFrameBytes } = this.#options.limits;
    if (size > maxFrameBytes) {
      throw new ProtocolError(
        'frame_too_large',
        `A frame has ${size} bytes; send at most ${maxFrameBytes}, audio in packets of about 100 ms.`,
      );
    }
  }

  #message(message: ClientMessage, size: number): void {
    if (message.type === 'start') {
      this.#start(message);
      return;
    }
    if (message.type === 'resume') {
      this.#resumeAnother(message);
      return;
    }
    // also behind a "stop", whose answers are to be acknowledged too
    if (message.type === 'ack') {
      this.#continuity.received(message.seq);
      return;
    }
    const id = 'id' in message ? message.id : undefined;
    this.#course.requireStarted(`"${message.type}"`, id);
    if (message.type === 'stop') {
      this.#course.stop();
      return;
    }
    this.#requests.asked(message.type, id);
    if (message.type === 'vocabulary.update') {
      const command = toCommand(message);
      if (command.at === 'now') this.#stream!.intake.updateReceived(size);
      else this.#requests.scheduled(message.id, size);
      this.#observe({ type: 'updateAsked', id: message.id });
      this.#course.whenStreaming((recogniser) => {
        recogniser.send(command);
      });
    } else {
      const boundary = { type: message.type, ...(id !== undefined && { id }) };
      this.#course.whenStreaming((recogniser) => {
        recogniser.send({ type: 'boundary', boundary });
      });
    }
  }

  /** This session makes room on its connection for the one that is meant. */
  #resumeAnother(message: ResumeMessage): void {
    this.#course.requireNew();
    const { resumption } = this.#options;
    if (resumption === undefined)
      throw notResumable(message.sessionId, 'sessions end with their connection here');
    resumption.resume(message);
  }

  #start(message: StartMessage): void {
    this.#course.requireNew();
    const { description } = this.#options.recognisers;
    const latency = chooseLatency(message.options?.latencyMs, description);
    const config = toConfig(message, latency, this.#options.limits);
    this.#observe({
      type: 'started',
      sessionId: this.id,
      ...message.audio,
      latencyMs: latencyMs(latency, description),
      entries: config.vocabulary.length,
    });
    const intake = new Intake({
      audio: message.audio,
      latencyMs: latencyMs(latency, description),
      limits: this.#options.limits,
      now: this.#now,
      setPaused: (paused, limit) => {
        if (paused) this.#observe({ type: 'paused', limit });
        this.#continuity.line.setPaused(paused);
      },
    });
    const answers = new Answers({
      sessionId: this.id,
      intake,
      requests: this.#requests,
      observe: this.#observe,
      send: (answer) => this.#send(answer),
      report: (error) => this.#report(error),
      finished: () => this.#finish(),
    });
    this.#stream = { start: message, latency, intake, answers };
    this.#course.begin(this.#options.recognisers.open(config));
  }

  #opened({ vocabulary }: Recogniser): void {
    const { start, latency } = this.#stream!;
    const { limits, recognisers } = this.#options;
    this.#observe({ type: 'opened', ...listBuilt(vocabulary) });
    this.#send({
      ...readyMessage(this.id, recognisers.description, latency, limits),
      ...(start.vocabulary !== undefined && { vocabulary }),
      ...(start.options?.resumable === true && this.#resumeTerms()),
    });
  }

  #resumeTerms(): Pick<ReadyMessage, 'resume'> {
    const { limits, resumption } = this.#options;
    if (resumption === undefined || limits.resumeSeconds === 0) return {};
    return this.#continuity.offer(resumption.opened(this));
  }

  #audioFrame(bytes: Uint8Array): void {
    this.#course.requireStarted('audio', undefined);
    const { intake, start } = this.#stream!;
    const { audio } = start;
    const { encoding, channels } = audio;
    const frameBytes = bytesPerFrame({ encoding, channels });
    if (bytes.length % frameBytes !== 0) {
      throw new ProtocolError(
        'odd_byte_count',
        `An audio frame has ${bytes.length} bytes, not a multiple of ${frameBytes} (${encoding}, ${channels} channel${channels === 2 ? 's' : ''}); it was dropped. Send whole samples of all channels.`,
      );
    }
    if (bytes.length === 0) return;
    const samples = bytes.length / frameBytes;
    intake.audioReceived(samples);
    this.#observe({ type: 'received', seconds: samples / audio.sampleRate });
    this.#course.whenStreaming((recogniser) => {
      recogniser.send({ type: 'audio', bytes });
    });
    this.#continuity.audioArrived(intake.received, audio.sampleRate);
  }

  #report(error: ProtocolError): void {
    if (error.fatal) this.#fail(error);
    else this.#tell(error);
  }

  /** The full text goes in a frame; a close reason holds only 123 bytes. */
  #fail(error: ProtocolError): void {
    if (this.closed) return;
    this.#tell(error);
    this.#close(error.closeCode, error.message);
  }

  #tell(error: ProtocolError): void {
    const { code, cause, message } = error;
    this.#observe({ type: 'error', code, ...(code === 'internal' && { cause: cause ?? message }) });
    this.#send(error.toMessage());
  }

  #send(message: ServerMessage): void {
    if (this.closed || this.#course.stopped) return;
    this.#outbox.send(this.#continuity.note(message));
  }

  #overflow(bytes: number): void {
    const { maxOutputBytes } = this.#options.limits;
    this.#fail(
      new ProtocolError(
        'slow_consumer',
        `${bytes} bytes wait to be read, more than the ${maxOutputBytes} allowed; read faster or ask for fewer partials.`,
      ),
    );
  }

  #close(code: number, reason: string): void {
    if (this.closed) return;
    this.#leave(code);
    this.#continuity.line.close(code, closeReason(reason));
  }

  /** The last message is on its way. Who loses the connection before it has come may come back for it. */
  #finish(): void {
    if (!this.#continuity.offered) this.#close(NORMAL_CLOSURE, 'stopped');
    else {
      this.#rest();
      this.#course.finish();
      this.#continuity.line.close(NORMAL_CLOSURE, 'stopped');
    }
  }

  #leave(code?: number): void {
    const last = this.#course.stopped ? NORMAL_CLOSURE : code;
    if (!this.closed) this.#observe({ type: 'closed', code: last });
    this.#continuity.stop();
    this.#options.resumption?.ended(this);
    this.#rest();
    this.#course.close();
  }

  /** Lets go of what only an open session needs. */
  #rest(): void {
    this.#timeouts.stop();
    this.#outbox.stop();
    this.#stream?.intake.stop();
  }
}
