/**
 * The phone inventory that lexicon, G2P and the network's phone head share. One character is one phone, in the head's
 * alphabet (misaki's form of IPA): the capitals are diphthongs (A as in day, I my, O go, W now, Y boy), r-coloured
 * vowels are two phones (bird `bɜɹd`, butter `bʌtəɹ`). `training/language/phones.json` is the same table for Python.
 */
export const PHONES = [
  // consonants
  ...([
    'b',
    'd',
    'f',
    'h',
    'j',
    'k',
    'l',
    'm',
    'n',
    'p',
    's',
    't',
    'v',
    'w',
    'z',
    'ð',
    'ŋ',
    'ɡ',
    'ɹ',
  ] as const),
  ...(['ʃ', 'ʒ', 'ʤ', 'ʧ', 'θ'] as const),
  // vowels
  ...(['A', 'I', 'O', 'W', 'Y', 'i', 'u', 'æ', 'ɑ', 'ɔ', 'ə', 'ɛ', 'ɜ', 'ɪ', 'ʊ', 'ʌ'] as const),
] as const;

export type Phone = (typeof PHONES)[number];

const CONSONANTS = 24;
const INDEX = new Map<string, number>(PHONES.map((phone, index) => [phone, index]));

/** Symbols of the head that the dictionary does not tell apart, with the phone that stands for them: taps, schwas. */
export const FOLDED: Readonly<Record<string, Phone>> = {
  T: 't',
  ɾ: 't',
  ʔ: 't',
  S: 's',
  x: 'k',
  ɲ: 'n',
  r: 'ɹ',
  ᵊ: 'ə',
  ɐ: 'ə',
  ɚ: 'ə',
  ᵻ: 'ɪ',
  ɝ: 'ɜ',
  Q: 'O',
  a: 'æ',
  e: 'ɛ',
  o: 'ɔ',
  ɒ: 'ɑ',
};

/** CMU phones (ARPAbet) in the inventory; where the stress decides, the key carries it (AH0 of about, AH of cup). */
export const ARPABET: Readonly<Record<string, string>> = {
  ...{ B: 'b', CH: 'ʧ', D: 'd', DH: 'ð', F: 'f', G: 'ɡ', HH: 'h', JH: 'ʤ', K: 'k', L: 'l', M: 'm', N: 'n' },
  ...{ NG: 'ŋ', P: 'p', R: 'ɹ', S: 's', SH: 'ʃ', T: 't', TH: 'θ', V: 'v', W: 'w', Y: 'j', Z: 'z', ZH: 'ʒ' },
  ...{ AA: 'ɑ', AE: 'æ', AH0: 'ə', AH: 'ʌ', AO: 'ɔ', AW: 'W', AY: 'I', EH: 'ɛ', ER0: 'əɹ', ER: 'ɜɹ' },
  ...{ EY: 'A', IH: 'ɪ', IY: 'i', OW: 'O', OY: 'Y', UH: 'ʊ', UW: 'u' },
};

/** Index of a phone in `PHONES`, variants of the head included; undefined for anything else. */
export function phoneIndex(symbol: string): number | undefined {
  return INDEX.get(symbol) ?? INDEX.get(FOLDED[symbol] ?? '');
}

export function isVowel(phone: Phone): boolean {
  return INDEX.get(phone)! >= CONSONANTS;
}

/** Phones of a written pronunciation (`bʌtəɹ`, variants folded); stress marks and whatever is no phone are passed over. */
export function parsePhones(written: string): Phone[] {
  const phones: Phone[] = [];
  for (const symbol of written) {
    const index = phoneIndex(symbol);
    if (index !== undefined) phones.push(PHONES[index]!);
  }
  return phones;
}

/** Phones of CMU symbols, with or without stress digits (`B AH1 T ER0`). Throws on an unknown symbol. */
export function fromArpabet(symbols: readonly string[]): Phone[] {
  return symbols.flatMap((symbol) => {
    const written = ARPABET[symbol] ?? ARPABET[symbol.replace(/[012]$/, '')];
    if (written === undefined) throw new RangeError(`no CMU phone: ${symbol}`);
    return parsePhones(written);
  });
}

/**
 * For every output of the phone head (its symbols in order, the blank an empty string) the index of its phone in
 * `PHONES`, -1 for the blank. Probabilities of outputs with one index add up.
 */
export function headPhones(symbols: readonly string[]): Int8Array {
  return Int8Array.from(symbols, (symbol) => phoneIndex(symbol) ?? -1);
}
