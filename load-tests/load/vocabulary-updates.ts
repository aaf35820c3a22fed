import type { EntryObject } from '../../src/protocol/messages.js';
import { madeUpEntries } from '../vocabulary.js';

/**
 * A frame that gives a stream a list of its own: the common entries, and one that no list had before. As a patch it says
 * only that one.
 */
export class VocabularyUpdates {
  readonly #common: string;
  readonly #patch: boolean;
  #count = 0;

  constructor(entries: readonly EntryObject[], patch = false) {
    this.#patch = patch;
    // said once and not for each update: the load is the gateway's, not the generator's
    this.#common = entries.map((entry) => `,${JSON.stringify(entry)}`).join('');
  }

  next(id: string): string {
    const [own] = madeUpEntries(1, 50_000_000 + this.#count++);
    if (this.#patch) {
      return `{"type":"vocabulary.update","id":"${id}","patch":{"set":[${JSON.stringify(own)}]}}`;
    }
    return `{"type":"vocabulary.update","id":"${id}","replace":[${JSON.stringify(own)}${this.#common}]}`;
  }
}
