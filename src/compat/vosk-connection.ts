import { closeReason, fromUnknown, NORMAL_CLOSURE, ProtocolError } from '../protocol/errors.js';
import type { ClientMessage, ErrorMessage, ServerMessage } from '../protocol/messages.js';
import type { Connection, ConnectionEnvironment } from '../session/endpoint.js';
import type { RecogniserFactory } from '../session/recogniser.js';
import { Session } from '../session/session.js';
import type { Socket } from '../session/socket.js';
import { innerSocket } from './inner-socket.js';
import { type Answer, VoskReplies } from './vosk-replies.js';
import { type PhraseListNote, type VoskReply, voskResult } from './vosk-reply.js';
import { parseVoskRequest, type VoskConfig } from './vosk-request.js';
import { watched } from './watched-recognisers.js';

/** `options.nBest` of the native protocol goes no further. */
const MAX_ALTERNATIVES = 10;

/** On top of what the recogniser needs to hear: what the resampler holds back, and the way to the client and back. */
const MARGIN_SECONDS = 0.5;

/**
 * A vosk client's end, translated to a native session and back. The session starts with the first audio, when the
 * rate and the number of alternatives are certain.
 */
export class VoskConnection implements Connection {
  readonly #socket: Socket;
  readonly #environment: ConnectionEnvironment;
  readonly #session: Session;
  #config: Required<Omit<VoskConfig, 'phrases'>>;
  /** Waits for the first audio. */
  #phrases: readonly string[] | undefined;
  /** From the first audio on. */
  #replies: VoskReplies | undefined;
  #note: PhraseListNote | undefined;
  #lists = 0;
  #ended = false;
  #closed = false;
  /** Samples received. */
  #received = 0;
  /** The last byte of a frame that ended within a sample. */
  #half: Uint8Array = new Uint8Array(0);

  constructor(socket: Socket, environment: ConnectionEnvironment, sampleRate: number) {
    this.#socket = socket;
    this.#environment = environment;
    this.#config = { sampleRate, words: true, maxAlternatives: 0 };
    const inner = innerSocket(socket, {
      message: (message) => this.#message(message),
      close: (code, reason) => this.#close(code, reason),
    });
    const { recognisers, limits } = environment;
    this.#session = new Session(inner, {
      recognisers: watched(recognisers, (sample) => this.#replies?.progress(sample)),
      // clients may take their time before the audio: nothing asks them to send something at once
      limits: { ...limits, startSeconds: limits.idleSeconds },
    });
  }

  text(text: string): void {
    this.#guard(() => {
      this.#checkSize(text.length);
      const request = parseVoskRequest(text);
      if (request.type === 'config') this.#configure(request.config);
      else if (request.type === 'reset') this.#reset();
      else this.#eof();
    });
  }

  binary(bytes: Uint8Array): void {
    this.#guard(() => {
      this.#checkSize(bytes.length);
      const replies = this.#replies ?? this.#start();
      const samples = this.#wholeSamples(bytes);
      this.#received += samples.length / 2;
      this.#session.binary(samples);
      replies.audioAsked(this.#received);
    });
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

  /** What comes after eof has no one to answer it, as with vosk-server. */
  #guard(action: () => void): void {
    if (this.#closed || this.#ended) return;
    try {
      action();
    } catch (thrown) {
      this.#fail(fromUnknown(thrown));
    }
  }

  #checkSize(size: number): void {
    const { maxFrameBytes } = this.#environment.limits;
    if (size <= maxFrameBytes) return;
    throw new ProtocolError(
      'frame_too_large',
      `A frame has ${size} bytes; send at most ${maxFrameBytes}, audio in packets of about 200 ms.`,
    );
  }

  #configure({ phrases, ...changes }: VoskConfig): void {
    if (this.#replies !== undefined) this.#refuseLateChanges(changes);
    this.#config = { ...this.#config, ...changes };
    if (phrases === undefined) return;
    if (this.#replies === undefined) this.#phrases = phrases;
    else this.#sendPhrases(phrases);
  }

  #refuseLateChanges({ sampleRate = this.#config.sampleRate, maxAlternatives = 0 }: VoskConfig): void {
    if (sampleRate !== this.#config.sampleRate) {
      throw new ProtocolError(
        'invalid_message',
        `sample_rate changes from ${this.#config.sampleRate} to ${sampleRate} behind the first audio; open another connection.`,
      );
    }
    if (maxAlternatives > Math.max(1, this.#config.maxAlternatives)) {
      throw new ProtocolError(
        'invalid_message',
        `max_alternatives rises to ${maxAlternatives} behind the first audio; send it before.`,
      );
    }
  }

  #start(): VoskReplies {
    const { sampleRate, maxAlternatives } = this.#config;
    const replies = new VoskReplies({
      sampleRate,
      heldBackSeconds: heldBackSeconds(this.#environment.recognisers),
      answer: (answer) => this.#answer(answer),
    });
    this.#replies = replies;
    this.#say({
      type: 'start',
      audio: { encoding: 's16le', sampleRate, channels: 1 },
      options: { nBest: Math.max(1, Math.min(maxAlternatives, MAX_ALTERNATIVES)) },
    });
    if (this.#phrases !== undefined) this.#sendPhrases(this.#phrases);
    return replies;
  }

  #sendPhrases(phrases: readonly string[]): void {
    this.#say({ type: 'vocabulary.update', id: `phrases-${++this.#lists}`, replace: [...phrases] });
  }

  #reset(): void {
    if (this.#replies === undefined) {
      this.#answer({ is: 'result', finals: [] });
      return;
    }
    this.#replies.resetAsked();
    this.#say({ type: 'flush' });
  }

  #eof(): void {
    this.#ended = true;
    if (this.#replies === undefined) {
      this.#answer({ is: 'result', finals: [] });
      this.#session.disconnected();
      this.#close(NORMAL_CLOSURE, '');
      return;
    }
    this.#replies.eofAsked();
    this.#say({ type: 'stop' });
  }

  /** Frames of any size, also one that ends within a sample: the next begins with the rest of it. */
  #wholeSamples(bytes: Uint8Array): Uint8Array {
    const joined = this.#half.length === 0 ? bytes : Buffer.concat([this.#half, bytes]);
    const whole = joined.length - (joined.length % 2);
    this.#half = joined.slice(whole);
    return joined.subarray(0, whole);
  }

  #say(message: ClientMessage): void {
    this.#session.text(JSON.stringify(message));
  }

  #message(message: ServerMessage): void {
    const replies = this.#replies;
    if (message.type === 'error') this.#error(message);
    else if (message.type === 'vocabulary.applied') {
      this.#note = { entries: message.entries, rejected: message.rejected };
    } else if (message.type === 'partial') replies?.partial(message.text);
    else if (message.type === 'final') replies?.final(message);
    else if (message.type === 'flushed') replies?.flushed(message.sample);
    else if (message.type === 'stopped') replies?.stopped();
  }

  /** A list that is refused leaves the one before it in force, and the call goes on; all else ends the connection. */
  #error({ id, code, message }: ErrorMessage): void {
    if (id !== undefined) this.#note = { error: message };
    else if (code === 'idle_timeout' && this.#replies === undefined) {
      const { idleSeconds } = this.#environment.limits;
      this.#fail(new ProtocolError(code, `No audio came for ${idleSeconds} seconds; connect again.`));
    } else this.#fail(new ProtocolError(code, message));
  }

  #answer(answer: Answer): void {
    if (this.#closed) return;
    const told = answer.is === 'partial' ? { partial: answer.text } : voskResult(answer.finals, this.#config);
    const note = this.#note;
    this.#note = undefined;
    const reply: VoskReply = { ...told, ...(note !== undefined && { phrase_list: note }) };
    this.#socket.send(JSON.stringify(reply));
    const { maxOutputBytes } = this.#environment.limits;
    if (this.#socket.bufferedBytes > maxOutputBytes) {
      this.#fail(
        new ProtocolError(
          'slow_consumer',
          `${this.#socket.bufferedBytes} bytes of replies wait to be read, more than the ${maxOutputBytes} allowed; read a reply for each frame.`,
        ),
      );
    }
  }

  /** vosk-server has no errors but the end of the connection: a client sees that at least, and why if it looks. */
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

/**
 * Twice the latency: it is heard before a stretch is decided, and what was found in a stretch is certain to have come
 * only with the progress of the next, which is no longer than that.
 */
function heldBackSeconds({ description }: RecogniserFactory): number {
  const { latencies, frameSamples, sampleRate } = description;
  const { chunkFrames, lookaheadFrames } = latencies[0]!;
  return (2 * (chunkFrames + lookaheadFrames) * frameSamples) / sampleRate + MARGIN_SECONDS;
}
