"""Speech with transcripts: packed sets (a manifest beside a tar), as the corpus and the development sets come."""

from __future__ import annotations

import csv
import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

DEV_SETS = ("native", "nonnative", "synthetic-general", "synthetic-entities")


@dataclass(frozen=True)
class Utterance:
    path: str
    speaker: str
    transcript: str
    entities: tuple[str, ...]
    samples: NDArray[np.float32]


def normalise(text: str) -> str:
    """Transcript form: lower case letters, apostrophes and single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"[^a-z' ]", " ", text.lower())).strip()


def decode(data: bytes) -> NDArray[np.float32]:
    """Mono samples at 16 kHz of an audio file's bytes."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    mono = samples.mean(1)
    if rate != 16000:
        import soxr

        mono = soxr.resample(mono, rate, 16000)
    return np.ascontiguousarray(mono, np.float32)


def read_packed(manifest: Path) -> Iterator[Utterance]:
    """The utterances of `manifest` (tab-separated, with a header) and the tar beside it."""
    with tarfile.open(manifest.with_suffix(".tar")) as tar, manifest.open() as rows:
        for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE):
            member = tar.extractfile(row["path"])
            assert member is not None
            yield Utterance(
                row["path"],
                row.get("speaker") or "",
                normalise(row["transcript"]),
                tuple(e for e in (row.get("entities") or "").split("|") if e),
                decode(member.read()),
            )
