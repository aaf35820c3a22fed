import type { Line } from './speech.js';

/** What a scenario settles; flags that are given as well count more. */
export interface Scenario {
  readonly about: string;
  readonly streams: number;
  readonly line: Line;
  /** Entries of a made-up list that every stream begins with. */
  readonly entries: number;
  readonly updatesPerSecond: number;
  readonly churnPerSecond: number;
}

const PLAIN = { line: 'microphone', entries: 0, updatesPerSecond: 0, churnPerSecond: 0 } as const;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'caption-page': { ...PLAIN, about: 'one speaker, one page', streams: 1 },
  'call-centre': {
    ...PLAIN,
    about: 'two channels of 8 kHz mu-law a call, one speaker each',
    streams: 8,
    line: 'telephone',
  },
  'vocabulary-storm': {
    ...PLAIN,
    about: '10 lists a second of 5,000 entries, over all streams',
    streams: 20,
    entries: 5000,
    updatesPerSecond: 10,
  },
  churn: { ...PLAIN, about: '10 connections a second opened and cut', streams: 10, churnPerSecond: 10 },
};
