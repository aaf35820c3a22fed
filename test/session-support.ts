import { Subject } from 'rxjs';
import type { EncoderDescription } from '../src/encoder/runtime.js';
import type { SessionObserver } from '../src/observability/session-event.js';
import type { ErrorMessage, ServerMessage } from '../src/protocol/messages.js';
import { parseServerMessage } from '../src/protocol/validate.js';
import { DEFAULT_LIMITS, type SessionLimits } from '../src/session/limits.js';
import type {
  Recogniser,
  RecogniserCommand,
  RecogniserConfig,
  RecogniserEvent,
  RecogniserFactory,
} from '../src/session/recogniser.js';
import { Session } from '../src/session/session.js';
import type { Socket } from '../src/session/socket.js';

export const DESCRIPTION: EncoderDescription = {
  name: 'fake',
  version: '1',
  sampleRate: 16_000,
  frameSamples: 640,
  pieces: ['▁a'],
  blank: 1,
  phones: [''],
  tapWidths: [],
  latencies: [
    { chunkFrames: 8, lookaheadFrames: 8 },
    { chunkFrames: 2, lookaheadFrames: 2 },
  ],
  stateBytes: 0,
};

/** A recogniser that does nothing by itself: tests read what it was told and say what happens. */
export class FakeRecogniser implements Recogniser {
  readonly vocabulary = { version: 1, hash: 'x', entries: 1, sample: 0, buildMs: 0, rejected: [] };
  readonly commands: RecogniserCommand[] = [];
  readonly happened = new Subject<RecogniserEvent>();
  readonly events = this.happened.asObservable();
  closed = false;

  send(command: RecogniserCommand): void {
    this.commands.push(command);
  }

  close(): void {
    this.closed = true;
  }
}

export interface Conversation {
  readonly session: Session;
  readonly recogniser: FakeRecogniser;
  readonly configs: RecogniserConfig[];
  /** Messages sent so far, each checked against the schema. */
  readonly sent: ServerMessage[];
  /** Close codes and reasons. */
  readonly closes: { readonly code: number; readonly reason: string }[];
  readonly pauses: boolean[];
  /** Lets what was awaited inside happen. */
  settle(): Promise<void>;
  say(message: unknown): void;
}

/** A session over an object literal instead of a socket. */
export function converse(
  limits: Partial<SessionLimits> = {},
  {
    bufferedBytes = () => 0,
    open,
    now,
    watch,
  }: {
    bufferedBytes?: () => number;
    open?: RecogniserFactory['open'];
    now?: () => number;
    watch?: () => SessionObserver;
  } = {},
): Conversation {
  const sent: ServerMessage[] = [];
  const closes: { code: number; reason: string }[] = [];
  const pauses: boolean[] = [];
  const configs: RecogniserConfig[] = [];
  const recogniser = new FakeRecogniser();
  const socket: Socket = {
    send: (text) => sent.push(parseServerMessage(text)),
    close: (code, reason) => closes.push({ code, reason }),
    setPaused: (paused) => pauses.push(paused),
    get bufferedBytes() {
      return bufferedBytes();
    },
  };
  const recognisers: RecogniserFactory = {
    description: DESCRIPTION,
    open:
      open ??
      (async (config) => {
        configs.push(config);
        return recogniser;
      }),
  };
  const session = new Session(socket, {
    recognisers,
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...(now !== undefined && { now }),
    ...(watch !== undefined && { watch }),
  });
  return {
    session,
    recogniser,
    configs,
    sent,
    closes,
    pauses,
    settle: async () => {
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
    say: (message) => {
      session.text(JSON.stringify(message));
    },
  };
}

/** A conversation whose session is open. */
export async function started(...args: Parameters<typeof converse>): Promise<Conversation> {
  const conversation = converse(...args);
  conversation.say(START);
  await conversation.settle();
  return conversation;
}

export function errors(sent: readonly ServerMessage[]): ErrorMessage[] {
  return sent.filter((message) => message.type === 'error');
}

export const START = { type: 'start', audio: { encoding: 's16le', sampleRate: 16_000, channels: 1 } };
