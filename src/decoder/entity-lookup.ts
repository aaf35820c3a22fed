import { annotate } from '../biasing/annotate.js';
import type { PrefixGraph } from '../biasing/prefix-graph.js';
import { AROUND_FRAMES, type Evidence } from './evidence.js';
import type { DecodedToken } from './hypothesis.js';
import {
  closedScore,
  extendFront,
  frontAt,
  openScore,
  type PhoneFront,
  type PhoneLabels,
} from './phone-front.js';
import { BLANK, type PhoneRows } from './phone-rows.js';
import type { SoundedEntity, SoundIndex } from './sound-index.js';
import { type SpelledWord, spelledWords } from './words.js';

/** An entry that was heard where a hypothesis spells something else. */
export interface HeardEntity {
  /** Tokens [from, to) of the hypothesis: whole words. */
  readonly from: number;
  readonly to: number;
  /** Written form. */
  readonly text: string;
  /** By how much its phones are likelier than those of the words, in natural log units. */
  readonly gain: number;
}

export interface EntityLookupOptions {
  readonly index: SoundIndex;
  readonly pieces: readonly string[];
  readonly pronounce: (word: string) => readonly PhoneLabels[];
  readonly acceptance?: Partial<Acceptance>;
  readonly evidence?: Evidence | undefined;
}

/** When an entry takes the place of words. */
export interface Acceptance {
  /** Phones of an entry, at least: what is shorter is part of everything. */
  readonly minPhones: number;
  /** Log-likelihood ratio per phone against the best phones over the same frames, at least. */
  readonly perPhone: number;
  /** More per power of ten that the list is longer than 100. */
  readonly perPhonePerDecade: number;
  /** What the phones must gain over those of the words with a list of 100, and more per power of ten. */
  readonly margin: number;
  readonly marginPerDecade: number;
  /** More for each step of confusability. */
  readonly marginPerConfusion: number;
  /** Less for each natural log unit of other evidence for the entry. */
  readonly marginPerEvidence: number;
}

/** Words that an entry may take the place of: recognisers break names into common words. */
const MOST_WORDS = 3;
/** Entries that are aligned per stretch of words. */
const CANDIDATES = 8;
/** Words at the end whose phones may not all have been heard when they were last aligned. */
const UNSETTLED = 2;
/** Frames behind the words that an entry may last. */
const OVERHANG = 6;

/**
 * Finds entries by their pronunciation (pronunciation lexicon lookup: Dingliwal et al., SLT 2022, 3.4): the phones that
 * were heard are aligned with the words of a hypothesis, and where an entry's pronunciation fits a word's frames, or
 * those of up to three, it takes their place. A pronunciation need not fit exactly: its log-likelihood ratio against
 * the best phones over the same frames must clear a threshold, and that against the words' own phones another, which
 * rises with the length of the list and with how near a common word sounds.
 */
export class EntityLookup {
  readonly #options: EntityLookupOptions;
  readonly #acceptance: Acceptance;
  /** What was found for words whose next word is known; they are not looked up again. */
  readonly #known = new Map<string, { text: string; gain: number } | undefined>();
  #spoken: Spoken = { words: [], pronunciations: [], fronts: [frontAt(0)] };

  constructor(options: EntityLookupOptions) {
    this.#options = options;
    this.#acceptance = {
      minPhones: 5,
      perPhone: -2,
      perPhonePerDecade: 0.7,
      margin: -4,
      // 4 instead costs another .16 % WER with 1,000 entries that nobody says (128 native utterances), 12 saves nothing
      marginPerDecade: 8,
      marginPerConfusion: 4,
      marginPerEvidence: 1,
      ...options.acceptance,
    };
  }

  /** Begins a new segment. */
  reset(): void {
    this.#known.clear();
    this.#spoken = { words: [], pronunciations: [], fronts: [frontAt(0)] };
  }

  /**
   * @param rows phones of the segment
   * @param graph the list that the hypothesis was decoded with; what it spells is left alone
   * @param ended whether the last word is complete
   * @param kept leading tokens that nothing changes any more
   */
  find(
    tokens: readonly DecodedToken[],
    rows: PhoneRows,
    graph: PrefixGraph,
    { ended, kept }: { readonly ended: boolean; readonly kept: number },
  ): HeardEntity[] {
    if (this.#options.index.size === 0) return [];
    const words = spelledWords(tokens, this.#options.pieces);
    if (!ended) words.pop();
    const aligned = this.#align(words, rows, ended);
    const found: HeardEntity[] = [];
    const spelled = spelledEntries(words, graph);
    for (let from = 0; from < words.length; from++) {
      if (words[from]!.token < kept) continue;
      for (let to = from + 1; to <= Math.min(words.length, from + MOST_WORDS) && !spelled[to - 1]; to++) {
        const best = this.#lookUp(aligned, from, to);
        if (best !== undefined) found.push({ from: words[from]!.token, to: words[to - 1]!.end, ...best });
      }
    }
    return withoutOverlap(found);
  }

  #align(words: readonly SpelledWord[], rows: PhoneRows, ended: boolean): Aligned {
    const before = this.#spoken;
    let same = 0;
    while (same < words.length && words[same]!.spelling === before.words[same]?.spelling) same++;
    const kept = Math.max(0, same - UNSETTLED);
    const pronunciations = before.pronunciations.slice(0, kept);
    const fronts = before.fronts.slice(0, kept + 1);
    for (const { spelling } of words.slice(kept)) {
      const word = this.#options.pronounce(spelling);
      pronunciations.push(word);
      fronts.push(extendFront(rows, fronts.at(-1)!, word, rows.frames));
    }
    this.#spoken = { words, pronunciations, fronts };
    return { ...this.#spoken, rows, ends: endsOf(fronts, rows, ended), ended };
  }

  /** As `#best`, at most once where what follows is known too. */
  #lookUp(aligned: Aligned, from: number, to: number): { text: string; gain: number } | undefined {
    const { words } = aligned;
    if (to >= words.length) return this.#best(aligned, from, to);
    // the list may change at any time
    const key = `${this.#options.index.version} ${from} ${words
      .slice(0, to + 1)
      .map(({ spelling }) => spelling)
      .join(' ')}`;
    if (!this.#known.has(key)) this.#known.set(key, this.#best(aligned, from, to));
    return this.#known.get(key);
  }

  /** The entry that fits the words [from, to) best, if it is accepted. */
  #best(aligned: Aligned, from: number, to: number): { text: string; gain: number } | undefined {
    const { rows, fronts, ends } = aligned;
    const before = fronts[from]!;
    const words = this.#inContext(aligned, fronts[to]!, to);
    const at = spanOf(aligned.words, from, to);
    if (words === -Infinity) return undefined;
    const { minPhones, perPhone, perPhonePerDecade } = this.#acceptance;
    const leastPerPhone = perPhone + perPhonePerDecade * this.#decades;
    let best: { text: string; gain: number } | undefined;
    const last = to === aligned.words.length;
    const end = last ? rows.frames : Math.min(rows.frames, ends[to]! + OVERHANG);
    // behind the last word nothing else accounts for what was heard
    const heard = heardLabels(rows, ends[from]!, last ? end : ends[to]!);
    for (const entity of this.#options.index.candidates(heard, CANDIDATES)) {
      const said = entity.pronunciations.filter(({ length }) => length >= minPhones);
      if (said.length === 0) continue;
      const front = extendFront(rows, before, said, end);
      const [ratio, phones] = bestEnd(front, said);
      if (ratio - openScore(before) < leastPerPhone * phones) continue;
      const gain = this.#inContext(aligned, front, to) - words;
      if (gain >= this.#margin(entity) - this.#evidence(entity, at) && gain > (best?.gain ?? -Infinity))
        best = { text: entity.text, gain };
    }
    return best;
  }

  /** Score up to a front and of what follows it: the next word, or silence. */
  #inContext({ rows, pronunciations, ends, ended }: Aligned, front: PhoneFront, to: number): number {
    const next = pronunciations[to];
    if (next !== undefined) {
      const end = Math.min(rows.frames, ends[to + 1]! + OVERHANG);
      return openScore(extendFront(rows, front, next, end));
    }
    return ended ? closedScore(rows, front, rows.frames) : openScore(front);
  }

  #evidence({ text }: SoundedEntity, { from, to }: Span): number {
    const { evidence } = this.#options;
    if (evidence === undefined) return 0;
    return (
      this.#acceptance.marginPerEvidence * evidence.logRatio(text, from - AROUND_FRAMES, to + AROUND_FRAMES)
    );
  }

  /** Powers of ten by which the list is longer than 100. */
  get #decades(): number {
    return Math.max(0, Math.log10(this.#options.index.size / 100));
  }

  #margin({ confusability }: SoundedEntity): number {
    const { margin, marginPerDecade, marginPerConfusion } = this.#acceptance;
    return margin + marginPerDecade * this.#decades + marginPerConfusion * confusability;
  }
}

/** Absolute frames. */
interface Span {
  readonly from: number;
  readonly to: number;
}

function spanOf(words: readonly SpelledWord[], from: number, to: number): Span {
  return { from: words[from]!.from, to: words[to - 1]!.to };
}

interface Spoken {
  readonly words: readonly SpelledWord[];
  readonly pronunciations: readonly (readonly PhoneLabels[])[];
  /** Front i: the first i words. */
  readonly fronts: readonly PhoneFront[];
}

/** Words of a hypothesis with the ends of their best alignment. */
interface Aligned extends Spoken {
  readonly rows: PhoneRows;
  /** Frame behind the first i words. */
  readonly ends: readonly number[];
  readonly ended: boolean;
}

function endsOf(fronts: readonly PhoneFront[], rows: PhoneRows, ended: boolean): number[] {
  const ends = new Array<number>(fronts.length).fill(0);
  let end = lastEnd(fronts.at(-1)!, rows, ended);
  for (let i = fronts.length - 1; i > 0; i--) {
    ends[i] = end;
    const { from, entered } = fronts[i]!;
    end = entered[end - from] ?? end;
  }
  return ends;
}

function lastEnd(front: PhoneFront, rows: PhoneRows, ended: boolean): number {
  let best = -Infinity;
  let end = front.from;
  let blanks = 0;
  for (let at = rows.frames; at >= front.from; at--) {
    const score = front.scores[at - front.from];
    if (score !== undefined && score + blanks > best) {
      best = score + blanks;
      end = at;
    }
    if (ended && at > front.from) blanks += rows.at(at - 1, BLANK);
  }
  return end;
}

function bestEnd({ scores, variant }: PhoneFront, pronunciations: readonly PhoneLabels[]): [number, number] {
  let best = -Infinity;
  let phones = 0;
  for (const [i, score] of scores.entries()) {
    if (score <= best) continue;
    best = score;
    phones = pronunciations[variant[i]!]!.length;
  }
  return [best, phones];
}

/** The likeliest phones of frames, collapsed. */
function heardLabels(rows: PhoneRows, from: number, to: number): number[] {
  const labels: number[] = [];
  let last = BLANK;
  for (let frame = from; frame < to; frame++) {
    const label = rows.best(frame);
    if (label !== BLANK && label !== last) labels.push(label);
    last = label;
  }
  return labels;
}

/** Which words are part of an entry as they are spelled. */
function spelledEntries(words: readonly SpelledWord[], graph: PrefixGraph): boolean[] {
  const spelled = words.map(() => false);
  for (const { from, to } of annotate(
    words.map(({ spelling }) => spelling),
    graph,
  ).spans) {
    spelled.fill(true, from, to);
  }
  return spelled;
}

/** Of entries that share words the one that gains most stays. */
function withoutOverlap(found: readonly HeardEntity[]): HeardEntity[] {
  const kept: HeardEntity[] = [];
  for (const each of [...found].sort((a, b) => b.gain - a.gain)) {
    if (kept.every(({ from, to }) => to <= each.from || each.to <= from)) kept.push(each);
  }
  return kept.sort((a, b) => a.from - b.from);
}
