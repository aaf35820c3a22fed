/** The native endpoint without a network: connections that a test makes, cuts and resumes. */
import type { WatchSessions } from '../src/observability/session-event.js';
import type { ServerMessage } from '../src/protocol/messages.js';
import { parseServerMessage } from '../src/protocol/validate.js';
import type { Connection } from '../src/session/endpoint.js';
import { DEFAULT_LIMITS, type SessionLimits } from '../src/session/limits.js';
import { nativeEndpoint } from '../src/session/native.js';
import { DESCRIPTION, FakeRecogniser, START } from './session-support.js';

export const RESUMABLE = { ...START, options: { resumable: true } };

export interface Peer {
  readonly connection: Connection;
  /** Each checked against the schema. */
  readonly sent: ServerMessage[];
  readonly closes: number[];
  readonly pauses: boolean[];
  say(message: unknown): void;
  cut(): void;
}

export interface Endpoints {
  /** In the order in which sessions were opened. */
  readonly recognisers: FakeRecogniser[];
  connect(keyId?: string): Peer;
  /** A connection whose session is open, and what it needs to come back. */
  open(keyId?: string): Promise<Peer & { resume(seq?: number): unknown }>;
}

export function endpoints(limits: Partial<SessionLimits> = {}, watch?: WatchSessions): Endpoints {
  const recognisers: FakeRecogniser[] = [];
  const endpoint = nativeEndpoint({
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...(watch !== undefined && { watch }),
    recognisers: {
      description: DESCRIPTION,
      open: async () => {
        const recogniser = new FakeRecogniser();
        recognisers.push(recogniser);
        return recogniser;
      },
    },
  });
  const connect = (keyId?: string): Peer => {
    const sent: ServerMessage[] = [];
    const closes: number[] = [];
    const pauses: boolean[] = [];
    const socket = {
      send: (text: string) => void sent.push(parseServerMessage(text)),
      close: (code: number) => void closes.push(code),
      setPaused: (paused: boolean) => void pauses.push(paused),
      bufferedBytes: 0,
    };
    const request = { url: new URL('http://x/'), headers: {}, protocols: [], keyId };
    const connection = endpoint.connect(socket, request);
    return {
      connection,
      sent,
      closes,
      pauses,
      say: (message) => connection.text(JSON.stringify(message)),
      cut: () => connection.disconnected(true),
    };
  };
  const open: Endpoints['open'] = async (keyId) => {
    const peer = connect(keyId);
    peer.say(RESUMABLE);
    for (let i = 0; i < 5; i++) await Promise.resolve();
    const [ready] = peer.sent;
    if (ready?.type !== 'ready') throw new Error('no "ready" came');
    const { sessionId, resume } = ready;
    return { ...peer, resume: (seq = 0) => ({ type: 'resume', sessionId, token: resume?.token, seq }) };
  };
  return { recognisers, connect, open };
}

export function final(segment: number, text = 'x'): ServerMessage & { type: 'final' } {
  const where = { channel: 0, segment, start: 0, end: 0, startSample: 0, endSample: 0 };
  return { type: 'final', ...where, text, words: [], reason: 'endpoint' };
}

export function partial(segment: number, text: string): ServerMessage & { type: 'partial' } {
  return { type: 'partial', channel: 0, segment, start: 0, end: 0, text, committed: '', tail: text };
}
