/**
 * What a session tells those who watch the gateway. Events hold numbers, codes and ids, and never what was said, what is
 * in a list or a key: so nothing behind them (metrics, logs, traces) can give that away. The id of an update is what its
 * client made up, and only for telling updates apart.
 */
export type SessionEvent =
  | {
      readonly type: 'started';
      readonly sessionId: string;
      readonly encoding: string;
      readonly sampleRate: number;
      readonly channels: number;
      readonly latencyMs: number;
      /** Of the list that came with the start. */
      readonly entries: number;
    }
  /** The recogniser is there, and the start's list in force. */
  | ({ readonly type: 'opened' } & ListBuilt)
  /** Audio came in or is decoded, in seconds. */
  | { readonly type: 'received' | 'decoded'; readonly seconds: number }
  /** The socket is not read for a while, since a bound is passed. */
  | { readonly type: 'paused'; readonly limit: PausingLimit }
  | { readonly type: 'updateAsked'; readonly id: string }
  | ({ readonly type: 'updateApplied'; readonly id: string } & ListBuilt)
  | { readonly type: 'updateRefused'; readonly id: string }
  /** A message went out, in so many seconds. */
  | { readonly type: 'sent'; readonly seconds: number }
  | { readonly type: 'partial'; readonly channel: number; readonly segment: number; readonly lagMs: number }
  | {
      readonly type: 'final';
      readonly channel: number;
      readonly segment: number;
      readonly words: number;
      /** Those that came from the list. */
      readonly entityWords: number;
      readonly reason: string;
      readonly lagMs: number;
    }
  /** A partial that waited gave way to a newer one. */
  | { readonly type: 'coalesced' }
  /** The client was told an error; `cause` is set where it is the server's own. */
  | { readonly type: 'error'; readonly code: string; readonly cause?: unknown }
  /** The connection is lost, and the client may come back; it has. */
  | { readonly type: 'suspended' | 'resumed' }
  | {
      readonly type: 'stopped';
      readonly audioSeconds: number;
      readonly segments: number;
      readonly words: number;
    }
  /** The last event. Without a code the peer was gone first. */
  | { readonly type: 'closed'; readonly code: number | undefined };

export interface ListBuilt {
  readonly version: number;
  readonly entries: number;
  /** Entries that could not be used. */
  readonly rejected: number;
  readonly buildMs: number;
}

/** The limits of docs/limits.md that stop the reading. */
export const PAUSING_LIMITS = ['maxBufferedSeconds', 'maxInputBytes', 'maxSpeed'] as const;
export type PausingLimit = (typeof PAUSING_LIMITS)[number];

/** Watches one session. Called in the middle of the work: it must be quick and not throw. */
export type SessionObserver = (event: SessionEvent) => void;

/** The connection that a session runs over. */
export interface SessionOrigin {
  /** Path of the endpoint, which says the protocol. */
  readonly path: string;
  readonly keyId?: string | undefined;
  /** Names in lower case; of them only the trace context is read. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Makes an observer for each session. */
export type WatchSessions = (origin: SessionOrigin) => SessionObserver;

export const NOBODY_WATCHES: SessionObserver = () => undefined;

/** Several that watch the same sessions. */
export function together(watchers: readonly WatchSessions[]): WatchSessions {
  return (origin) => {
    const observers = watchers.map((watch) => watch(origin));
    return (event) => {
      for (const observe of observers) observe(event);
    };
  };
}
