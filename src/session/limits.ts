/** What one session may use. Each bound is announced in `ready` or named in the error that it leads to. */
export interface SessionLimits {
  /** Largest frame from the client, in bytes. 4 MiB: 10,000 entries of usual length fit three times over. */
  readonly maxFrameBytes: number;
  /**
   * Audio received and not yet decoded, in seconds. Beyond it the socket is not read until half is left: the client's
   * sends then wait in TCP, so a file may be sent as fast as the connection takes it and memory stays bounded.
   */
  readonly maxBufferedSeconds: number;
  /** Entries of a vocabulary. */
  readonly maxEntries: number;
  /** Characters of an entry. */
  readonly maxEntryLength: number;
  /** Flushes, marks and updates that may wait for their answer; more are refused. */
  readonly maxPendingRequests: number;
  /** Bytes that may wait for a slow reader; beyond it the session is closed, since captions must not grow stale. */
  readonly maxOutputBytes: number;
  /** Seconds without any frame from the client. */
  readonly idleSeconds: number;
  /** Seconds a session may last in all. */
  readonly maxSessionSeconds: number;
  /** Seconds between the connection and its `start`. */
  readonly startSeconds: number;
}

export const DEFAULT_LIMITS: SessionLimits = {
  maxFrameBytes: 4 * 1024 * 1024,
  maxBufferedSeconds: 30,
  maxEntries: 10_000,
  maxEntryLength: 100,
  maxPendingRequests: 256,
  maxOutputBytes: 1024 * 1024,
  // a muted microphone sends nothing for minutes and its session should still be there
  idleSeconds: 300,
  maxSessionSeconds: 4 * 3600,
  startSeconds: 10,
};
