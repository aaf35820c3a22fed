#!/usr/bin/env python3
"""Sentences of the text corpus -> normalised training and held-out text, a file per domain, and the word counts.

    python corpus.py OUT_FOLDER TEXT_FOLDER ... [--exclude DEV.tsv ...]

Each TEXT_FOLDER holds `<domain>.txt.gz`, a sentence a line. Writes OUT/<domain>.train, OUT/<domain>.held (one sentence
in fifty, by md5 of the raw sentence, the same rule as for the synthetic speech) and OUT/counts.json.
A sentence that is held out in one file is left out of all. Books of the text were also read aloud for the development
speech. Sentences that share seven words in a row with a
transcript of DEV.tsv, or that lie whole in one (three words or more), are therefore left out.
"""

import argparse
import collections
import csv
import gzip
import hashlib
import json
import pathlib
import re
import unicodedata
from collections.abc import Iterator

HELD_OUT = 50


def held_out(sentence: str) -> bool:
    """Whether a raw sentence belongs to the development part."""
    return int(hashlib.md5(sentence.encode()).hexdigest(), 16) % HELD_OUT == 0


def normalise(sentence: str) -> str:
    """Transcript form: lower case letters, apostrophes of words, single spaces. Accents and quotation marks fall."""
    s = unicodedata.normalize("NFKD", sentence.replace("\u2019", "'"))
    s = "".join(c for c in s if not unicodedata.combining(c)).lower()
    words = re.sub(r"[^a-z' ]", " ", s).split()
    return " ".join(w for w in (trim(w) for w in words) if w)


def trim(word: str) -> str:
    """A word without the quotation marks around it; 'tis, 'em and plural possessives (dogs') keep theirs."""
    if word.startswith("'") and word not in LEADING:
        word = word.lstrip("'")
    if word.endswith("'") and not re.search(r"(s|in|o|th)'$", word):
        word = word.rstrip("'")
    return word if word.strip("'") else ""


LEADING = {
    "'tis",
    "'twas",
    "'em",
    "'til",
    "'cause",
    "'twere",
    "'twill",
    "'tisn't",
    "'twasn't",
    "'bout",
    "'d",
    "'s",
    "'ll",
}


class Spoken:
    """Word sequences of development transcripts."""

    LONG = 7

    def __init__(self, manifests: list[pathlib.Path]) -> None:
        self.transcripts: list[str] = []
        for manifest in manifests:
            with open(manifest, encoding="utf-8") as file:
                rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                self.transcripts += [row["transcript"] for row in rows]
        self.grams = {g for t in self.transcripts for n in range(3, self.LONG + 1) for g in self.runs(t.split(), n)}

    @staticmethod
    def runs(words: list[str], n: int) -> list[tuple[str, ...]]:
        return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]

    def contains(self, sentence: str) -> bool:
        words = sentence.split()
        return len(words) >= 3 and any(g in self.grams for g in self.runs(words, min(len(words), self.LONG)))


def raw_sentences(file: pathlib.Path) -> Iterator[str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out", type=pathlib.Path)
    args.add_argument("text", type=pathlib.Path, nargs="+")
    args.add_argument("--exclude", type=pathlib.Path, nargs="*", default=[], help="manifests of development speech")
    a = args.parse_args()
    spoken = Spoken(a.exclude)
    a.out.mkdir(parents=True, exist_ok=True)
    files = sorted(f for folder in a.text for f in folder.glob("*.txt.gz"))
    held = {f: {w for s in raw_sentences(f) if held_out(s) and (w := normalise(s))} for f in files}
    kept_back = {w for words in held.values() for w in words if len(w.split()) >= 4}
    counts: dict[str, collections.Counter[str]] = {}
    for file in files:
        domain = file.name.removesuffix(".txt.gz")
        count, sentences, dropped = collections.Counter(), 0, 0
        (a.out / f"{domain}.held").write_text("\n".join(sorted(w for w in held[file] if not spoken.contains(w))) + "\n")
        with open(a.out / f"{domain}.train", "w", encoding="utf-8") as out:
            for sentence in raw_sentences(file):
                words = normalise(sentence)
                if words and not held_out(sentence):
                    if words in kept_back or spoken.contains(words):
                        dropped += 1
                    else:
                        out.write(words + "\n")
                        count.update(words.split())
                        sentences += 1
        counts[domain] = count
        print(
            domain,
            sentences,
            "sentences",
            sum(count.values()),
            "words;",
            len(held[file]),
            "held out;",
            dropped,
            "left out",
            flush=True,
        )
    (a.out / "counts.json").write_text(json.dumps(counts))


if __name__ == "__main__":
    main()
