"""The contextual adapter: names that a session lists bend the frozen network's last layer towards themselves.

After Sathyendra et al., "Contextual adapters for personalized speech recognition in neural transducers" (arXiv
2205.13660), and Dingliwal et al., "Personalization of CTC speech recognition models" (arXiv 2210.09510), whose query is
a learned sum of the layers that carry intermediate CTC losses. Two parts, exported as a graph each:

- `Catalogue`: an entry's phones and subwords -> a key and a value for every second phone, each aware of the phones
  around it and of the whole. Runs once per new entry. (One key for the whole entry, as in the papers, learnt the
  training's own words and no others: training/README.md.)
- `Adapter`: at every frame the query attends over all these keys and over a learned `<no-bias>` key; what is attended
  to shifts the last hidden layer in front of the network's own output layer, never the logits.

`<no-bias>` shifts nothing: a session without entries gets the frozen network's numbers, exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from network import WIDTH

SIZE = 64
"""Of a key."""
VALUE = 128
SYMBOL = 128
"""Of a subword's and of a phone's embedding."""
SUBWORDS_MAX = 24
PHONES_MAX = 48
"""Symbols of an entry that are read; what is longer is told apart well enough by its beginning."""
DROPOUT = 0.1
STRIDE = 2
"""Phones to a key."""
PAD = 0
"""Subword k is symbol k + 1, phone k symbol k + 1: 0 fills up."""


class Symbols(nn.Module):
    """A sequence of symbols (N, L), filled up with PAD. Two convolutions over five tell each of its neighbours."""

    def __init__(self, count: int, longest: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count + 1, SYMBOL)
        self.position = nn.Parameter(0.02 * torch.randn(longest, SYMBOL))
        self.convolutions = nn.ModuleList(nn.Conv1d(SYMBOL, SYMBOL, 5, padding=2) for _ in range(2))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Each symbol (N, L, SYMBOL), zero where there is none, and the mean over them (N, SYMBOL)."""
        there = (ids != PAD).unsqueeze(2).float()
        x = (self.embedding(ids) + self.position[: ids.shape[1]]) * there
        for convolution in self.convolutions:
            x = (x + F.gelu(convolution(x.transpose(1, 2))).transpose(1, 2)) * there
        return x, x.sum(1) / there.sum(1).clamp(min=1)


class Catalogue(nn.Module):
    """Entries -> keys and values."""

    def __init__(self, subwords: int, phones: int) -> None:
        super().__init__()
        self.subwords = Symbols(subwords, SUBWORDS_MAX)
        self.phones = Symbols(phones, PHONES_MAX)
        self.whole = nn.Linear(2 * SYMBOL, SYMBOL)
        self.key = nn.Linear(SYMBOL, SIZE)
        self.value = nn.Linear(SYMBOL, VALUE)

    def forward(self, subwords: Tensor, phones: Tensor) -> tuple[Tensor, Tensor]:
        """subwords (N, <= SUBWORDS_MAX) and phones (N, <= PHONES_MAX), both filled up with PAD -> keys and values,
        (N, ceil(phones / STRIDE), SIZE or VALUE). Those of filled-up phones mean nothing: `places` names the others."""
        each, said = self.phones(phones)
        _, spelt = self.subwords(subwords)
        each, said = F.dropout(each, DROPOUT, self.training), F.dropout(said, DROPOUT, self.training)
        x = F.gelu(each[:, ::STRIDE] + self.whole(torch.cat([said, spelt], 1)).unsqueeze(1))
        return self.key(x), self.value(x)


def places(phones: Tensor) -> Tensor:
    """Which keys of a catalogue's answer mean something, (N, ceil(phones / STRIDE)); an entry has at least one."""
    there = phones[:, ::STRIDE] != PAD
    there[:, 0] = True
    return there


@dataclass(frozen=True)
class Biased:
    hidden: Tensor
    """(B, T, WIDTH), in front of the network's last normalisation and output layer."""
    scores: Tensor
    """Logarithms of the attention to `<no-bias>`, then to each entry, up to a constant, (B, T, 1 + M)."""


class Adapter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.zeros(2))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.listen = nn.Linear(WIDTH, 256)
        self.query = nn.Linear(256, SIZE)
        self.no_bias = nn.Parameter(torch.zeros(SIZE))
        self.no_bias_score = nn.Parameter(torch.tensor(2.0))
        self.shift = nn.Linear(VALUE, WIDTH, bias=False)
        # the gate: nothing is shifted at first. Linear, since a layer that also reads the hidden one learns it by heart
        nn.init.zeros_(self.shift.weight)

    def forward(
        self,
        hidden: Tensor,
        taps: tuple[Tensor, Tensor],
        keys: Tensor,
        values: Tensor,
        owners: Tensor,
        absent: Tensor | None = None,
    ) -> Biased:
        """hidden and taps (B, T, WIDTH); keys (K, SIZE) and values (K, VALUE) of the list's entries, one entry's after
        the other's; owners (K): whose they are, from 0 up; absent (B, M): true where an utterance does not list one."""
        weights = self.mix.softmax(0)
        mixed = sum((w * norm(t) for w, norm, t in zip(weights, self.norms, taps, strict=True)), torch.zeros(()))
        query = self.query(F.dropout(F.gelu(self.listen(mixed)), DROPOUT, self.training)) / math.sqrt(SIZE)
        scores = (query @ keys.T).float()
        if absent is not None:
            scores = scores.masked_fill(absent[:, owners].unsqueeze(1), -1e4)
        none = ((query @ self.no_bias).unsqueeze(2) + self.no_bias_score).float()
        largest = torch.maximum(scores.amax(2, keepdim=True), none).detach()
        parts, nothing = (scores - largest).exp(), (none - largest).exp()
        total = parts.sum(2, keepdim=True) + nothing
        context = (parts / total).to(values.dtype) @ values
        by_entry = torch.zeros(*parts.shape[:2], int(owners[-1]) + 1).index_add(2, owners, parts)
        return Biased(hidden + self.shift(context), torch.cat([nothing, by_entry], 2).clamp(min=1e-20).log())
