/** What a trial with so many streams showed. */
export interface Trial<T> {
  readonly holds: boolean;
  /** The share of the machine's processor time that was used, from 0 to 1. */
  readonly busy: number;
  readonly result: T;
}

export interface Found<T> {
  readonly streams: number;
  readonly result: T;
}

/** How full a machine is that still holds: beyond that, queues grow. */
const FULL = 0.9;

/** How far a guess may go from what is known. */
const LEAST_STEP = 1.2;
const GREATEST_STEP = 4;

/** How exactly the greatest number is sought: runs differ among themselves by as much. */
const RESOLUTION = 0.05;

/**
 * The greatest number of streams that hold, to within 5 %, in few trials: as long as all hold, the next number is what
 * the used processor time lets expect; then between the greatest that held and the least that did not.
 * @returns undefined where not even one stream holds
 */
export async function findMax<T>(
  from: number,
  attempt: (streams: number) => Promise<Trial<T>>,
): Promise<Found<T> | undefined> {
  let best: Found<T> | undefined;
  let tooMany = Number.POSITIVE_INFINITY;
  let streams = from;
  while (streams >= 1) {
    const { holds, busy, result } = await attempt(streams);
    if (holds) best = { streams, result };
    else tooMany = streams;
    const held = best?.streams ?? 0;
    if (tooMany - held <= Math.max(1, held * RESOLUTION)) break;
    streams = tooMany === Number.POSITIVE_INFINITY ? expected(held, busy) : Math.round((held + tooMany) / 2);
    // what lies between two neighbours is one of them
    if (streams === held || streams === tooMany) break;
  }
  return best;
}

function expected(held: number, busy: number): number {
  const least = Math.max(held + 1, Math.round(held * LEAST_STEP));
  return Math.min(Math.max(least, Math.floor((held * FULL) / Math.max(busy, 0.01))), held * GREATEST_STEP);
}
