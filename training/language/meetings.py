#!/usr/bin/env python3
"""Transcripts of real meetings (QMSum, MIT; the AMI and ICSI meetings in it CC BY 4.0) -> OUT/meetings.txt.gz.

    git clone https://github.com/Yale-LILY/QMSum && python meetings.py QMSum OUT

A sentence a line. Annotation in braces falls; turns with digits (committee papers) are left out, since the other text
has its numbers spelled out.
"""

import argparse
import gzip
import json
import pathlib
import re


def sentences(turn: str) -> list[str]:
    """A turn of the transcript -> sentences, with the tokeniser's spaces before apostrophes taken out."""
    plain = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", turn.replace("\u2019", "'"))
    plain = re.sub(r" (?='(?:s|re|ve|ll|d|m|t|em)\b)", "", plain)
    plain = re.sub(r"(?<=[a-z]) n\'t\b", "n't", plain)
    parts = (re.sub(r"\s+", " ", s).strip() for s in re.split(r"(?<=[.?!])\s+", plain))
    return [s for s in parts if re.search("[a-zA-Z]", s) and not re.search("[0-9]", s)]


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("qmsum", type=pathlib.Path)
    args.add_argument("out", type=pathlib.Path)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    count = 0
    with gzip.open(a.out / "meetings.txt.gz", "wt", encoding="utf-8") as out:
        for file in sorted(a.qmsum.glob("data/ALL/*/*.json")):
            for turn in json.loads(file.read_text(encoding="utf-8"))["meeting_transcripts"]:
                for sentence in sentences(turn["content"]):
                    out.write(sentence + "\n")
                    count += 1
    print("meetings", count, "sentences")


if __name__ == "__main__":
    main()
