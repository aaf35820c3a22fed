#!/usr/bin/env python3
"""Public-domain books, a plain text file each (Project Gutenberg) -> OUT/books.txt.gz, a sentence a line.

    git clone https://github.com/rcdm-uga/Gutenberg_Text
    python books.py Gutenberg_Text OUT [--words 60e6] --exclude DEV.tsv ...

Verse and drama are left out, and every book that shares three or more runs of seven words with the transcripts of
DEV.tsv: the readers of the development speech read from such books. Which books are taken up to the limit is decided by
the hash of their names. Sentences with digits fall; titles are spelled out as transcripts have them (mister, missus,
doctor, saint).
"""

import argparse
import gzip
import hashlib
import pathlib
import re

from corpus import Spoken, normalise

VERSE = ["Shakespeare", "Milton", "Homer", "Pope", "Dante", "Ibsen", "Goethe", "Voltaire", "Buckley", "Ormsby"]
TITLES = {
    "Mr": "Mister",
    "Mrs": "Missus",
    "Dr": "Doctor",
    "St": "Saint",
    "Messrs": "Messieurs",
    "Capt": "Captain",
    "Prof": "Professor",
    "Col": "Colonel",
    "Gen": "General",
    "Lieut": "Lieutenant",
    "Rev": "Reverend",
    "Hon": "Honorable",
}
ENDS = re.compile(r'(?<=[.!?])["\'\u201d\u2019)]*\s+(?=["\'\u201c\u2018(]*[A-Z])')
OTHER_LANGUAGES = {"und", "der", "les", "het", "een", "che", "non", "ja", "ei", "det", "dans", "nicht"}


def body(text: str) -> str:
    """Text between the publisher's header and footer."""
    begin = re.search(r"\*\*\* ?START OF.*?\*\*\*", text, re.S)
    end = re.search(r"\*\*\* ?END OF", text)
    return text[begin.end() if begin else 0 : end.start() if end else len(text)]


def sentences(text: str) -> list[str]:
    """Prose -> sentences. Paragraphs are set apart by empty lines; headings (in capitals) fall."""
    out = []
    plain = re.sub(r"[_*]|\[[^\]]*\]", "", body(text).replace("\r", "").replace("\u2014", " ").replace("--", " "))
    for paragraph in re.split(r"\n\s*\n", plain):
        line = re.sub(r"\s+", " ", paragraph).strip()
        if line.upper() == line or len(line) < 20:
            continue
        line = re.sub(r"\b(" + "|".join(TITLES) + r")\.", lambda m: TITLES[m.group(1)], line)
        out += [s for s in ENDS.split(line) if not re.search("[0-9]", s)]
    return out


def english(lines: list[str]) -> bool:
    words = " ".join(lines[:400]).lower().split()
    return len(words) > 1000 and sum(w in OTHER_LANGUAGES for w in words) < 0.01 * len(words)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("books", type=pathlib.Path)
    args.add_argument("out", type=pathlib.Path)
    args.add_argument("--words", type=float, default=60e6)
    args.add_argument("--exclude", type=pathlib.Path, nargs="*", default=[])
    a = args.parse_args()
    spoken = Spoken(a.exclude)
    long = {g for g in spoken.grams if len(g) == spoken.LONG}
    a.out.mkdir(parents=True, exist_ok=True)
    total, taken, read, seen = 0, 0, [], set()
    with gzip.open(a.out / "books.txt.gz", "wt", encoding="utf-8", compresslevel=3) as out:
        for file in sorted(a.books.rglob("*.txt"), key=lambda f: hashlib.md5(f.name.encode()).hexdigest()):
            if total >= a.words or any(v in str(file.parent.name) for v in VERSE):
                continue
            lines = sentences(file.read_text(encoding="utf-8", errors="replace"))
            if not english(lines):
                continue
            words = [normalise(s) for s in lines]
            hits = {g for w in words for g in spoken.runs(w.split(), spoken.LONG) if g in long} if long else set()
            if len(hits) >= 3:
                read.append(file.stem)
                continue
            # the same work in two editions
            fresh = [s for s, w in zip(lines, words, strict=True) if w not in seen or len(w) < 40]
            if len(fresh) < 0.7 * len(lines):
                continue
            seen.update(w for w in words if len(w) >= 40)
            out.writelines(s + "\n" for s in fresh)
            total += sum(len(w.split()) for w in words)
            taken += 1
    print("books", taken, "words", total, "left out as read in the development speech:", read)


if __name__ == "__main__":
    main()
