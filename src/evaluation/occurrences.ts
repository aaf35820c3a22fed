/** A term's place in a text: words `[from, to)`. */
export interface Occurrence {
  readonly term: string;
  readonly from: number;
  readonly to: number;
}

/** Where the terms of a list stand in a text, from left to right, the longest first where several begin, none overlapping. */
export function occurrences(words: readonly string[], terms: Iterable<string>): Occurrence[] {
  return new TermFinder(terms).find(words);
}

/** Finds a list's terms in texts. */
export class TermFinder {
  /** Terms, as words, by their first word, longest first. */
  readonly #byFirst = new Map<string, string[][]>();

  constructor(terms: Iterable<string>) {
    for (const term of new Set(terms)) {
      const words = term.split(' ');
      const others = this.#byFirst.get(words[0]!);
      if (others === undefined) this.#byFirst.set(words[0]!, [words]);
      else others.push(words);
    }
    for (const terms of this.#byFirst.values()) terms.sort((a, b) => b.length - a.length);
  }

  find(words: readonly string[]): Occurrence[] {
    const found: Occurrence[] = [];
    for (let from = 0; from < words.length; ) {
      const term = this.#byFirst
        .get(words[from]!)
        ?.find((candidate) => candidate.every((word, i) => words[from + i] === word));
      if (term !== undefined) found.push({ term: term.join(' '), from, to: from + term.length });
      from += term?.length ?? 1;
    }
    return found;
  }
}
