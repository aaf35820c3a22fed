/** What is known of an entry apart from the rows that are decoded. */
export interface Evidence {
  /**
   * How much likelier what is known about an entry in the absolute frames [from, to) is where it is spoken than where
   * it is not, in natural log units; 0 where nothing is known.
   */
  logRatio(entry: string, from: number, to: number): number;
}

/** Frames before and behind a word's symbols that may still tell of it: a CTC network writes late and briefly. */
export const AROUND_FRAMES = 6;
