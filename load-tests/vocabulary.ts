import type { EntryObject } from '../src/protocol/messages.js';

/** Two made-up words per entry, the same for the same salt. */
export function madeUpEntries(size: number, salt: number): EntryObject[] {
  return Array.from({ length: size }, (_, i) => ({ text: `${word(i + salt)} ${word(i + salt + 7919)}` }));
}

function word(seed: number): string {
  let state = seed >>> 0;
  let out = '';
  for (let i = 0; i < 8; i++) {
    // Numerical Recipes' linear congruential generator; its high bits are random enough for letters
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out += String.fromCharCode(97 + ((state >>> 16) % 26));
  }
  return out;
}
