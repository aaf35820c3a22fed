/** An entry of a session's vocabulary: what the user wants to see written, and how much. */
export interface VocabularyEntry {
  /** Written form, as it shall appear in the text. */
  readonly text: string;
  /** Multiplies the gain of the entry's matches; 1 is neutral. */
  readonly weight: number;
  /** Further spellings that sound like the entry; a match of one is written as `text`. */
  readonly soundsLike: readonly string[];
}

/** An entry that cannot be used, and why, in words for the user. */
export interface RejectedEntry {
  readonly text: string;
  readonly reason: string;
}
