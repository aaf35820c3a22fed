#!/usr/bin/env python3
"""CMU Pronouncing Dictionary -> graphemes.tsv: which letters are said as which phones, and what follows what.

python graphemes.py models/en-base/graphemes.tsv

Letters and phones are aligned (`align.py`); a letter that says nothing joins the letter before it, at a word's begin
the one behind it. So "knight" is kn-n igh-I t-t: three units. The file has a line per unit, commonest first:
`letters TAB phones TAB count TAB followers`, and a first line without letters and phones for the words' begins and
ends. Followers are `line:count`, separated by spaces: by the line's number (from 0) the unit that stands behind this
one, and how often. Units that occur fewer than `--least` times are left out with the words that need them, and so are
pairs that occur fewer than `--least-pairs` times.
"""

import argparse
import collections
import pathlib

import numpy as np
from align import Aligner
from pronunciation import PHONES, dictionary

ROUNDS = 5
LONGEST = 5  # letters of a unit; what is longer is an abbreviation
EDGE = ("", "")
LETTERS = "'abcdefghijklmnopqrstuvwxyz"

Pair = tuple[str, str]


def aligned(pairs: list[Pair]) -> list[list[Pair]]:
    """Units (letters, phones) of each pair of a word and its phones."""
    groups: dict[tuple[int, int], list[Pair]] = collections.defaultdict(list)
    for word, phones in pairs:
        groups[len(word), len(phones)].append((word, phones))
    arrays = [
        (
            np.array([[LETTERS.index(c) + 1 for c in w] for w, _ in g]),
            np.array([[PHONES.index(p) + 1 for p in s] for _, s in g]),
        )
        for g in groups.values()
    ]
    aligner = Aligner(len(LETTERS), len(PHONES))
    for _ in range(ROUNDS):
        print("alignment", round(aligner.step(arrays), 3), flush=True)
    words = []
    for group, (letters, spoken) in zip(groups.values(), arrays, strict=True):
        words += [units(w, s, sizes) for (w, s), sizes in zip(group, aligner.chunks(letters, spoken), strict=True)]
    return words


def units(word: str, phones: str, sizes: np.ndarray) -> list[Pair]:
    out: list[Pair] = []
    silent, at = "", 0
    for letter, size in zip(word, sizes, strict=True):
        if size > 0:
            out.append((silent + letter, phones[at : at + size]))
            silent, at = "", at + size
        elif out:
            out[-1] = (out[-1][0] + letter, out[-1][1])
        else:
            silent += letter
    return out


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out", type=pathlib.Path)
    args.add_argument("--least", type=int, default=15)
    args.add_argument("--least-pairs", type=int, default=3)
    a = args.parse_args()
    # what has more than three phones a letter cannot be aligned
    pairs = [(w, s) for w, spoken in dictionary().items() for s in spoken if 0 < len(s) <= 3 * len(w)]
    words = aligned(pairs)
    often = collections.Counter(unit for word in words for unit in word)
    kept = [word for word in words if all(often[u] >= a.least and len(u[0]) <= LONGEST for u in word)]
    counts = collections.Counter(unit for word in kept for unit in word)
    inventory = [EDGE, *sorted(counts, key=lambda u: (-counts[u], u))]
    counts[EDGE] = len(kept)
    number = {unit: i for i, unit in enumerate(inventory)}
    follows: dict[Pair, collections.Counter[int]] = collections.defaultdict(collections.Counter)
    for word in kept:
        for left, right in zip([EDGE, *word], [*word, EDGE], strict=True):
            follows[left][number[right]] += 1
    lines = [
        "\t".join(
            (*u, str(counts[u]), " ".join(f"{v}:{c}" for v, c in sorted(follows[u].items()) if c >= a.least_pairs))
        )
        for u in inventory
    ]
    a.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(a.out, len(lines), "units,", len(kept), "of", len(words), "pronunciations,", a.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
