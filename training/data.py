"""The cache of log-mel features, and batches of fixed shapes out of it.

A set is two files: `train-NAME.npy` (all frames of all utterances, float16) and `train-NAME.json` (a record per
utterance: `o` first frame, `n` frames, `tr` transcript, `ph` the synthesiser's phones or those of a G2P). The frames
are memory-mapped, so that the workers of a run share them.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from torch import Tensor

import phones
from augment import Augmenter
from features import BANDS

LENGTHS = (256, 512, 768, 1024, 1280, 1664)
"""Mel frames of a batch: few fixed shapes, since for every new shape oneDNN builds its kernels anew."""
LATENCIES = ((8, 8),) * 3 + ((16, 8),) * 3 + ((8, 4), (4, 4), (2, 2))
"""(chunk, look-ahead) in output frames, drawn for every batch: one model serves them all."""
LN10 = math.log(10)
MADE = ("hibari", "kokoro", "synthetic")
"""Sets whose name begins so are synthetic speech."""


@dataclass(frozen=True)
class Sample:
    frames: NDArray[np.float16]
    begin: int
    length: int
    subwords: tuple[int, ...]
    phones: tuple[int, ...]

    def log_mel(self) -> Tensor:
        """log10 power, (length, BANDS)."""
        return torch.from_numpy(self.frames[self.begin : self.begin + self.length].astype(np.float32))


@dataclass(frozen=True)
class Batch:
    mel: Tensor
    lengths: Tensor
    subwords: Tensor
    subword_counts: Tensor
    phones: Tensor
    phone_counts: Tensor


def load_set(stem: Path, subwords: sentencepiece.SentencePieceProcessor) -> list[Sample]:
    """A set of the cache, without the utterances whose text cannot fit into their frames."""
    frames = np.load(stem.with_suffix(".npy"), mmap_mode="r")
    samples = []
    for record in json.loads(stem.with_suffix(".json").read_text()):
        text = tuple(subwords.encode(record["tr"]))
        spoken = tuple(phones.encode(record["ph"] or "")) or (1,)
        if max(len(text), len(spoken)) < record["n"] // 4 - 2:
            samples.append(Sample(frames, record["o"], record["n"], text, spoken))
    return samples


def load_training(
    cache: Path, subwords: sentencepiece.SentencePieceProcessor, without: tuple[str, ...]
) -> tuple[list[Sample], list[Sample]]:
    """(real, synthetic) speech of all training sets in the cache, but for names that contain one of `without`."""
    real: list[Sample] = []
    made: list[Sample] = []
    for path in sorted(cache.glob("train-*.json")):
        name = path.stem.removeprefix("train-")
        if not any(w in name for w in without):
            (made if name.startswith(MADE) else real).extend(load_set(path.with_suffix(""), subwords))
    return real, made


def plan(samples: list[Sample], seconds: float, multiple: int, rng: random.Random) -> list[tuple[list[Sample], int]]:
    """One pass as batches of about `seconds` of speech: (samples, mel frames). Batches of one length are equally large
    and a multiple of `multiple`; what is short of a full one is filled up at random."""
    shelves: dict[int, list[Sample]] = {}
    for sample in samples:
        room = sample.length * rng.choice((1, 1.14)) + 8  # augmentation may slow it down
        length = next((t for t in LENGTHS if room <= t), None)
        if length:
            shelves.setdefault(length, []).append(sample)
    batches = []
    for length, shelf in shelves.items():
        size = max(1, round(seconds * 100 / length / multiple)) * multiple
        rng.shuffle(shelf)
        for begin in range(0, len(shelf), size):
            chosen = shelf[begin : begin + size]
            batches.append((chosen + rng.choices(shelf, k=size - len(chosen)), length))
    rng.shuffle(batches)
    return batches


def collate(samples: list[Sample], length: int, augmenter: Augmenter) -> Batch:
    """Log-mel behind one frame of floor, as a stream begins."""
    mel = torch.full((len(samples), length, BANDS), -10.0)
    lengths = []
    for row, sample in zip(mel, samples, strict=True):
        other = augmenter.rng.choice(samples)
        f = augmenter(sample.log_mel() * LN10, other.log_mel() * LN10)[: length - 8] / LN10
        row[1 : 1 + len(f)] = f
        lengths.append(len(f) + 5)
    texts, spoken = [s.subwords for s in samples], [s.phones for s in samples]
    return Batch(
        mel,
        torch.tensor(lengths),
        torch.tensor([i for t in texts for i in t]),
        torch.tensor([len(t) for t in texts]),
        torch.tensor([i for p in spoken for i in p]),
        torch.tensor([len(p) for p in spoken]),
    )
