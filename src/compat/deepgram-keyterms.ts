import type { Entry } from '../protocol/messages.js';
import type { SessionLimits } from '../session/limits.js';

/** A term as the client wrote it, and as the vocabulary takes it. */
export interface Keyterm {
  readonly given: string;
  readonly entry: Entry;
}

/** What is wrong with a list of terms; `tooMuch` when it is its size or that of a term. */
export interface KeytermFault {
  readonly tooMuch: boolean;
  readonly message: string;
}

/** The protocol's own bounds for an entry. */
const MAX_TERM_LENGTH = 100;
const MAX_WEIGHT = 10;

/** A weight stands at the end, behind a colon: what follows any other colon belongs to the term. */
const WEIGHTED = /^(.*\S)\s*:([+-]?\d+(?:\.\d+)?)$/su;

/** `Ada Lovelace` or `Ada Lovelace:1.5`. */
export function toKeyterm(given: string): Keyterm {
  const [, text, weight] = WEIGHTED.exec(given) ?? [];
  if (text === undefined || weight === undefined) return { given, entry: given.trim() };
  return { given, entry: { text: text.trim(), weight: Number(weight) } };
}

/** The first fault of a list, or none: what passes is a well-formed vocabulary. */
export function faultOf(
  keyterms: readonly Keyterm[],
  limits: Pick<SessionLimits, 'maxEntries' | 'maxEntryLength'>,
): KeytermFault | undefined {
  if (keyterms.length > limits.maxEntries) {
    const message = `There are ${keyterms.length} keyterms; send at most ${limits.maxEntries}.`;
    return { tooMuch: true, message };
  }
  const longest = Math.min(MAX_TERM_LENGTH, limits.maxEntryLength);
  for (const { given, entry } of keyterms) {
    const { text, weight = 1 } = typeof entry === 'string' ? { text: entry } : entry;
    if (text === '') return { tooMuch: false, message: 'A keyterm is empty.' };
    if (text.length > longest) {
      const message = `The keyterm "${text.slice(0, 40)}..." has ${text.length} characters; it may have ${longest}.`;
      return { tooMuch: true, message };
    }
    if (!(weight > 0 && weight <= MAX_WEIGHT)) {
      const message = `The keyterm "${given}" has a weight that is not above 0 and at most ${MAX_WEIGHT}.`;
      return { tooMuch: false, message };
    }
  }
  return undefined;
}
