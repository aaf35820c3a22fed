#!/usr/bin/env python3
"""Scores by an outside reader of ARPA files (KenLM) -> what test/ngram.test.ts compares the gateway's reader with.

    python lm_fixture.py MODEL.arpa lm.bin TEXT test/fixtures

Writes ngram-shipped.json (200 trigrams of held-out text under the shipped model) and ngram-tiny.json (a model of a few
sentences, packed, in base64, and 400 of the scores of its words after pairs of its words). Natural logarithms.
"""

import argparse
import base64
import hashlib
import json
import math
import pathlib
import random
import tempfile

import kenlm
import oracle
from lm import run
from pack_lm import pack, read_arpa

LN10 = math.log(10)
TINY = """the ship sails at noon
the ship sails at dawn
the captain sails the ship
a captain's word is law
the word of the captain
at noon the captain eats
at noon the ship sails
a ship at sea
the sea at dawn
the captain's ship is at sea""".split("\n")


def score(model: kenlm.Model, words: list[str]) -> float:
    """Natural log-probability of the last word after those before it, no sentence begin assumed."""
    state, after, value = kenlm.State(), kenlm.State(), 0.0
    model.NullContextWrite(state)
    if words[0] == "<s>":
        model.BeginSentenceWrite(state)
        words = words[1:]
    for word in words:
        value = model.BaseScore(state, word, after)
        state, after = after, state
    return round(value * LN10, 5)


def tiny() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        words = ["<s>", "</s>", "<unk>", *sorted({w for s in TINY for w in s.split()})]
        (folder / "dict").write_text(f"DICTIONARY 0 {len(words)}\n" + "".join(f"{w} 1\n" for w in words))
        (folder / "text").write_text("".join(f"<s> {s} </s>\n" for s in TINY))
        run(
            "tlm",
            f"-tr={folder / 'text'}",
            "-n=3",
            "-lm=wb",
            "-bo=yes",
            "-ps=no",
            f"-d={folder / 'dict'}",
            f"-o={folder / 'arpa'}",
        )
        model = oracle.load(folder / "arpa")
        packed = pack(read_arpa(folder / "arpa"))
    spoken = [w for w in words if w not in ("<s>", "<unk>")]
    starts = ["<s>"] + [w for w in spoken if w != "</s>"]
    triples = [(a, b, c) for a in starts for b in starts if b != "<s>" for c in spoken]
    scores = [[*t, score(model, list(t))] for t in random.Random(0).sample(triples, 400)]
    return {"model": base64.b64encode(packed).decode(), "scores": scores}


def shipped(arpa: pathlib.Path, packed: pathlib.Path, text: pathlib.Path) -> dict[str, object]:
    model, rng = oracle.load(arpa), random.Random(0)
    lines = [s for f in sorted(text.glob("*.held")) for s in f.read_text().splitlines() if s]
    scores = []
    for sentence in rng.sample(lines, 200):
        words = ["<s>", *sentence.split(), "</s>"]
        i = rng.randrange(max(1, len(words) - 2))
        words = words[i : i + 3]
        scores.append([*words, score(model, words), words[-1] in model])
    return {"sha256": hashlib.sha256(packed.read_bytes()).hexdigest(), "scores": scores}


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("arpa", type=pathlib.Path)
    args.add_argument("packed", type=pathlib.Path)
    args.add_argument("text", type=pathlib.Path)
    args.add_argument("fixtures", type=pathlib.Path)
    a = args.parse_args()
    a.fixtures.mkdir(parents=True, exist_ok=True)
    for name, value in (("ngram-shipped", shipped(a.arpa, a.packed, a.text)), ("ngram-tiny", tiny())):
        rows = ",\n    ".join(json.dumps(row) for row in value.pop("scores"))
        head = "".join(f"  {json.dumps(k)}: {json.dumps(v)},\n" for k, v in value.items())
        (a.fixtures / f"{name}.json").write_text(f'{{\n{head}  "scores": [\n    {rows}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
