import type { Word } from '../protocol/messages.js';
import type { CaptionLine } from './caption-line.js';

/** Lines that are kept on the page; the transcript keeps all. */
const MAX_LINES = 400;

/** Pixels from the bottom within which a reader is taken to follow what is spoken. */
const FOLLOWS_WITHIN = 48;

interface Row {
  readonly element: HTMLParagraphElement;
  readonly words: HTMLSpanElement[];
}

/**
 * Captions that do not jump:
 * 1. A word that is shown stays the element it is; what is committed, marked or explained changes no word's width.
 * 2. A line that was high stays so high when its tail is taken back, until the window changes.
 * 3. Who has scrolled up stays there.
 */
export class CaptionsView {
  readonly #scroller: HTMLElement;
  readonly #explained: boolean;
  readonly #rows = new Map<string, Row>();
  readonly #wordOf = new WeakMap<Element, Word>();

  /** @param explained words of the list can be reached by keyboard, for someone who tells about them */
  constructor(scroller: HTMLElement, { explained }: { readonly explained: boolean }) {
    this.#scroller = scroller;
    this.#explained = explained;
    let width = scroller.clientWidth;
    new ResizeObserver(() => {
      if (scroller.clientWidth !== width) this.#release();
      width = scroller.clientWidth;
      this.#follow();
    }).observe(scroller);
  }

  show(line: CaptionLine): void {
    const follows = this.#follows();
    const row = this.#rows.get(line.key) ?? this.#add(line);
    line.words.forEach((word, i) => {
      this.#write(row, i, word, line);
    });
    for (const gone of row.words.splice(line.words.length)) {
      gone.nextSibling?.remove();
      gone.remove();
    }
    const { element } = row;
    element.style.minHeight = `${Math.max(element.offsetHeight, Number.parseFloat(element.style.minHeight) || 0)}px`;
    if (follows) this.#follow();
  }

  /** What is known of a word that is shown. */
  wordOf(element: Element): Word | undefined {
    return this.#wordOf.get(element);
  }

  clear(): void {
    for (const { element } of this.#rows.values()) element.remove();
    this.#rows.clear();
  }

  /** To be called when letters have changed their size. */
  resized(): void {
    this.#release();
    this.#follow();
  }

  #add({ key, speaker }: CaptionLine): Row {
    const element = document.createElement('p');
    element.className = 'line';
    if (speaker !== undefined) element.append(label(speaker), ' ');
    this.#scroller.append(element);
    const row = { element, words: [] };
    this.#rows.set(key, row);
    for (const [oldest, { element: old }] of this.#rows) {
      if (this.#rows.size <= MAX_LINES) break;
      old.remove();
      this.#rows.delete(oldest);
    }
    return row;
  }

  #write({ element, words }: Row, index: number, word: Word, line: CaptionLine): void {
    let span = words[index];
    if (span === undefined) {
      span = document.createElement('span');
      element.append(span, ' ');
      words.push(span);
    }
    if (span.textContent !== word.word) span.textContent = word.word;
    span.classList.toggle('tentative', index >= line.committed);
    const listed = word.entity !== undefined;
    span.classList.toggle('listed', listed);
    this.#wordOf.set(span, word);
    if (!this.#explained) return;
    span.toggleAttribute('data-explained', listed);
    // only what stays can be focused: an element that vanished would take the focus along
    if (listed && line.final) {
      span.tabIndex = 0;
      span.role = 'button';
    }
  }

  #follows(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < FOLLOWS_WITHIN;
  }

  #follow(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #release(): void {
    for (const { element } of this.#rows.values()) element.style.minHeight = '';
  }
}

/** Who speaks, in front of what is said. */
function label(speaker: string): HTMLElement {
  const name = document.createElement('b');
  name.className = 'speaker';
  name.textContent = speaker;
  return name;
}
