/**
 * What one session may use. Each bound is announced in `ready` or named in the error that it leads to; docs/limits.md
 * lists them with what happens beyond.
 */
export interface SessionLimits {
  /** Largest frame from the client, in bytes. */
  readonly maxFrameBytes: number;
  /**
   * Audio received and not yet decoded, in seconds. Beyond it the socket is not read until half is left: the client's
   * sends then wait in TCP, so a file may be sent as fast as the connection takes it and memory stays bounded.
   */
  readonly maxBufferedSeconds: number;
  /** The same in bytes, with the updates that wait to be applied. */
  readonly maxInputBytes: number;
  /** Audio that may come faster than it was spoken, in seconds. What comes beyond it is taken at `maxSpeed`. */
  readonly burstSeconds: number;
  /** Seconds of audio taken per second beyond the burst; while there is more, the socket is not read. */
  readonly maxSpeed: number;
  /** Entries of a vocabulary. */
  readonly maxEntries: number;
  /** Characters of an entry. */
  readonly maxEntryLength: number;
  /** Vocabulary updates a second; a burst of twice as many is taken. More are refused. */
  readonly maxUpdatesPerSecond: number;
  /** Flushes, marks and updates that may wait for their answer; more are refused. */
  readonly maxPendingRequests: number;
  /** Bytes waiting for a slow reader beyond which, of a channel's partials, only the newest is kept for it. */
  readonly coalesceBytes: number;
  /** Bytes that may wait for a slow reader; beyond it the session is closed, since captions must not grow stale. */
  readonly maxOutputBytes: number;
  /** Seconds by which recognition is behind beyond which partials are coalesced; beyond thrice that, thinned. */
  readonly overloadSeconds: number;
  /** Seconds without any frame from the client. */
  readonly idleSeconds: number;
  /** Seconds a session may last in all. */
  readonly maxSessionSeconds: number;
  /** Seconds between the connection and its `start`. */
  readonly startSeconds: number;
  /** Seconds that a session which can be resumed is kept without a connection; 0: none can be. */
  readonly resumeSeconds: number;
  /** Messages kept for a client that comes back, in characters; beyond it the oldest are forgotten. */
  readonly resumeBytes: number;
  /** Sessions of the gateway without a connection; beyond it the one that is longest without ends. */
  readonly maxSuspended: number;
  /** Audio kept to be heard again by another worker, in bytes; 0: a session ends with its worker. */
  readonly maxReplayBytes: number;
}

export const DEFAULT_LIMITS: SessionLimits = {
  // 10,000 entries of usual length fit three times over
  maxFrameBytes: 4 * 1024 * 1024,
  // a dictation of half a minute may be sent at once; what waits longer is no longer live
  maxBufferedSeconds: 30,
  // 30 s of the widest format, stereo f32le at 48 kHz, and one frame of the largest size
  maxInputBytes: 16 * 1024 * 1024,
  // a client that was cut off for a while may catch up at once
  burstSeconds: 60,
  // an hour's file in four minutes, and no connection weighs more than 16 live ones
  maxSpeed: 16,
  // a catalogue or a guest list; what the cost of decoding is measured for, and in force within 33 ms
  maxEntries: 10_000,
  // the longest official names; the schema allows no more
  maxEntryLength: 100,
  // a form that sends with every key that is pressed stays below it
  maxUpdatesPerSecond: 10,
  // a mark every 100 ms, answered some seconds late
  maxPendingRequests: 256,
  // half a minute of captions: who has not taken them needs the newest partial only
  coalesceBytes: 64 * 1024,
  // an hour of finals, or ten minutes of all captions
  maxOutputBytes: 1024 * 1024,
  // less is the usual spread of a busy machine, and not seen by readers
  overloadSeconds: 1,
  // a muted microphone sends nothing for minutes and its session should still be there
  idleSeconds: 300,
  // the longest meetings; what goes on for ever was forgotten
  maxSessionSeconds: 4 * 3600,
  // a client knows its format when it connects; this is for slow networks
  startSeconds: 10,
  // a change from one network to another, or a lift; who is away for longer has missed what was said
  resumeSeconds: 30,
  // an hour of finals, as much as may wait for a reader; a client that acknowledges them needs next to nothing
  resumeBytes: 1024 * 1024,
  // half of the gateway's connections lost at once; each costs as much as a session that is spoken to
  maxSuspended: 100,
  // 32 s of 16 kHz s16le, and segments end after 25 at the latest
  maxReplayBytes: 1024 * 1024,
};
