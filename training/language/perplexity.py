#!/usr/bin/env python3
"""Perplexities of an ARPA model by KenLM, on held-out text (*.held of TEXT) and on transcripts of manifests.

python perplexity.py MODEL.arpa TEXT [MANIFEST.tsv ...]
"""

import argparse
import csv
import pathlib

import kenlm
import oracle


def perplexity(model: kenlm.Model, sentences: list[str]) -> tuple[float, float]:
    """Over listed words and sentence ends; and the part of unlisted words."""
    total, listed, unlisted = 0.0, 0, 0
    for sentence in sentences:
        for score, _, oov in model.full_scores(sentence):
            total, listed, unlisted = (total, listed, unlisted + 1) if oov else (total + score, listed + 1, unlisted)
    return 10 ** (-total / listed), unlisted / (listed + unlisted)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("arpa", type=pathlib.Path)
    args.add_argument("text", type=pathlib.Path)
    args.add_argument("manifests", type=pathlib.Path, nargs="*")
    a = args.parse_args()
    model = oracle.load(a.arpa)
    sets = {f.stem: f.read_text().splitlines()[:20000] for f in sorted(a.text.glob("*.held"))}
    for manifest in a.manifests:
        with open(manifest, encoding="utf-8") as file:
            sets[manifest.stem] = [
                r["transcript"] for r in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            ]
    for name, sentences in sets.items():
        value, unlisted = perplexity(model, sentences)
        print(f"{name}: {value:.1f}, {100 * unlisted:.2f} % unlisted")


if __name__ == "__main__":
    main()
