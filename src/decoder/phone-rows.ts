/** Label of the blank; the other labels are phones. */
export const BLANK = 0;

/**
 * Log-probabilities of phones over the frames of a segment, each relative to the frame's likeliest label. So any path
 * has a log-likelihood ratio against the best unconstrained one over the same frames, which is never above zero, and
 * what is summed over different frames can be compared.
 */
export class PhoneRows {
  /** Label of each output of the phone head; several outputs of one label are variants of one phone. */
  readonly #labels: Uint8Array;
  readonly #width: number;
  readonly #sums: Float64Array;
  #rows: Float32Array;
  #count = 0;
  #begin = 0;
  #heard = 0;

  constructor(labels: Uint8Array) {
    this.#labels = labels;
    this.#width = labels.reduce((most, label) => Math.max(most, label), BLANK) + 1;
    this.#sums = new Float64Array(this.#width);
    this.#rows = new Float32Array(256 * this.#width);
  }

  /** Frames of the segment that have been heard: those that come later are not looked at. */
  get frames(): number {
    return this.#heard;
  }

  /** Forgets everything; the next row is that of the absolute frame `frame`. */
  clear(frame: number): void {
    this.#count = 0;
    this.#heard = 0;
    this.#begin = frame;
  }

  /** From now on the frames before the absolute frame `frame` count as heard, as far as they are there. */
  hearUntil(frame: number): void {
    this.#heard = Math.min(frame - this.#begin, this.#count);
  }

  /** @param head natural log-probabilities of the head's outputs */
  push(head: Float32Array): void {
    this.#reserve();
    const sums = this.#sums.fill(0);
    for (const [output, label] of this.#labels.entries()) {
      sums[label] = sums[label]! + Math.exp(head[output]!);
    }
    let best = 0;
    for (const sum of sums) best = Math.max(best, sum);
    const at = this.#count * this.#width;
    for (const [label, sum] of sums.entries()) {
      this.#rows[at + label] = Math.max(IMPOSSIBLE, Math.log(sum / best));
    }
    this.#count += 1;
  }

  /** Relative log-probability of a label in a frame, counted from the segment's begin. */
  at(frame: number, label: number): number {
    return this.#rows[frame * this.#width + label]!;
  }

  /** The likeliest label of a frame. */
  best(frame: number): number {
    const from = frame * this.#width;
    let label = 0;
    while (label < this.#width - 1 && this.#rows[from + label]! < 0) label++;
    return label;
  }

  #reserve(): void {
    if ((this.#count + 1) * this.#width <= this.#rows.length) return;
    const longer = new Float32Array(2 * this.#rows.length);
    longer.set(this.#rows);
    this.#rows = longer;
  }
}

/** e^-25 is below what the network's arithmetic in 8 bits can tell from nothing. */
const IMPOSSIBLE = -25;
