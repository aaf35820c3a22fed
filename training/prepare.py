"""Log-mel features of all speech, once: the cache that `fit.py` trains from.

    python prepare.py CORPUS CACHE [--made FOLDER ...] [--more MANIFEST.tsv ...]

CORPUS has real/*.tsv with a tar beside each (see corpus.py). FOLDER is what `synthesise.py` wrote: NAME.jsonl with a
record per utterance, and NAME/*.flac; all of a folder's becomes one set, named after the folder (begin the name with
hibari, kokoro or synthetic, so that it counts as such). A set that is already in the cache is left alone: the command
resumes where it stopped.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

import phones
from corpus import read_packed
from features import RATE, log_mel

SHORTEST, LONGEST = 1.0, 16.0
"""Seconds. Longer utterances find no batch shape in data.LENGTHS."""


@dataclass(frozen=True)
class Spoken:
    transcript: str
    phones: str
    samples: NDArray[np.float32]


def write_set(items: Iterable[Spoken], stem: Path) -> str:
    """Writes STEM.npy and STEM.json; returns what was written, for people."""
    records: list[dict[str, object]] = []
    rows: list[NDArray[np.float16]] = []
    at = 0
    for item in items:
        if not item.transcript or not SHORTEST < len(item.samples) / RATE < LONGEST:
            continue
        mel = log_mel(item.samples).astype(np.float16)
        records.append({"o": at, "n": len(mel), "tr": item.transcript, "ph": item.phones})
        rows.append(mel)
        at += len(mel)
    if not rows:
        return f"{stem.name}: nothing of usable length"
    np.save(stem.with_suffix(".npy"), np.concatenate(rows))
    stem.with_suffix(".json").write_text(json.dumps(records))  # last: its presence says that the set is complete
    return f"{stem.name}: {len(records)} utterances, {at / 360000:.2f} h"


def phonemiser() -> Callable[[str], str]:
    """Phones of a transcript, by the synthesiser's own rules: the inventory of synthetic and real speech is one."""
    from hibari import Hibari

    g2p = Hibari(threads=1)
    known: dict[str, str] = {}

    def phones_of(text: str) -> str:
        if text not in known:
            known[text] = phones.plain(" ".join(g2p.phonemize(text)))
        return known[text]

    return phones_of


def real(manifest: Path, phones_of: Callable[[str], str]) -> Iterator[Spoken]:
    for utterance in read_packed(manifest):
        yield Spoken(utterance.transcript, phones_of(utterance.transcript), utterance.samples)


def made(folder: Path) -> Iterator[Spoken]:
    for lines in sorted(folder.glob("*.jsonl")):
        for line in lines.open():
            record = json.loads(line)
            samples, _ = soundfile.read(folder / f"{record['id']}.flac", dtype="float32")
            yield Spoken(record["transcript"], phones.plain(record["phones"]), samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--made", type=Path, nargs="*", default=[])
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="manifests of further real speech")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    phones_of = phonemiser()
    sources: list[tuple[str, Callable[[], Iterator[Spoken]]]] = []
    for manifest in sorted((args.corpus / "real").glob("*.tsv")) + args.more:
        sources.append((manifest.stem, partial(real, manifest, phones_of)))
    for folder in args.made:
        sources.append((folder.name, partial(made, folder)))
    for i, (name, items) in enumerate(sources, 1):
        stem = args.cache / f"train-{name}"
        done = stem.with_suffix(".json").exists()
        print(
            f"[{i}/{len(sources)}] " + ("there already: " + stem.name if done else write_set(items(), stem)), flush=True
        )


if __name__ == "__main__":
    main()
