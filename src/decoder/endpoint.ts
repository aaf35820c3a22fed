/** When an utterance counts as over. All times in milliseconds. */
export interface EndpointOptions {
  readonly enabled: boolean;
  /** Trailing blank that ends an utterance when the audio is silent too. */
  readonly trailingBlankMs: number;
  /** How much of that must be silent. */
  readonly silenceMs: number;
  /** Trailing blank that ends an utterance whatever the audio is (music, noise, other voices). */
  readonly blankOnlyMs: number;
  /** After this long an utterance ends at the next gap between words, and at 1.25 times this in any case. */
  readonly maxSegmentMs: number;
}

/**
 * Shorter than the pauses that readers make between sentences (0.6 to 1 s in read books), longer than those within
 * one; 20 s keeps a segment within what the beam re-scores at a list change.
 */
export const DEFAULT_ENDPOINT: EndpointOptions = {
  enabled: true,
  trailingBlankMs: 600,
  silenceMs: 400,
  blankOnlyMs: 1600,
  maxSegmentMs: 20_000,
};

/** A gap between words for the purpose of cutting an over-long segment. */
const GAP_MS = 120;

/**
 * Tells silence from speech by level: a frame is silent when it lies well below the loudest recent speech. No absolute
 * threshold would serve both a telephone and a studio.
 */
export class SilenceTracker {
  #peak = -Infinity;
  #silentFrames = 0;

  /** @param levelDb level of the next frame in dBFS. */
  push(levelDb: number): void {
    // Follows a louder frame at once and forgets at 1.5 dB a second (25 frames), so that a shout does not turn what
    // follows into silence.
    this.#peak = Math.max(levelDb, this.#peak - 1.5 / 25);
    // 25 dB: consonants stay within it; -60 dBFS: below that nothing is speech.
    this.#silentFrames = levelDb < Math.max(-60, this.#peak - 25) ? this.#silentFrames + 1 : 0;
  }

  /** Silent frames up to and with the last one. */
  get silentFrames(): number {
    return this.#silentFrames;
  }
}

export interface EndpointEvidence {
  /** Frames of the segment so far. */
  readonly segmentFrames: number;
  readonly trailingBlankFrames: number;
  readonly silentFrames: number;
}

/** Decides on the evidence of a segment that has words; `limit` when only its length ends it. */
export function endpoint(
  options: EndpointOptions,
  frameMs: number,
  evidence: EndpointEvidence,
): 'endpoint' | 'limit' | undefined {
  const blankMs = evidence.trailingBlankFrames * frameMs;
  const segmentMs = evidence.segmentFrames * frameMs;
  if (options.enabled) {
    const silent = evidence.silentFrames * frameMs >= options.silenceMs;
    if (blankMs >= options.trailingBlankMs && silent) return 'endpoint';
    if (blankMs >= options.blankOnlyMs) return 'endpoint';
  }
  if (segmentMs >= options.maxSegmentMs && blankMs >= GAP_MS) return 'limit';
  if (segmentMs >= 1.25 * options.maxSegmentMs) return 'limit';
  return undefined;
}
