"""The phone inventory of the network's phone head, and the way from it to the CMU dictionary's ARPAbet."""

from __future__ import annotations

import re

SYMBOLS = "AIOQSTWYᵊabdefhijklmnoprstuvwzæðŋɐɑɔəɛɜɡɪɹɾʃʊʌʒʤʧʔθᵻɒɝɚxɲ"
"""The synthesisers' alphabet (misaki's IPA, one character a phone). Capitals are diphthongs: A as in *day*, I as in
*my*, O as in *go*, Q the British *go*, W as in *now*, Y as in *boy*. T is the tapped t of *battle*."""

BLANK = 0
IDS = {symbol: i + 1 for i, symbol in enumerate(SYMBOLS)}
COUNT = len(SYMBOLS) + 1

TO_ARPABET: dict[str, list[str]] = {
    "A": ["EY"], "I": ["AY"], "O": ["OW"], "Q": ["OW"], "W": ["AW"], "Y": ["OY"],
    "ᵊ": ["AH"], "ə": ["AH"], "ʌ": ["AH"], "ɐ": ["AH"], "ᵻ": ["IH"], "ɪ": ["IH"], "i": ["IY"], "e": ["EH"],
    "ɛ": ["EH"], "æ": ["AE"], "a": ["AE"], "ɑ": ["AA"], "ɒ": ["AA"], "ɔ": ["AO"], "o": ["AO"], "ʊ": ["UH"],
    "u": ["UW"], "ɜ": ["ER"], "ɝ": ["ER"], "ɚ": ["ER"],
    "b": ["B"], "d": ["D"], "f": ["F"], "h": ["HH"], "j": ["Y"], "k": ["K"], "l": ["L"], "m": ["M"], "n": ["N"],
    "p": ["P"], "r": ["R"], "ɹ": ["R"], "s": ["S"], "t": ["T"], "v": ["V"], "w": ["W"], "z": ["Z"], "ð": ["DH"],
    "ŋ": ["NG"], "ɡ": ["G"], "ɾ": ["T"], "ʃ": ["SH"], "S": ["S"], "ʒ": ["ZH"], "ʤ": ["JH"], "ʧ": ["CH"],
    "ʔ": ["T"], "θ": ["TH"], "T": ["T"], "x": ["K"], "ɲ": ["N", "Y"],
}  # fmt: skip
"""Every symbol as CMU phones (without stress). Followed by ɹ, ɜ merges with it: `ɜɹ` is one ER; so does `əɹ`."""

FROM_ARPABET: dict[str, str] = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AH0": "ə", "AO": "ɔ", "AW": "W", "AY": "I", "EH": "ɛ", "ER": "ɜɹ", "ER0": "əɹ",
    "EY": "A", "IH": "ɪ", "IY": "i", "OW": "O", "OY": "Y", "UH": "ʊ", "UW": "u",
    "B": "b", "CH": "ʧ", "D": "d", "DH": "ð", "F": "f", "G": "ɡ", "HH": "h", "JH": "ʤ", "K": "k", "L": "l", "M": "m",
    "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "V": "v", "W": "w", "Y": "j",
    "Z": "z", "ZH": "ʒ",
}  # fmt: skip
"""A CMU phone as the head spells it, most frequent spelling; where the stress matters the key carries it (AH0, ER0)."""


def plain(spoken: str) -> str:
    """A synthesiser's phone string without stress, spaces and punctuation."""
    return re.sub(r"[ˈˌ .,!?;:'\"-]", "", spoken)


def encode(spoken: str) -> list[int]:
    """Ids of a synthesiser's phone string; what the inventory lacks is left out."""
    return [IDS[c] for c in plain(spoken) if c in IDS]
