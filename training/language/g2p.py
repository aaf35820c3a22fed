#!/usr/bin/env python3
"""Letters to phones: a small bidirectional GRU with a CTC output, trained on the CMU Pronouncing Dictionary.

    python g2p.py train RUN [--minutes 20]      (resumes from RUN/last.pt)
    python g2p.py score RUN                     error rates on the held-out words
    python g2p.py export RUN g2p.onnx [--fixture test/fixtures/phonetics-g2p.json]

Every letter gives SLOTS steps of the CTC output, so that a word may have more phones than letters. The larger part of
the training is cross-entropy against an alignment (align.py: CTC alone idles for many epochs), the rest CTC itself.
Words of one batch have one length, in training as in the gateway: no padding, no masks. The graph: `letters` int64
(words, length), 1 apostrophe and 2..27 a..z -> `logProbs` float32 (words, SLOTS * length, phones + 1), natural logs,
0 is blank.
Held out: one word family in twenty (pronunciation.held_out). A phone error rate counts the nearest of a word's listed
pronunciations; a word is wrong when none matches.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import random
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from align import Aligner
from pronunciation import PHONES, dictionary, held_out
from torch import nn
from torch.nn import functional as F

T = TypeVar("T")
SLOTS = 3
BLANK = 0


CTC_FROM = 0.65  # part of the training after which the alignment is let go


@dataclasses.dataclass
class Example:
    letters: list[int]
    phones: list[int]
    slots: list[int] = dataclasses.field(default_factory=list)


def encode_word(word: str) -> list[int]:
    return [1 if c == "'" else ord(c) - ord("a") + 2 for c in word]


class G2p(nn.Module):
    def __init__(self, wide: int = 160, layers: int = 2, letter: int = 96) -> None:
        super().__init__()
        self.embed = nn.Embedding(28, letter)
        self.edge = nn.Parameter(torch.randn(2, letter) * 0.1)
        self.near = nn.Conv1d(letter, letter, 3, padding=1)
        self.gru = nn.GRU(letter, wide, layers, batch_first=True, bidirectional=True, dropout=0.15)
        self.out = nn.Linear(2 * wide, SLOTS * (len(PHONES) + 1))

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        x = F.dropout(self.embed(letters), 0.05, self.training)
        batch = x.shape[0]
        edge = self.edge[:, None, None].expand(2, batch, 1, x.shape[2])
        x = torch.cat([edge[0], x, edge[1]], 1)
        x = x + F.relu(self.near(x.transpose(1, 2))).transpose(1, 2)
        x, _ = self.gru(x)
        x = self.out(F.dropout(x[:, 1:-1], 0.15, self.training))
        return x.reshape(batch, -1, len(PHONES) + 1).log_softmax(-1)


def batches(items: list[T], length: Callable[[T], int], size: int, rng: random.Random) -> list[list[T]]:
    """Shuffled batches, the words of each of one length."""
    lengths: dict[int, list[T]] = {}
    for item in items:
        lengths.setdefault(length(item), []).append(item)
    out = []
    for group in lengths.values():
        rng.shuffle(group)
        out += [group[i : i + size] for i in range(0, len(group), size)]
    rng.shuffle(out)
    return out


def reachable(word: str, phones: str) -> bool:
    repeats = sum(a == b for a, b in zip(phones, phones[1:], strict=False))
    return len(phones) + repeats <= SLOTS * len(word)


def aligned(pairs: list[tuple[str, str]], rounds: int = 5) -> list[Example]:
    """Pairs of word and phones -> their letters, phones and the phone of each slot."""
    groups: dict[tuple[int, int], list[Example]] = {}
    for word, phones in pairs:
        example = Example(encode_word(word), [PHONES.index(p) + 1 for p in phones])
        groups.setdefault((len(word), len(phones)), []).append(example)
    arrays = [(np.array([e.letters for e in g]), np.array([e.phones for e in g])) for g in groups.values()]
    aligner = Aligner(27, len(PHONES))
    for _ in range(rounds):
        print("alignment", round(aligner.step(arrays), 3), flush=True)
    for group, (words, spoken) in zip(groups.values(), arrays, strict=False):
        for example, sizes in zip(group, aligner.chunks(words, spoken), strict=False):
            example.slots = [BLANK] * (SLOTS * len(sizes))
            at = 0
            for i, size in enumerate(sizes):
                example.slots[SLOTS * i : SLOTS * i + size] = example.phones[at : at + size]
                at += size
    return [e for g in groups.values() for e in g]


def loss_of(net: G2p, batch: list[Example], ctc: bool) -> torch.Tensor:
    letters = torch.tensor([e.letters for e in batch])
    spoken = net(letters)
    if not ctc:
        return (
            F.nll_loss(spoken.flatten(0, 1), torch.tensor([e.slots for e in batch]).flatten())
            * SLOTS
            * letters.shape[1]
        )
    lengths = torch.tensor([len(e.phones) for e in batch])
    targets = torch.tensor([p for e in batch for p in e.phones])
    steps = torch.full((len(batch),), spoken.shape[1])
    return F.ctc_loss(spoken.transpose(0, 1), targets, steps, lengths, blank=BLANK, reduction="sum") / len(batch)


def train(a: argparse.Namespace) -> None:
    words, rng = dictionary(), random.Random(a.seed)
    pairs = aligned([(w, p) for w, ps in words.items() if not held_out(w) for p in ps if reachable(w, p)])
    torch.manual_seed(a.seed)
    net = G2p(a.wide, a.layers)
    opt = torch.optim.AdamW(net.parameters(), lr=a.rate, weight_decay=1e-3, betas=(0.9, 0.98))
    spent, step, mean, curve, file = 0.0, 0, 0.0, [], a.run / "last.pt"
    a.run.mkdir(parents=True, exist_ok=True)
    if file.exists():
        state = torch.load(file)
        net.load_state_dict(state["net"])
        opt.load_state_dict(state["opt"])
        spent, step, curve = state["spent"], state["step"], state["curve"]
    print(len(pairs), "pronunciations,", sum(p.numel() for p in net.parameters()), "parameters", flush=True)
    begun, saved = time.time() - spent, time.time()
    while (part := (time.time() - begun) / (60 * a.minutes)) < 1:
        for batch in batches(pairs, lambda e: len(e.letters), a.batch, rng):
            part = (time.time() - begun) / (60 * a.minutes)
            if part >= 1:
                break
            for group in opt.param_groups:
                group["lr"] = a.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * part))
            loss = loss_of(net, batch, ctc=part > CTC_FROM)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            step += 1
            mean += (loss.item() - mean) * max(0.01, 1 / step)
            if step % 100 == 0:
                left = (1 - part) * a.minutes
                print(
                    f"step {step} epoch {step * a.batch / len(pairs):.1f} loss {mean:.3f}, {left:.1f} minutes left",
                    flush=True,
                )
            if time.time() - saved > 60:
                saved = time.time()
                curve.append((saved - begun, mean))
                torch.save(
                    dict(
                        net=net.state_dict(),
                        opt=opt.state_dict(),
                        spent=saved - begun,
                        step=step,
                        curve=curve,
                        wide=a.wide,
                        layers=a.layers,
                    ),
                    file,
                )
    torch.save(
        dict(
            net=net.state_dict(),
            opt=opt.state_dict(),
            spent=time.time() - begun,
            step=step,
            curve=curve,
            wide=a.wide,
            layers=a.layers,
        ),
        file,
    )


def load(run: pathlib.Path) -> G2p:
    state = torch.load(run / "last.pt")
    net = G2p(state["wide"], state["layers"])
    net.load_state_dict(state["net"])
    return net.eval()


def distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def collapse(best: list[int]) -> str:
    return "".join(PHONES[p - 1] for p, before in zip(best, [BLANK] + best, strict=False) if p not in (BLANK, before))


def errors(spell: Callable[[list[list[int]]], np.ndarray]) -> dict[str, float]:
    """Error rates of a function from a list of words of one length to log-probabilities."""
    words = dictionary()
    test = [w for w in words if held_out(w)]
    wrong = phones = edits = 0
    for batch in batches(test, len, 256, random.Random(0)):
        best = spell([encode_word(w) for w in batch]).argmax(-1).tolist()
        for word, row in zip(batch, best, strict=False):
            nearest, length = min((distance(p, collapse(row)), len(p)) for p in words[word])
            wrong, edits, phones = wrong + (nearest > 0), edits + nearest, phones + length
    return {
        "words": len(test),
        "phoneErrorRate": round(edits / phones, 4),
        "wordErrorRate": round(wrong / len(test), 4),
    }


def score(a: argparse.Namespace) -> None:
    net = load(a.run)
    with torch.no_grad():
        print(json.dumps(errors(lambda letters: net(torch.tensor(letters)).numpy())))


def export(a: argparse.Namespace) -> None:
    import onnxruntime
    from compact import eight_bit_weights

    net = load(a.run)
    torch.onnx.export(
        net,
        (torch.ones(2, 5, dtype=torch.long),),
        str(a.out),
        input_names=["letters"],
        output_names=["logProbs"],
        dynamic_axes={"letters": {0: "words", 1: "length"}, "logProbs": {0: "words", 1: "steps"}},
        opset_version=17,
        dynamo=False,
    )
    eight_bit_weights(a.out)
    session = onnxruntime.InferenceSession(str(a.out))

    def spell(letters: list[list[int]]) -> np.ndarray:
        return session.run(None, {"letters": np.array(letters)})[0]

    if a.fixture:
        a.fixture.write_text(json.dumps(fixture(spell), ensure_ascii=False, indent=2) + "\n")
    print(a.out, a.out.stat().st_size, "bytes", json.dumps(errors(spell)))


WORDS = """semacaine ventriptan gilberto duque lexigate kowalczyk bartholomew o'shaughnessy thanjavur worcestershire
phthisis xylophone quay knightley rakitin atorcillin
hyponatremia zebedee llewellyn a it mcdonough siobhan vodafone""".split()


def fixture(spell: Callable[[list[list[int]]], np.ndarray]) -> dict[str, str]:
    """What the exported graph says of some words (best path; the gateway sums over paths)."""
    return {w: collapse(spell([encode_word(w)]).argmax(-1)[0].tolist()) for w in WORDS}


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    todo = args.add_subparsers(required=True)
    for name, action in (("train", train), ("score", score), ("export", export)):
        p = todo.add_parser(name)
        p.set_defaults(action=action)
        p.add_argument("run", type=pathlib.Path)
        if name == "export":
            p.add_argument("out", type=pathlib.Path)
            p.add_argument("--fixture", type=pathlib.Path)
        if name == "train":
            p.add_argument("--minutes", type=float, default=20.0)
            p.add_argument("--wide", type=int, default=160)
            p.add_argument("--layers", type=int, default=2)
            p.add_argument("--batch", type=int, default=128)
            p.add_argument("--rate", type=float, default=3e-3)
            p.add_argument("--seed", type=int, default=0)
    a = args.parse_args()
    torch.set_num_threads(1)
    a.action(a)


if __name__ == "__main__":
    main()
