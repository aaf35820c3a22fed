/** Begins a word in a subword. */
const MARK = '▁';
/** Nats by which a character that no piece has is worse than the worst piece: as SentencePiece weighs it. */
const UNKNOWN = 10;

/**
 * The likeliest division of texts into subwords under a unigram model of subwords (Kudo, ACL 2018, 3.2), by Viterbi's
 * algorithm.
 */
export class SubwordTokeniser {
  readonly #ids = new Map<string, number>();
  readonly #scores: readonly number[];
  readonly #longest: number;
  readonly #unknown: number;

  /** @param pieces by id, id 0 standing for what no piece spells; @param scores their natural log-probabilities */
  constructor(pieces: readonly string[], scores: readonly number[]) {
    for (const [id, piece] of pieces.entries()) if (id > 0) this.#ids.set(piece, id);
    this.#scores = scores;
    this.#longest = Math.max(...pieces.map((piece) => piece.length));
    this.#unknown = Math.min(...scores) - UNKNOWN;
  }

  /** Ids of the pieces of a text in lower case, its words apart by single spaces. */
  encode(text: string): number[] {
    const marked = MARK + text.replaceAll(' ', MARK);
    const best = new Float64Array(marked.length + 1).fill(-Infinity);
    const from = new Int32Array(marked.length + 1);
    const piece = new Int32Array(marked.length + 1);
    best[0] = 0;
    for (let end = 1; end <= marked.length; end++) {
      for (let begin = Math.max(0, end - this.#longest); begin < end; begin++) {
        const id = this.#ids.get(marked.slice(begin, end));
        if (id === undefined && begin < end - 1) continue;
        const score = best[begin]! + (id === undefined ? this.#unknown : this.#scores[id]!);
        if (score <= best[end]!) continue;
        best[end] = score;
        from[end] = begin;
        piece[end] = id ?? 0;
      }
    }
    const ids: number[] = [];
    for (let end = marked.length; end > 0; end = from[end]!) ids.push(piece[end]!);
    return ids.reverse();
  }
}
