import type { Word } from '../protocol/messages.js';

/** Tells why a word of the list stands where it stands: on hover and on focus, until Escape. */
export class Explanation {
  readonly #bubble: HTMLElement;
  readonly #wordOf: (element: Element) => Word | undefined;
  #of: HTMLElement | undefined;

  constructor(area: HTMLElement, bubble: HTMLElement, wordOf: (element: Element) => Word | undefined) {
    this.#bubble = bubble;
    this.#wordOf = wordOf;
    const show = ({ target }: Event): void => {
      const element = target instanceof Element ? target.closest<HTMLElement>('[data-explained]') : null;
      if (element !== null) this.#show(element);
    };
    // a bubble that the pointer has moved onto stays: it may be read with a magnifier
    const leave = ({ relatedTarget }: MouseEvent | FocusEvent): void => {
      if (relatedTarget !== bubble) this.#hide();
    };
    for (const type of ['mouseover', 'focusin', 'click']) area.addEventListener(type, show);
    area.addEventListener('mouseout', leave);
    area.addEventListener('focusout', leave);
    area.addEventListener('scroll', () => this.#hide());
    bubble.addEventListener('mouseleave', () => this.#hide());
    document.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#hide();
    });
  }

  #show(element: HTMLElement): void {
    const word = this.#wordOf(element);
    if (word === undefined) return;
    this.#hide();
    this.#of = element;
    this.#bubble.textContent = explain(word);
    this.#bubble.hidden = false;
    element.setAttribute('aria-describedby', this.#bubble.id);
    const { left, top, bottom } = element.getBoundingClientRect();
    const { width, height } = this.#bubble.getBoundingClientRect();
    const room = document.documentElement.clientWidth;
    this.#bubble.style.left = `${Math.max(8, Math.min(left, room - width - 8))}px`;
    // touching the word, so that the pointer can cross over; above it where there is room, for below comes new text
    this.#bubble.style.top = `${top > height ? top - height : bottom}px`;
  }

  #hide(): void {
    this.#of?.removeAttribute('aria-describedby');
    this.#of = undefined;
    this.#bubble.hidden = true;
  }
}

function explain({ entity, confidence, start, end, bias }: Word): string {
  const percent = `${Math.round(confidence * 100)}\u00a0%`;
  const times = `from ${start.toFixed(2)}\u00a0s to ${end.toFixed(2)}\u00a0s`;
  const without = bias?.changed
    ? ` Without the list: ${bias.unbiased === '' ? 'nothing' : `“${bias.unbiased}”`}.`
    : '';
  return `From your list: “${entity}”. Confidence ${percent}. Spoken ${times}.${without}`;
}
