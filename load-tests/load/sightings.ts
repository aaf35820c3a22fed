/** What all streams of a run saw together; times in milliseconds. */
export class Sightings {
  /** From the packet behind which the idle gateway says the same to the partial: what is beyond the chunk. */
  readonly partial: number[] = [];
  /** From the end of the newest word to the partial that shows it: chunk and look-ahead included. */
  readonly word: number[] = [];
  /** From the end of an utterance's first word to its first partial. */
  readonly firstPartial: number[] = [];
  /** From a flush to its answer, behind the last final. */
  readonly final: number[] = [];
  /** From an update to the word that it is in force. */
  readonly updateToEffect: number[] = [];
  /** Utterances whose finals say something else than the idle gateway's. */
  textChanged = 0;
  /** Utterances that were not answered, or with fewer finals. */
  lostFinals = 0;
  utterances = 0;
  /** Streams that did not come to their end. */
  failed = 0;
  /** Connections cut by `--churn`. */
  cut = 0;
  /** Errors that the gateway told, by code. */
  readonly errors = new Map<string, number>();

  error(code: string): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}
