import { byId } from './dom.js';

export interface FileOptions {
  /** It shall be heard as it is captioned, at the speed of speech. */
  readonly played: boolean;
  /** Left and right are two speakers. */
  readonly apart: boolean;
}

export interface SourceEvents {
  onMicrophone(): void;
  onFile(file: File, how: FileOptions): void;
  onStop(): void;
}

/** The controls that say where the sound comes from. */
export class Sources {
  readonly #start = byId('start', HTMLButtonElement);
  readonly #file = byId('file', HTMLInputElement);
  readonly #played = byId('played', HTMLInputElement);
  readonly #apart = byId('apart', HTMLInputElement);
  readonly #events: SourceEvents;
  #listening = false;

  constructor(events: SourceEvents) {
    this.#events = events;
    this.#start.addEventListener('click', () => {
      if (this.#listening) events.onStop();
      else events.onMicrophone();
    });
    this.#file.addEventListener('change', () => {
      this.#choose(this.#file.files?.[0]);
      // the same file may be chosen again
      this.#file.value = '';
    });
    this.#acceptDrops();
  }

  /** @param listening a session is on; its controls then end it */
  show(listening: boolean): void {
    this.#listening = listening;
    this.#start.textContent = listening ? 'Stop' : 'Start microphone';
    this.#start.classList.toggle('on', listening);
    this.#file.disabled = listening;
    this.#played.disabled = listening;
    this.#apart.disabled = listening;
  }

  #choose(file: File | undefined): void {
    if (file === undefined || this.#listening) return;
    this.#events.onFile(file, { played: this.#played.checked, apart: this.#apart.checked });
  }

  #acceptDrops(): void {
    const { classList } = document.body;
    document.addEventListener('dragover', (event) => {
      event.preventDefault();
      classList.add('dropping');
    });
    document.addEventListener('dragleave', ({ relatedTarget }) => {
      if (relatedTarget === null) classList.remove('dropping');
    });
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      classList.remove('dropping');
      this.#choose(event.dataTransfer?.files[0]);
    });
  }
}
