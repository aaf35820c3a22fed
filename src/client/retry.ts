import { LexigateError } from './error.js';

/** Longest wait before the first, second, … attempt: 250 ms, doubled each time, and never more than 5 s. */
const FIRST_MS = 250;
const MOST_MS = 5000;

/**
 * Exponential backoff with full jitter: clients that lost their connections together do not come back together (Brooker,
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 * @param attempt from 0
 */
export function backoffMs(attempt: number): number {
  return Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** attempt);
}

export interface RetryOptions {
  readonly delayMs: (attempt: number) => number;
  /** How long it is tried. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Tries until it succeeds, the time is over or the server refuses, which it then would again.
 * @throws LexigateError the last one
 */
export async function retry(attempt: () => Promise<void>, options: RetryOptions): Promise<void> {
  const { delayMs, limitMs, signal } = options;
  const begun = performance.now();
  for (let i = 0; ; i++) {
    await sleep(delayMs(i), signal);
    if (signal.aborted) return;
    try {
      await attempt();
      return;
    } catch (error) {
      const refused = error instanceof LexigateError && error.code !== 'connection';
      if (refused || performance.now() - begun > limitMs) throw error;
    }
  }
}

/** Resolves early when it is aborted. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
