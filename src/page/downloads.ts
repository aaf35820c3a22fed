import { byId } from './dom.js';
import { FORMATS, type Transcript, type TranscriptFormat } from './transcript.js';

/** The buttons that give the transcript away as a file. */
export class Downloads {
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #transcript: Transcript;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
    this.#buttons = (Object.keys(FORMATS) as TranscriptFormat[]).map((format) => {
      const button = byId(`download-${format}`, HTMLButtonElement);
      button.addEventListener('click', () => {
        save(`captions.${format}`, transcript.write(format), FORMATS[format].type);
      });
      return button;
    });
    this.update();
  }

  update(): void {
    for (const button of this.#buttons) button.disabled = this.#transcript.empty;
  }
}

function save(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
