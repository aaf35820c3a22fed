#!/usr/bin/env python3
"""CMU Pronouncing Dictionary -> lexicon.tsv.gz: a line per word, sorted by code points, `word TAB phones[ phones...]`.

python lexicon.py models/en-base/lexicon.tsv.gz
"""

import argparse
import gzip
import pathlib

from pronunciation import dictionary


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out", type=pathlib.Path)
    a = args.parse_args()
    words = dictionary()
    text = "".join(f"{w}\t{' '.join(words[w])}\n" for w in sorted(words))
    a.out.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(a.out, len(words), "words", sum(map(len, words.values())), "pronunciations", a.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
