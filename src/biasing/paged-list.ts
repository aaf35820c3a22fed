const SHIFT = 7;
const SIZE = 1 << SHIFT;
const MASK = SIZE - 1;

/** An immutable list in pages that versions share: one that differs in an item copies the table of pages and a page. */
export class PagedList<T> {
  readonly length: number;
  readonly #pages: readonly (readonly T[])[];

  private constructor(pages: readonly (readonly T[])[], length: number) {
    this.#pages = pages;
    this.length = length;
  }

  static of<T>(items: readonly T[]): PagedList<T> {
    const pages: (readonly T[])[] = [];
    for (let from = 0; from < items.length; from += SIZE) pages.push(items.slice(from, from + SIZE));
    return new PagedList(pages, items.length);
  }

  /** Undefined outside the list. */
  at(index: number): T | undefined {
    return this.#pages[index >>> SHIFT]?.[index & MASK];
  }

  /** @param index up to and with the length, which then grows by one */
  with(index: number, item: T): PagedList<T> {
    const pages = this.#pages.slice();
    const page = (pages[index >>> SHIFT] ?? []).slice();
    page[index & MASK] = item;
    pages[index >>> SHIFT] = page;
    return new PagedList(pages, Math.max(this.length, index + 1));
  }
}
