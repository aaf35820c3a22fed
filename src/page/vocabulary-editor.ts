import type { EntryObject, VocabularySummary } from '../protocol/messages.js';
import { byId, recall, remember } from './dom.js';
import { parseVocabulary } from './vocabulary-text.js';

/** Rest after the last key before a change is sent: half a name should not be looked for. */
const TYPING_MS = 700;

/** Changes that are listed. */
const MAX_CHANGES = 6;

const KEPT_AS = 'lexigate-vocabulary';

/** The list as text, what of it is in force, and since when. */
export class VocabularyEditor {
  readonly #text = byId('vocabulary', HTMLTextAreaElement);
  readonly #state = byId('vocabulary-state', HTMLElement);
  readonly #faults = byId('vocabulary-faults', HTMLUListElement);
  readonly #changes = byId('vocabulary-changes', HTMLOListElement);
  readonly #apply: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Text that was sent last, so that a look at the list is no change. */
  #sent = '';

  /** @param apply the list has changed */
  constructor(apply: () => void) {
    this.#apply = apply;
    this.#text.value = recall(KEPT_AS) ?? '';
    this.#text.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#changed(), TYPING_MS);
      this.#say('Being edited…');
    });
    this.#text.addEventListener('change', () => this.#changed());
    this.#text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.#changed();
    });
    byId('vocabulary-apply', HTMLButtonElement).addEventListener('click', () => {
      this.#sent = '\0';
      this.#changed();
    });
    this.#sent = this.#text.value;
    this.#showFaults();
  }

  /** The lines that are entries. */
  get entries(): readonly EntryObject[] {
    return parseVocabulary(this.#text.value).entries;
  }

  /** No session: the list waits for the next. */
  waiting(): void {
    const { length } = this.entries;
    this.#say(length === 0 ? '' : `${count(length)}, to be used from the start of the next session.`);
  }

  /** @param rate of the audio, whose sample the summary names */
  inForce({ version, entries, sample, buildMs, rejected }: VocabularySummary, rate: number): void {
    const when = `from ${(sample / rate).toFixed(2)} s`;
    this.#say(`In force ${when}: version ${version}, ${count(entries)}, built in ${buildMs} ms.`);
    const change = document.createElement('li');
    change.textContent = `Version ${version}: ${count(entries)}, ${when}, built in ${buildMs} ms`;
    if (rejected.length > 0) {
      const list = document.createElement('ul');
      list.append(...rejected.map(({ text, reason }) => item(`Not used: “${text}”: ${reason}`)));
      change.append(list);
    }
    this.#changes.prepend(change);
    while (this.#changes.children.length > MAX_CHANGES) this.#changes.lastElementChild?.remove();
  }

  /** The list that was in force before stays so. */
  refused(reason: string): void {
    this.#say(`Not changed. ${reason}`);
  }

  /** A session begins with the list as it stands, also with what was typed a moment ago. */
  newSession(): void {
    this.#settle();
    this.#say('');
    this.#changes.replaceChildren();
  }

  #changed(): void {
    if (this.#settle()) this.#apply();
  }

  /** True where the list is not the one that was sent last. */
  #settle(): boolean {
    clearTimeout(this.#timer);
    this.#showFaults();
    if (this.#text.value === this.#sent) return false;
    this.#sent = this.#text.value;
    remember(KEPT_AS, this.#sent);
    return true;
  }

  #showFaults(): void {
    const { faults } = parseVocabulary(this.#text.value);
    this.#faults.replaceChildren(...faults.map(({ line, reason }) => item(`Line ${line}: ${reason}.`)));
    this.#text.setAttribute('aria-invalid', `${faults.length > 0}`);
  }

  #say(text: string): void {
    this.#state.textContent = text;
  }
}

function count(entries: number): string {
  return `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
}

function item(text: string): HTMLLIElement {
  const element = document.createElement('li');
  element.textContent = text;
  return element;
}
