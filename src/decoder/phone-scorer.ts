import type { PieceTable } from '../biasing/alphabet.js';
import {
  closedScore,
  extendFront,
  frontAt,
  openScore,
  type PhoneFront,
  type PhoneLabels,
} from './phone-front.js';
import type { PhoneRows } from './phone-rows.js';
import { type PrefixTree, ROOT } from './prefix-tree.js';
import { lastWord } from './spelling.js';

export interface PhoneScorerOptions {
  readonly pieces: PieceTable;
  readonly tree: PrefixTree;
  /** Of the segment, up to the frame that is being decoded. */
  readonly rows: PhoneRows;
  /** Pronunciations of a word in lower case. */
  readonly pronounce: (word: string) => readonly PhoneLabels[];
  /** Multiplies the log-likelihood ratios. */
  readonly weight: number;
}

/** Complete words at the begin of a hypothesis. */
interface Spoken {
  readonly front: PhoneFront;
  /** All but the last of them, and that one: it may have been aligned before its last phones were heard. */
  readonly before?: { readonly front: PhoneFront; readonly word: readonly PhoneLabels[] };
  readonly score: number;
  /** Frames that were heard. */
  readonly frames: number;
}

/** Phones may come this many frames behind their subwords (95 % do not); until then an alignment is worth repeating. */
const STALE = 3;
/** What no phones were heard for may have been said all the same: the phone head errs too. */
const WORST = -150;

/**
 * Scores the words of a prefix tree's nodes by the phones that an intermediate layer heard: the log-likelihood ratio of
 * their pronunciations, force-aligned, against the best phones of any kind (phonetic-distance rescoring: Dingliwal et
 * al., SLT 2022, there of an n-best list). A word is scored when the next one begins, as far as it can have been heard
 * by then, and aligned once more when the word after it is scored.
 */
export class PhoneScorer {
  readonly #options: PhoneScorerOptions;
  /** By node: the words before the one that is being spelled. */
  readonly #before: Spoken[] = [];
  /** By node: those and the one that is being spelled, as if it were complete. */
  readonly #complete: (Spoken | undefined)[] = [];

  constructor(options: PhoneScorerOptions) {
    this.#options = options;
  }

  /** State of the root. */
  begin(): void {
    this.#before[ROOT] = { front: frontAt(0), score: 0, frames: 0 };
    this.#complete[ROOT] = undefined;
  }

  /** Sets the state of a node to that of the same sequence in another tree. */
  graft(node: number, other: PhoneScorer, from: number): void {
    this.#before[node] = other.#before[from]!;
    this.#complete[node] = other.#complete[from];
  }

  /** Score of the complete words at a node. */
  score(node: number): number {
    return this.#before[node]!.score;
  }

  /** Score after a node and one more token. */
  extended(node: number, token: number): number {
    const { pieces } = this.#options;
    return pieces.startsWord[token] === 1 ? this.#completed(node).score : this.score(node);
  }

  /** Sets the state of a node from its parent's. */
  update(node: number): void {
    const { pieces, tree } = this.#options;
    const parent = tree.parent[node]!;
    const begins = pieces.startsWord[tree.token[node]!] === 1;
    this.#before[node] = begins ? this.#completed(parent) : this.#before[parent]!;
    this.#complete[node] = undefined;
  }

  /** Score of a node if the segment ends here. */
  finished(node: number): number {
    const { rows, weight } = this.#options;
    const { front } = this.#align(node);
    return weight * Math.max(WORST, closedScore(rows, front, rows.frames));
  }

  #completed(node: number): Spoken {
    const known = this.#complete[node];
    const age = known === undefined ? -1 : this.#options.rows.frames - known.frames;
    // below 0 where the decoder has gone back
    if (known !== undefined && age >= 0 && age < STALE) return known;
    const spoken = this.#align(node);
    this.#complete[node] = spoken;
    return spoken;
  }

  #align(node: number): Spoken {
    const { pieces, tree, rows, pronounce, weight } = this.#options;
    const { frames } = rows;
    const spoken = this.#before[node]!;
    const text = lastWord(tree, pieces, node);
    if (text === '') return spoken;
    const { before } = spoken;
    const front = before === undefined ? spoken.front : extendFront(rows, before.front, before.word, frames);
    const word = pronounce(text);
    const extended = extendFront(rows, front, word, frames);
    const ratio = Math.max(openScore(extended), extended.unfinished, WORST);
    return { front: extended, before: { front, word }, score: weight * ratio, frames };
  }
}
