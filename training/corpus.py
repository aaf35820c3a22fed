"""Speech with transcripts: packed sets (a manifest beside a tar), as the corpus and the development sets come."""

from __future__ import annotations

import csv
import io
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    """The utterances of `manifest` (tab-separated, with a header) and the tar beside it, or the folder of its name."""
    with manifest.open() as rows, _files(manifest) as read:
        for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Utterance(
                row["path"],
                row.get("speaker") or "",
                normalise(row["transcript"]),
                tuple(e for e in (row.get("entities") or "").split("|") if e),
                decode(read(row["path"])),
            )


@contextmanager
def _files(manifest: Path) -> Iterator[Callable[[str], bytes]]:
    """Reads the files that a manifest names."""
    packed = manifest.with_suffix(".tar")
    if not packed.exists():
        yield lambda path: (manifest.with_suffix("") / path).read_bytes()
        return
    with tarfile.open(packed) as tar:

        def read(path: str) -> bytes:
            member = tar.extractfile(path)
            assert member is not None
            return member.read()

        yield read
