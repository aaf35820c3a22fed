/**
 * The live hypotheses of one frame, by slot, best first. Log-probabilities are natural and of all alignments that end
 * in a blank or in the last token (Graves et al. 2006). Along with each goes when the last token was emitted, and how
 * probable it was there, in the better of those alignments.
 */
export class Slots {
  count = 0;
  readonly node: Int32Array;
  readonly total: Float64Array;
  readonly blank: Float64Array;
  readonly blankFrame: Int32Array;
  readonly blankLogProb: Float64Array;
  readonly token: Float64Array;
  readonly tokenFrame: Int32Array;
  readonly tokenLogProb: Float64Array;

  constructor(beam: number) {
    this.node = new Int32Array(beam);
    this.total = new Float64Array(beam);
    this.blank = new Float64Array(beam);
    this.blankFrame = new Int32Array(beam);
    this.blankLogProb = new Float64Array(beam);
    this.token = new Float64Array(beam);
    this.tokenFrame = new Int32Array(beam);
    this.tokenLogProb = new Float64Array(beam);
  }

  /** Frame in which the last token was emitted. */
  frame(slot: number): number {
    return this.blank[slot]! >= this.token[slot]! ? this.blankFrame[slot]! : this.tokenFrame[slot]!;
  }

  /** Log-probability of the last token in that frame. */
  logProb(slot: number): number {
    return this.blank[slot]! >= this.token[slot]! ? this.blankLogProb[slot]! : this.tokenLogProb[slot]!;
  }

  copy(to: number, from: Slots, slot: number): void {
    this.node[to] = from.node[slot]!;
    this.total[to] = from.total[slot]!;
    this.blank[to] = from.blank[slot]!;
    this.blankFrame[to] = from.blankFrame[slot]!;
    this.blankLogProb[to] = from.blankLogProb[slot]!;
    this.token[to] = from.token[slot]!;
    this.tokenFrame[to] = from.tokenFrame[slot]!;
    this.tokenLogProb[to] = from.tokenLogProb[slot]!;
  }
}

/** What a frame proposes beside the hypotheses that are there: one token more. */
export class Proposals {
  count = 0;
  /** Node that is extended. */
  readonly node: Int32Array;
  readonly token: Int32Array;
  readonly logProb: Float64Array;
  /** Log-probability of the alignments that end in the new token. */
  readonly score: Float64Array;
  /** Language model score. */
  readonly lm: Float64Array;
  /** Score of everything; an upper bound where it is too low to matter. */
  readonly total: Float64Array;
  /** Node of the extension where hypotheses beyond it live, or `NONE`. */
  readonly child: Int32Array;
  readonly parentFrame: Int32Array;
  readonly parentLogProb: Float64Array;

  constructor(capacity: number) {
    this.node = new Int32Array(capacity);
    this.token = new Int32Array(capacity);
    this.logProb = new Float64Array(capacity);
    this.score = new Float64Array(capacity);
    this.lm = new Float64Array(capacity);
    this.total = new Float64Array(capacity);
    this.child = new Int32Array(capacity);
    this.parentFrame = new Int32Array(capacity);
    this.parentLogProb = new Float64Array(capacity);
  }
}

/** The highest scores offered, sorted, the earlier offer first among equals. */
export class TopList {
  count = 0;
  readonly id: Int32Array;
  readonly score: Float64Array;
  readonly #key: Int32Array;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.id = new Int32Array(capacity);
    this.score = new Float64Array(capacity);
    this.#key = new Int32Array(capacity);
  }

  clear(): void {
    this.count = 0;
  }

  /** Score below which an offer is in vain. */
  get floor(): number {
    return this.count < this.#capacity ? -Infinity : this.score[this.count - 1]!;
  }

  /** Highest score offered. */
  get best(): number {
    return this.count === 0 ? -Infinity : this.score[0]!;
  }

  offer(id: number, score: number): void {
    if (!(score > this.floor)) return;
    let at = this.count < this.#capacity ? this.count++ : this.count - 1;
    while (at > 0 && this.score[at - 1]! < score) {
      this.score[at] = this.score[at - 1]!;
      this.id[at] = this.id[at - 1]!;
      at -= 1;
    }
    this.score[at] = score;
    this.id[at] = id;
  }

  /** As `offer`, but of those with the same key only the highest stays. */
  offerDistinct(id: number, score: number, key: number): void {
    if (!(score > this.floor)) return;
    for (let i = 0; i < this.count; i++) {
      if (this.#key[i] !== key) continue;
      if (this.score[i]! >= score) return;
      this.#remove(i);
      break;
    }
    const before = this.count;
    this.offer(id, score);
    let at = Math.min(before, this.#capacity - 1);
    for (; at > 0 && this.id[at] !== id; at--) this.#key[at] = this.#key[at - 1]!;
    this.#key[at] = key;
  }

  #remove(index: number): void {
    this.count -= 1;
    for (let i = index; i < this.count; i++) {
      this.score[i] = this.score[i + 1]!;
      this.id[i] = this.id[i + 1]!;
      this.#key[i] = this.#key[i + 1]!;
    }
  }

  /** Drops what lies more than `distance` below the best. */
  prune(distance: number): void {
    while (this.count > 1 && this.score[this.count - 1]! < this.score[0]! - distance) this.count -= 1;
  }
}
