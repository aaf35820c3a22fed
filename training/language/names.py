#!/usr/bin/env python3
"""Common English and American names, as Faker (MIT) lists them, in carrier phrases -> OUT/names.txt.gz.

    python names.py OUT [--seed 0]

So that the names that callers and meetings are full of stand in the word list, with a plausible neighbourhood, although
the text happens to lack a quarter of them. Every name comes at least twice.
"""

import argparse
import gzip
import pathlib
import random

from faker.providers.person.en_GB import Provider as British
from faker.providers.person.en_US import Provider as American

CARRIERS = [
    "my name is {f} {l}",
    "this is {f} {l}",
    "this is {f}",
    "{f} speaking",
    "thank you {f}",
    "thanks {f}",
    "hi {f}",
    "hello {f}",
    "good morning {f}",
    "mister {l}",
    "miss {l}",
    "missus {l}",
    "doctor {l}",
    "thank you mister {l}",
    "i spoke with {f} {l}",
    "{f} and {f2}",
    "please call {f} {l}",
    "the name is {l}",
    "our next question comes from {f} {l}",
    "{f} {l} will join us",
    "ask {f} about it",
    "that is {f}'s",
    "i will now hand over to {f}",
    "miss {l} asked",
    "mister {l} said",
    "yes {f}",
    "{f} said",
]


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out", type=pathlib.Path)
    args.add_argument("--seed", type=int, default=0)
    a = args.parse_args()
    rng = random.Random(a.seed)
    first = sorted(set(American.first_names) | set(British.first_names))
    last = sorted(set(American.last_names) | set(British.last_names))
    a.out.mkdir(parents=True, exist_ok=True)
    with gzip.open(a.out / "names.txt.gz", "wt", encoding="utf-8") as out:
        for _ in range(4):
            rng.shuffle(first)
            rng.shuffle(last)
            for i in range(max(len(first), len(last))):
                one, two, family = first[i % len(first)], first[(i + 1) % len(first)], last[i % len(last)]
                out.write(rng.choice(CARRIERS).format(f=one, l=family, f2=two) + "\n")
    print("names", len(first), "first,", len(last), "last")


if __name__ == "__main__":
    main()
