/** Numbers of a page: 2 KiB are copied where a version changes one of them. */
export const PAGE_SHIFT = 9;
const PAGE = 1 << PAGE_SHIFT;
export const PAGE_MASK = PAGE - 1;

/**
 * An immutable array of 32-bit integers in pages that versions share: a next version copies the table of pages and
 * those pages in which it differs (path copying: Driscoll et al., Making data structures persistent, 1989, 4).
 */
export class Pages {
  static readonly empty: Pages = new Pages([]);

  /** For kernels, which read number i as `pages[i >>> PAGE_SHIFT][i & PAGE_MASK]` and look a page up once. */
  readonly pages: readonly Int32Array[];

  constructor(pages: readonly Int32Array[]) {
    this.pages = pages;
  }

  /** Cuts an array into pages; it belongs to them from now on. */
  static of(numbers: Int32Array): Pages {
    const pages: Int32Array[] = [];
    let from = 0;
    for (; from + PAGE <= numbers.length; from += PAGE) pages.push(numbers.subarray(from, from + PAGE));
    if (from < numbers.length) {
      const last = new Int32Array(PAGE);
      last.set(numbers.subarray(from));
      pages.push(last);
    }
    return new Pages(pages);
  }

  /** Bytes, those included that other versions share. */
  get bytes(): number {
    return this.pages.length * PAGE * 4;
  }

  edit(): PageWriter {
    return new PageWriter(this.pages);
  }
}

/** The next version in the making. */
export class PageWriter {
  readonly #shared: readonly Int32Array[];
  readonly #pages: Int32Array[];

  constructor(shared: readonly Int32Array[]) {
    this.#shared = shared;
    this.#pages = shared.slice();
  }

  at(index: number): number {
    return this.#pages[index >>> PAGE_SHIFT]![index & PAGE_MASK]!;
  }

  /** Writes at any index up to the one behind the last page. */
  set(index: number, value: number): void {
    const number = index >>> PAGE_SHIFT;
    if (number === this.#pages.length) this.#pages.push(new Int32Array(PAGE));
    else if (number < this.#shared.length && this.#pages[number] === this.#shared[number]) {
      this.#pages[number] = this.#pages[number]!.slice();
    }
    this.#pages[number]![index & PAGE_MASK] = value;
  }

  /** The writer is not to be used afterwards. */
  done(): Pages {
    return new Pages(this.#pages);
  }
}
