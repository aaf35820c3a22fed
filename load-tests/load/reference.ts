import type { Track } from './track.js';

/** What the idle gateway said to a track. */
export interface Reference {
  /** The finals of each utterance. */
  readonly texts: readonly (readonly string[])[];
  /** Packets sent when a partial came first, by its key: the last of them brought it about. */
  readonly partials: ReadonlyMap<string, number>;
}

/** Partials that say the same of the same segment. */
export function partialKey(channel: number, segment: number, text: string, committed: string): string {
  return `${channel} ${segment} ${committed.length} ${text}`;
}

/** Gathers one. */
export class ReferenceMaker {
  readonly texts: string[][];
  readonly partials = new Map<string, number>();

  constructor({ ends }: Track) {
    this.texts = ends.map(() => []);
  }
}
