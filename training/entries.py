"""Entries of a vocabulary as the adapter reads them, and which of them a training utterance lists.

Phones are those of `language/phones.json` (the dictionary's, folded): the gateway pronounces entries in the same ones.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

import phones
from adapter import PAD, PHONES_MAX, SUBWORDS_MAX

TABLE = json.loads((Path(__file__).parent / "language" / "phones.json").read_text(encoding="utf-8"))
PHONE_IDS: dict[str, int] = {p: i for i, p in enumerate(TABLE["phones"])}
COMMON = 5000
"""Words this common are hardly ever listed (the is21 biasing lists' bound)."""


def folded(spoken: str) -> str:
    """A synthesiser's phones as the dictionary writes them."""
    return "".join(TABLE["fold"].get(p, p) for p in phones.plain(spoken) if TABLE["fold"].get(p, p) in PHONE_IDS)


class Pronunciations:
    """Of words: the dictionary's first, else a synthesiser's guess."""

    def __init__(self, lexicon: Path, guess: Callable[[str], str]) -> None:
        with gzip.open(lexicon, "rt", encoding="utf-8") as lines:
            self.known = {w: p.split(" ")[0] for w, p in (line.rstrip("\n").split("\t") for line in lines)}
        self.guess = guess

    def __call__(self, text: str) -> str:
        for word in text.split():
            if word not in self.known:
                self.known[word] = folded(self.guess(word))
        return "".join(self.known[word] for word in text.split())


def common_words(texts: Iterable[Path], count: int = COMMON) -> set[str]:
    """The commonest words of gzipped sentence files."""
    seen: Counter[str] = Counter()
    for path in texts:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                seen.update(re.findall(r"[a-z']+", line.lower()))
    return {word for word, _ in seen.most_common(count)}


@dataclass(frozen=True)
class Entry:
    text: str
    subwords: tuple[int, ...]
    phones: tuple[int, ...]


class Entries:
    """A growing table of entries, each with its symbols as the catalogue reads them."""

    def __init__(self, subwords: sentencepiece.SentencePieceProcessor, pronounce: Callable[[str], str]) -> None:
        self.subwords, self.pronounce = subwords, pronounce
        self.all: list[Entry] = []
        self.index: dict[str, int] = {}

    def id(self, text: str) -> int:
        if text not in self.index:
            spoken = tuple(PHONE_IDS[p] + 1 for p in self.pronounce(text))[:PHONES_MAX]
            spelt = tuple(i + 1 for i in self.subwords.encode(text))[:SUBWORDS_MAX]
            self.index[text] = len(self.all)
            self.all.append(Entry(text, spelt, spoken))
        return self.index[text]

    def tensors(self, ids: Sequence[int]) -> tuple[Tensor, Tensor]:
        """(subwords, phones) of entries, filled up."""
        some = [self.all[i] for i in ids]
        return filled([e.subwords for e in some]), filled([e.phones for e in some])


def filled(rows: Sequence[Sequence[int]]) -> Tensor:
    out = torch.full((len(rows), max(1, max(len(r) for r in rows))), PAD)
    for line, row in zip(out, rows, strict=True):
        line[: len(row)] = torch.tensor(row)
    return out


def neighbours(entries: Sequence[Entry], count: int, block: int = 1000) -> NDArray[np.int32]:
    """For each entry those whose phones resemble its own most (cosine over pairs and triples of phones), (N, count)."""
    rows, columns, seen = [], [], {}
    for i, entry in enumerate(entries):
        spoken = (0, *entry.phones, 0)
        for size in (2, 3):
            for k in range(len(spoken) - size + 1):
                rows.append(i)
                columns.append(seen.setdefault(spoken[k : k + size], len(seen)))
    counts = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(entries), len(seen)))
    norm = np.sqrt(counts.multiply(counts).sum(1)).A1
    unit = csr_matrix(counts.multiply(1 / np.maximum(norm, 1e-6)[:, None]))
    found = np.zeros((len(entries), count), np.int32)
    for begin in range(0, len(entries), block):
        near = (unit[begin : begin + block] @ unit.T).toarray()
        near[np.arange(len(near)), begin + np.arange(len(near))] = -1
        best = np.argpartition(-near, count, axis=1)[:, :count]
        found[begin : begin + block] = best
    return found


def listed_spans(record: dict[str, object], common: set[str], rng: random.Random) -> list[tuple[str, int, int]]:
    """What of an utterance counts as listed this time: (text, first frame, frame after the last). Most of its annotated
    names and rare words, and any other stretch of one to three words: how names sound is learnt from how words do, and
    few words are rare."""
    words = str(record["tr"]).split()
    spans: list[list[int]] = record["spans"]  # type: ignore[assignment]
    taken = [False] * len(words)
    found: list[tuple[str, int, int]] = []

    def take(begin: int, end: int) -> None:
        if not any(taken[begin:end]) and sum(len(w) for w in words[begin:end]) > 3:
            taken[begin:end] = [True] * (end - begin)
            found.append((" ".join(words[begin:end]), spans[begin][0], spans[end - 1][1]))

    for name in record["ents"]:  # type: ignore[attr-defined]
        size = len(name.split())
        for i in range(len(words) - size + 1):
            if " ".join(words[i : i + size]) == name and rng.random() < 0.8:
                take(i, i + size)
    for i, word in enumerate(words):
        if word not in common and rng.random() < 0.6:
            take(i, i + 1)
    for _ in range(rng.randrange(1, 2 + len(words) // 4)):
        begin = rng.randrange(len(words))
        take(begin, min(len(words), begin + rng.choices((1, 2, 3), (6, 3, 1))[0]))
    return found
