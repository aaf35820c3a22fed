import type { PhoneLabels } from './phone-front.js';

/** An entry of the list as it is heard. */
export interface SoundedEntity {
  /** Written form. */
  readonly text: string;
  readonly pronunciations: readonly PhoneLabels[];
  /** How near its sound is to that of a common word: 0 not near, 1 a phone apart, 2 the same. */
  readonly confusability: number;
}

/** Pairs of neighbouring phones that a candidate shares with what was heard, at least, of all that both have. */
const LEAST_SHARED = 0.25;

/** Entries by the pairs of phones in their pronunciations, so that of thousands only the few that may fit are aligned. */
export class SoundIndex {
  readonly #byText = new Map<string, readonly Posting[]>();
  /** By pair of labels: the pronunciations that contain it; what was taken out stays until half of all is gone. */
  #postings = new Map<number, Posting[]>();
  #gone = 0;
  /** Another number after every change. */
  version = 0;

  /** Number of entries. */
  get size(): number {
    return this.#byText.size;
  }

  clear(): void {
    this.version += 1;
    this.#byText.clear();
    this.#postings = new Map();
    this.#gone = 0;
  }

  /** Adds an entry, in the place of one with the same text. */
  set(entity: SoundedEntity): void {
    this.delete(entity.text);
    this.version += 1;
    const postings = entity.pronunciations.map((labels) => ({ entity, pairs: pairsOf(labels), alive: true }));
    this.#byText.set(entity.text, postings);
    for (const posting of postings) this.#post(posting);
  }

  delete(text: string): void {
    const postings = this.#byText.get(text);
    if (postings === undefined) return;
    this.version += 1;
    this.#byText.delete(text);
    for (const posting of postings) posting.alive = false;
    this.#gone += 1;
    if (this.#gone <= this.#byText.size) return;
    this.#gone = 0;
    this.#postings = new Map();
    for (const posting of [...this.#byText.values()].flat()) this.#post(posting);
  }

  /** The `most` entries that share most with heard phones. */
  candidates(heard: readonly number[], most: number): SoundedEntity[] {
    const pairs = pairsOf(heard);
    const shared = new Map<Posting, number>();
    for (const pair of pairs) {
      for (const posting of this.#postings.get(pair) ?? []) {
        if (posting.alive) shared.set(posting, (shared.get(posting) ?? 0) + 1);
      }
    }
    const best = new Map<SoundedEntity, number>();
    for (const [posting, count] of shared) {
      const share = (2 * count) / (pairs.size + posting.pairs.size);
      if (share >= LEAST_SHARED) best.set(posting.entity, Math.max(share, best.get(posting.entity) ?? 0));
    }
    return [...best]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([entity]) => entity);
  }

  #post(posting: Posting): void {
    for (const pair of posting.pairs) {
      const others = this.#postings.get(pair);
      if (others === undefined) this.#postings.set(pair, [posting]);
      else others.push(posting);
    }
  }
}

interface Posting {
  readonly entity: SoundedEntity;
  readonly pairs: ReadonlySet<number>;
  alive: boolean;
}

function pairsOf(labels: ArrayLike<number>): Set<number> {
  const pairs = new Set<number>();
  for (let i = 1; i < labels.length; i++) pairs.add(labels[i - 1]! * 256 + labels[i]!);
  return pairs;
}
