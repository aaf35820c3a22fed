import type { Labels } from './pronouncer.js';

/** How near a sound is to that of a common word: 0 not near, 1 a phone apart, 2 the same. */
export type Confusability = 0 | 1 | 2;

/**
 * The sounds of common words, asked for what is nearest. A phone more, less or another is found by what both have in
 * common when one phone is left out of each (Garbe's symmetric deletes, 2012); that also finds two phones that have
 * changed places, or one of each left out in different places, which are no further apart for the ear.
 */
export class CommonSounds {
  readonly #sounds = new Set<string>();
  readonly #shortened = new Set<string>();

  add(labels: Labels): void {
    const sound = String.fromCharCode(...labels);
    this.#sounds.add(sound);
    for (const shorter of withoutOne(sound)) this.#shortened.add(shorter);
  }

  nearest(labels: Labels): Confusability {
    const sound = String.fromCharCode(...labels);
    if (this.#sounds.has(sound)) return 2;
    if (this.#shortened.has(sound)) return 1;
    return withoutOne(sound).some((shorter) => this.#sounds.has(shorter) || this.#shortened.has(shorter))
      ? 1
      : 0;
  }
}

function withoutOne(sound: string): string[] {
  return Array.from(sound, (_, i) => sound.slice(0, i) + sound.slice(i + 1));
}
