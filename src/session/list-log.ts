import type { VocabularyEntry } from '../biasing/entry.js';
import type { VocabularyChange } from './recogniser.js';

/** Patches kept apart; more are made one list, which costs a moment and frees what they replaced. */
const MAX_PATCHES = 64;

/**
 * The list in force, for another recogniser. As JSON, a seventh of what the objects take: most sessions never need it,
 * and every one has it.
 */
export class ListLog {
  #changes: string[] = [];

  constructor(list: readonly VocabularyEntry[]) {
    this.add({ replace: list });
  }

  /** A change that is in force. */
  add(change: VocabularyChange): void {
    if ('replace' in change) this.#changes = [];
    this.#changes.push(JSON.stringify(change));
    if (this.#changes.length > MAX_PATCHES) this.#changes = [JSON.stringify({ replace: this.entries() })];
  }

  /** Also those that a recogniser rejects: another does too. */
  entries(): VocabularyEntry[] {
    const entries = new Map<string, VocabularyEntry>();
    for (const json of this.#changes) {
      const change = JSON.parse(json) as VocabularyChange;
      const { set, remove } = 'replace' in change ? { set: change.replace, remove: [] } : change.patch;
      for (const text of remove) entries.delete(text.trim());
      for (const entry of set) entries.set(entry.text, entry);
    }
    return [...entries.values()];
  }
}
