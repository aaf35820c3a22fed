import type { EntitySpan } from '../biasing/annotate.js';
import type { Hypothesis } from '../decoder/hypothesis.js';
import { type SpelledWord, spelledWords } from '../decoder/words.js';

/** A word as people read it. */
export interface CaptionWord {
  readonly text: string;
  /** Absolute frames, `to` behind the word's last. */
  readonly from: number;
  readonly to: number;
  readonly confidence: number;
  /** Text of the vocabulary entry it belongs to. */
  readonly entity?: string;
  /** The same object in all words of one occurrence of an entry. */
  readonly span?: EntitySpan;
  /** Spelled words that it stands for. */
  readonly spelled: number;
}

export interface Caption {
  readonly words: readonly CaptionWord[];
  /** Leading words that no later caption of the segment changes. */
  readonly committed: number;
}

/** Finds entries among spelled words; `openFrom` is where a match begins that the next word might continue. */
export type Annotator = (
  spellings: readonly string[],
  words: readonly SpelledWord[],
) => {
  readonly spans: readonly EntitySpan[];
  readonly openFrom: number;
};

/**
 * Captions of one segment after the other. Invariants:
 * 1. The committed words of a caption are the first words of every later caption of its segment, to the letter, also
 *    when the list changes in between.
 * 2. A word is committed only when it is complete (the next one has begun in every hypothesis) and no entry could
 *    still take it in.
 */
export class CaptionBuilder {
  readonly #pieces: readonly string[];
  readonly #committed: CaptionWord[] = [];
  /** Spelled words behind the committed ones; more or fewer than those where an entry's spelling differs. */
  #committedSpelled = 0;

  constructor(pieces: readonly string[]) {
    this.#pieces = pieces;
  }

  /** @param stableTokens leading tokens of the hypothesis that will not change */
  partial(hypothesis: Hypothesis, stableTokens: number, annotate: Annotator): Caption {
    const spelled = spelledWords(hypothesis.tokens, this.#pieces);
    let complete = this.#committedSpelled;
    while (complete + 1 < spelled.length && spelled[complete + 1]!.token < stableTokens) complete++;
    const candidates = spelled.slice(this.#committedSpelled, complete);
    if (candidates.length > 0) this.#commit(candidates, annotate);
    const tail = write(spelled.slice(this.#committedSpelled), annotate);
    return { words: [...this.#committed, ...tail], committed: this.#committed.length };
  }

  /** Leading tokens of the hypothesis of the last `partial` that make up its committed words. */
  committedTokens({ tokens }: Hypothesis): number {
    return spelledWords(tokens, this.#pieces)[this.#committedSpelled]?.token ?? tokens.length;
  }

  /** The segment's last caption, all of it committed; the next call begins a new segment. */
  final(hypothesis: Hypothesis, annotate: Annotator): Caption {
    const spelled = spelledWords(hypothesis.tokens, this.#pieces);
    const words = [...this.#committed, ...write(spelled.slice(this.#committedSpelled), annotate)];
    this.#committed.length = 0;
    this.#committedSpelled = 0;
    return { words, committed: words.length };
  }

  /** An alternative to the hypothesis of `final`, to be asked for before it. */
  alternative(hypothesis: Hypothesis, annotate: Annotator): readonly CaptionWord[] {
    const spelled = spelledWords(hypothesis.tokens, this.#pieces);
    return [...this.#committed, ...write(spelled.slice(this.#committedSpelled), annotate)];
  }

  #commit(candidates: readonly SpelledWord[], annotate: Annotator): void {
    const { openFrom } = annotate(
      candidates.map((word) => word.spelling),
      candidates,
    );
    this.#committed.push(...write(candidates.slice(0, openFrom), annotate));
    this.#committedSpelled += Math.min(openFrom, candidates.length);
  }
}

/** Text of words. */
export function textOf(words: readonly CaptionWord[]): string {
  return words.map((word) => word.text).join(' ');
}

function write(spelled: readonly SpelledWord[], annotate: Annotator): CaptionWord[] {
  const out: CaptionWord[] = [];
  let next = 0;
  const plain = (until: number): void => {
    for (; next < until; next++) {
      const { spelling, from, to, confidence } = spelled[next]!;
      out.push({ text: spelling, from, to, confidence, spelled: 1 });
    }
  };
  const spellings = spelled.map((word) => word.spelling);
  for (const span of annotate(spellings, spelled).spans) {
    plain(span.from);
    out.push(...writeEntity(spelled.slice(span.from, span.to), span));
    next = span.to;
  }
  plain(spelled.length);
  return out;
}

/** An entry as it was given: word for word where the counts agree, else as one word over the whole stretch. */
function writeEntity(spelled: readonly SpelledWord[], span: EntitySpan): CaptionWord[] {
  const { text, suffix } = span;
  const written = `${text.trim()}${suffix}`.split(/\s+/);
  if (written.length === spelled.length) {
    return spelled.map(({ from, to, confidence }, i) => ({
      text: written[i]!,
      from,
      to,
      confidence,
      entity: text,
      span,
      spelled: 1,
    }));
  }
  const confidence = Math.exp(
    spelled.reduce((sum, word) => sum + Math.log(word.confidence), 0) / spelled.length,
  );
  return [
    {
      text: written.join(' '),
      from: spelled[0]!.from,
      to: spelled.at(-1)!.to,
      confidence,
      entity: text,
      span,
      spelled: spelled.length,
    },
  ];
}
