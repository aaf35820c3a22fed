/** The SDK for browsers. */
import { type ConnectOptions, type LexigateSession, openSession, type SessionStart } from '../session.js';

export { LexigateError, type LexigateErrorCode } from '../error.js';
export type { Packet } from '../packets.js';
export type {
  ConnectOptions,
  SessionEvents,
  SessionListener,
  SessionStart,
  VocabularyUpdate,
} from '../session.js';
export {
  type Capture,
  type CaptureOptions,
  captureMicrophone,
  capturePlayback,
  type MicrophoneOptions,
  type PlaybackOptions,
} from './capture.js';
export { decodeAudioFile, FILE_FORMAT, packetsOf } from './file.js';

export type LexigateClient = LexigateSession;

export const LexigateClient = {
  /** Connects, sends `start` and resolves with the session once the server is ready. */
  connect: (url: string, start: SessionStart, options?: ConnectOptions): Promise<LexigateClient> =>
    openSession(WebSocket, url, start, options),
};
