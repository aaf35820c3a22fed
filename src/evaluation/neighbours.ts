import { CommonSounds } from '../phonetics/common-sounds.js';
import type { Lexicon } from '../phonetics/lexicon.js';
import { PHONES, type Phone } from '../phonetics/phones.js';
import { type DistractorPool, poolOf } from './distractors.js';

/** Words of fewer letters are hardly ever entries. */
const SHORTEST = 3;
const LABEL = new Map<Phone, number>(PHONES.map((phone, index) => [phone, index + 1]));

/**
 * Words of the dictionary that are not common but sound like a common word, or are a phone apart from one: what a list
 * must hold to tempt a recogniser most while none of it is said.
 */
export function phoneticNeighbours(lexicon: Lexicon, isCommon: (word: string) => boolean): DistractorPool {
  const sounds = new CommonSounds();
  const others: { readonly word: string; readonly labels: readonly Uint8Array[] }[] = [];
  for (const word of lexicon.words()) {
    if (word.length < SHORTEST) continue;
    const labels = lexicon.pronunciations(word).map(labelsOf);
    if (isCommon(word)) for (const each of labels) sounds.add(each);
    else others.push({ word, labels });
  }
  return poolOf(
    others.filter(({ labels }) => labels.some((each) => sounds.nearest(each) > 0)).map(({ word }) => word),
  );
}

function labelsOf(phones: readonly Phone[]): Uint8Array {
  return Uint8Array.from(phones, (phone) => LABEL.get(phone)!);
}
