import { normaliseEntry } from '../biasing/normalise.js';

/**
 * Text as it is scored: lower case, letters and apostrophes, single spaces, no diacritics; the spelling that entries
 * have in the graph, so that an entry and its place in a transcript are equal strings. What has no such spelling
 * (digits, other scripts) stays as it is, without its punctuation: it cannot be recognised and counts as an error,
 * where dropping it would hide that.
 */
export function normaliseText(text: string): string {
  return text
    .split(/\s+/)
    .map((token) => normaliseEntry(token) ?? bare(token))
    .filter((token) => token !== '')
    .join(' ');
}

export function wordsOf(normalised: string): string[] {
  return normalised === '' ? [] : normalised.split(' ');
}

function bare(token: string): string {
  return token
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}']/gu, '')
    .replace(/^'+|'+$/g, '');
}
