import { type DeepgramOptions, deepgramEndpoint } from '../src/compat/deepgram.js';
import type { ListenAnswer } from '../src/compat/deepgram-messages.js';
import type { FinalMessage, FinalReason, PartialMessage, Word } from '../src/protocol/messages.js';
import type { Connection, ConnectionRequest, Handshake } from '../src/session/endpoint.js';
import { DEFAULT_LIMITS, type SessionLimits } from '../src/session/limits.js';
import type { RecogniserCommand, RecogniserConfig, RecogniserFactory } from '../src/session/recogniser.js';
import { DESCRIPTION, FakeRecogniser } from './session-support.js';

export const RATE = 16_000;
export const LINEAR16 = `encoding=linear16&sample_rate=${RATE}`;

export interface ListenTalk {
  /** As the handshake tells it. */
  readonly requestId: string;
  readonly connection: Connection;
  readonly recogniser: FakeRecogniser;
  readonly configs: RecogniserConfig[];
  readonly sent: ListenAnswer[];
  readonly closes: { readonly code: number; readonly reason: string }[];
  readonly pauses: boolean[];
  say(message: unknown): void;
  /** Silence; the fake hears what it is told. */
  audio(seconds: number, channels?: number): void;
  /** Answers of one type. */
  all<T extends ListenAnswer['type']>(type: T): Extract<ListenAnswer, { type: T }>[];
}

export interface ListenTalkOptions extends DeepgramOptions {
  readonly limits?: Partial<SessionLimits>;
  readonly bufferedBytes?: () => number;
  readonly recogniser?: FakeRecogniser;
}

export function request(query: string, changes: Partial<ConnectionRequest> = {}): ConnectionRequest {
  return { url: new URL(`http://gateway/v1/listen?${query}`), headers: {}, protocols: [], ...changes };
}

/** What a handshake is answered, the body of a refusal read. */
export function shake(
  asked: ConnectionRequest,
  options: DeepgramOptions = {},
): Handshake & { readonly error?: Readonly<Record<string, string>> } {
  const recognisers = { description: DESCRIPTION, open: async () => new FakeRecogniser() };
  const handshake = deepgramEndpoint({ recognisers, limits: DEFAULT_LIMITS }, options).handshake(asked);
  return handshake.accept ? handshake : { ...handshake, error: JSON.parse(handshake.message) };
}

/** A stream over an object literal instead of a socket, its recogniser open. */
export async function listen(
  query: string,
  { limits, bufferedBytes = () => 0, recogniser = new FakeRecogniser(), ...rest }: ListenTalkOptions = {},
): Promise<ListenTalk> {
  const sent: ListenAnswer[] = [];
  const closes: { code: number; reason: string }[] = [];
  const pauses: boolean[] = [];
  const configs: RecogniserConfig[] = [];
  const recognisers: RecogniserFactory = {
    description: DESCRIPTION,
    open: async (config) => {
      configs.push(config);
      return recogniser;
    },
  };
  const endpoint = deepgramEndpoint({ recognisers, limits: { ...DEFAULT_LIMITS, ...limits } }, rest);
  const asked = request(query);
  const handshake = endpoint.handshake(asked);
  if (!handshake.accept) throw new Error(handshake.message);
  const connection = endpoint.connect(
    {
      send: (text) => sent.push(JSON.parse(text) as ListenAnswer),
      close: (code, reason) => closes.push({ code, reason }),
      setPaused: (paused) => pauses.push(paused),
      get bufferedBytes() {
        return bufferedBytes();
      },
    },
    asked,
  );
  for (let i = 0; i < 5; i++) await Promise.resolve();
  return {
    requestId: handshake.headers!['dg-request-id']!,
    connection,
    recogniser,
    configs,
    sent,
    closes,
    pauses,
    say: (message) => connection.text(JSON.stringify(message)),
    audio: (seconds, channels = 1) => connection.binary(new Uint8Array(seconds * RATE * 2 * channels)),
    all: <T extends ListenAnswer['type']>(type: T) =>
      sent.filter((answer): answer is Extract<ListenAnswer, { type: T }> => answer.type === type),
  };
}

/** Words at given times in seconds: `[['hello', 0.2, 0.5]]`. */
export type Said = readonly (readonly [word: string, start: number, end: number])[];

function words(said: Said): Word[] {
  return said.map(([word, start, end]) => ({
    word,
    start,
    end,
    startSample: start * RATE,
    endSample: end * RATE,
    confidence: 0.9,
  }));
}

/** What a recogniser hears. */
export function final(reason: FinalReason, said: Said, { segment = 0, channel = 0 } = {}): FinalMessage {
  const heard = words(said);
  const start = heard[0]!.start;
  const end = heard.at(-1)!.end;
  const samples = { startSample: start * RATE, endSample: end * RATE };
  const text = heard.map(({ word }) => word).join(' ');
  return { type: 'final', channel, segment, start, end, ...samples, text, words: heard, reason };
}

export function partial(said: Said, { segment = 0, channel = 0 } = {}): PartialMessage {
  const { start, end, text, words: heard } = final('endpoint', said, { segment, channel });
  return { type: 'partial', channel, segment, start, end, text, committed: '', tail: text, words: heard };
}

export function flushed(seconds: number): { type: 'flushed'; id: string; sample: number } {
  return { type: 'flushed', id: 'finalize', sample: seconds * RATE };
}

export function stopped(seconds: number): {
  type: 'stopped';
  audioSeconds: number;
  samples: number;
  segments: number;
  words: number;
  vocabularyVersion: number;
} {
  return {
    type: 'stopped',
    audioSeconds: seconds,
    samples: seconds * RATE,
    segments: 0,
    words: 0,
    vocabularyVersion: 0,
  };
}

/** What a recogniser was told, without the audio. */
export function asked({ recogniser }: ListenTalk): RecogniserCommand[] {
  return recogniser.commands.filter(({ type }) => type !== 'audio');
}
