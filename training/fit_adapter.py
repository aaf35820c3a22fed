"""Train the contextual adapter over a frozen network's hidden layers (`hidden.py`), and measure it.

    python fit_adapter.py HIDDEN CHECKPOINT_OR_ONNX OUT --minutes 30 --corpus CORPUS --lexicon BUNDLE/lexicon.tsv.gz

Losses: CTC over what the shifted layer says, and the cross-entropy of the attention against the entry that is spoken in
a frame, `<no-bias>` where none is (supervised attention: CTC alone taught such adapters nothing on little speech). Each
batch lists the names of its utterances, the names that sound most like them, and names drawn at random; an utterance's
own names are left out of its list now and then, so that `<no-bias>` is learnt next to near misses.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import phones
import weights
from adapter import Adapter, Biased, Catalogue, places
from entries import PHONE_IDS, Entries, Pronunciations, common_words, listed_spans, neighbours
from network import StreamingCtc
from prepare import phonemiser
from score import load_subwords

NEIGHBOURS = 12
MARGIN = 2
"""Frames around a word's CTC peaks that still belong to it."""
GOLD_DROPOUT = 0.15
NAMED = 0.3
"""More than there are: else nothing is ever attended to."""
ATTENTION = 0.5
"""Weight of the attention's cross-entropy beside CTC (nats per symbol)."""


class Contextual(nn.Module):
    """Catalogue and adapter, and the frozen output layer behind them."""

    def __init__(self, net: StreamingCtc, subwords: int) -> None:
        super().__init__()
        self.catalogue, self.adapter = Catalogue(subwords, len(PHONE_IDS)), Adapter()
        self.frozen = [net.ln, net.out]
        for module in self.frozen:
            module.requires_grad_(False)

    def bias(
        self, last: Tensor, taps: tuple[Tensor, Tensor], entries: tuple[Tensor, Tensor], absent: Tensor | None = None
    ) -> Biased:
        keys, values = self.catalogue(*entries)
        there = places(entries[1])
        owners = torch.arange(len(there)).repeat_interleave(there.sum(1))
        biased: Biased = self.adapter(last, taps, keys[there], values[there], owners, absent)
        return biased

    def logits(self, hidden: Tensor) -> Tensor:
        ln, out = self.frozen
        result: Tensor = out(ln(hidden))
        return result


class Feed:
    """Batches: hidden layers, lists and targets, drawn anew each time."""

    def __init__(self, folder: Path, entries: Entries, common: set[str], extra: list[str], args: argparse.Namespace):
        self.frames = np.load(folder / "hidden.npy", mmap_mode="r")
        self.records = json.loads((folder / "hidden.json").read_text())
        self.entries, self.common, self.args = entries, common, args
        self.rng = random.Random(args.seed)
        for record in self.records:
            for text, _, _ in listed_spans(record, common, random.Random(0)):
                entries.id(text)
        for word in extra:
            entries.id(word)
        self.pool = len(entries.all)
        self.near = neighbours(entries.all, NEIGHBOURS)

    def batches(self) -> Iterator[tuple[Tensor, Tensor, list[int], Tensor, Tensor, Tensor, Tensor]]:
        """(hidden (B, T, 3, W), frames (B,), list of entry ids, absent (B, M), target entry per frame (B, T), symbols,
        symbol counts)."""
        order = sorted(range(len(self.records)), key=lambda i: self.records[i]["n"] + self.rng.random() * 20)
        groups, group, total = [], [], 0
        for i in order:
            group.append(i)
            total += self.records[i]["n"]
            if total > self.args.batch * 25:
                groups.append(group)
                group, total = [], 0
        self.rng.shuffle(groups)
        for chosen in groups:
            yield self._batch([self.records[i] for i in chosen])

    def _said(self, record: dict[str, object], column: dict[int, int]) -> list[tuple[int, int, int]]:
        """Entries of the batch's list in an utterance's text: (id, first frame, frame after the last), short first."""
        words = str(record["tr"]).split()
        spans: list[list[int]] = record["spans"]  # type: ignore[assignment]
        found = []
        for size in (1, 2, 3):
            for i in range(len(words) - size + 1):
                e = self.entries.index.get(" ".join(words[i : i + size]), -1)
                if e in column:
                    found.append((e, spans[i][0], spans[i + size - 1][1]))
        return found

    def _batch(
        self, records: list[dict[str, object]]
    ) -> tuple[Tensor, Tensor, list[int], Tensor, Tensor, Tensor, Tensor]:
        rng, entries = self.rng, self.entries
        own = [
            [(entries.id(text), begin, end) for text, begin, end in listed_spans(r, self.common, rng)] for r in records
        ]
        ids = list(dict.fromkeys(e for spans in own for e, _, _ in spans))
        for i in list(ids):
            if i < self.pool:
                ids += rng.sample(self.near[i].tolist(), rng.randrange(4))
        ids = list(dict.fromkeys(ids + rng.sample(range(self.pool), rng.choice((0, 30, 100, 300)))))
        column = {e: m for m, e in enumerate(ids)}
        longest = max(int(r["n"]) for r in records)  # type: ignore[call-overload]
        hidden = torch.zeros(len(records), longest, *self.frames.shape[1:])
        absent = torch.zeros(len(records), len(ids), dtype=torch.bool)
        target = torch.full((len(records), longest), -100)
        for b, (record, spans) in enumerate(zip(records, own, strict=True)):
            at, n = int(record["o"]), int(record["n"])  # type: ignore[call-overload]
            hidden[b, :n] = torch.from_numpy(self.frames[at : at + n].astype(np.float32))
            target[b, :n] = 0
            for e, _, _ in spans:
                absent[b, column[e]] = rng.random() < GOLD_DROPOUT
            # what others of the batch list may be spoken here too; longer stretches last, since they prevail
            said = [s for s in self._said(record, column) if not absent[b, column[s[0]]]]
            for _, begin, end in said:
                target[b, max(0, begin - MARGIN) : end + MARGIN] = -100  # the frames around are anyone's
            for e, begin, end in said:
                target[b, max(0, begin - 1) : end] = column[e] + 1
        texts = [entries.subwords.encode(str(r["tr"])) for r in records]
        counts = torch.tensor([int(r["n"]) for r in records])  # type: ignore[call-overload]
        symbols = torch.tensor([i for t in texts for i in t])
        return hidden, counts, ids, absent, target, symbols, torch.tensor([len(t) for t in texts])


def attention_loss(scores: Tensor, target: Tensor) -> tuple[Tensor, float, float]:
    """Cross-entropy in which frames with a name have the share NAMED; how often those without and with were right."""
    flat, truth = scores.float().flatten(0, 1), target.flatten()
    loss = F.cross_entropy(flat, truth, ignore_index=-100, reduction="none")
    with torch.no_grad():
        right = flat.argmax(1) == truth
        none, named = truth == 0, truth > 0
        rates = [float(right[m].float().mean()) if m.any() else 1.0 for m in (none, named)]
    parts = [share * loss[m].mean() for m, share in ((none, 1 - NAMED), (named, NAMED)) if m.any()]
    return torch.stack(parts).sum(), rates[0], rates[1]


def train(model: Contextual, feed: Feed, args: argparse.Namespace) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=1e-2)
    begun, step, seconds = time.time(), 0, 0.0
    mean: dict[str, float] = {}
    saved = begun
    while True:
        for hidden, counts, ids, absent, target, symbols, symbol_counts in feed.batches():
            progress = (time.time() - begun) / (60 * args.minutes)
            if progress >= 1:
                return
            rate = args.lr * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
            for group in optimizer.param_groups:
                group["lr"] = rate
            last, low, high = hidden.unbind(2)
            with torch.autocast("cpu", torch.bfloat16):
                biased = model.bias(last, (low, high), feed.entries.tensors(ids), absent)
                logits = model.logits(biased.hidden)
            ctc = F.ctc_loss(
                logits.float().log_softmax(-1).transpose(0, 1), symbols, counts, symbol_counts,
                blank=logits.shape[-1] - 1, zero_infinity=True,
            )  # fmt: skip
            attention, none, named = attention_loss(biased.scores, target)
            optimizer.zero_grad()
            (ctc + ATTENTION * attention).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            step += 1
            seconds += float(counts.sum()) / 25
            now = {"ctc": ctc.item(), "attention": attention.item(), "none": none, "named": named}
            mean = {k: 0.97 * mean.get(k, v) + 0.03 * v for k, v in now.items()}
            if step % 50 == 0:
                left = args.minutes - (time.time() - begun) / 60
                values_ = " ".join(f"{k} {v:.3f}" for k, v in mean.items())
                print(f"step {step}, {seconds / 3600:.1f} h, {left:.0f} min left, {values_}", flush=True)
            if time.time() - saved > 240:
                save(model, args.out)
                saved = time.time()


def save(model: Contextual, out: Path) -> None:
    torch.save({"adapter": model.state_dict()}, out.with_suffix(".new"))
    os.replace(out.with_suffix(".new"), out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hidden", type=Path)
    parser.add_argument("checkpoint", type=Path, help="the frozen network")
    parser.add_argument("out", type=Path, help="adapter.pt")
    parser.add_argument("--corpus", type=Path, required=True, help="its texts say which words are common")
    parser.add_argument("--lexicon", type=Path, required=True)
    parser.add_argument("--init", type=Path, help="an adapter to go on from, as far as its shapes are the same")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--batch", type=float, default=120.0, help="seconds of speech a step")
    parser.add_argument("--extra", type=int, default=15000, help="dictionary words among the distractors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    subwords = load_subwords()
    net = StreamingCtc(subwords.vocab_size() + 1, phones.COUNT)
    weights.load(net, args.checkpoint)
    model = Contextual(net, subwords.vocab_size())
    if args.init:
        earlier, own = torch.load(args.init, weights_only=True)["adapter"], model.state_dict()
        model.load_state_dict(
            {k: earlier[k] if k in earlier and earlier[k].shape == v.shape else v for k, v in own.items()}
        )
    pronounce = Pronunciations(args.lexicon, phonemiser())
    common = common_words(sorted((args.corpus / "text").glob("*.txt.gz")))
    rare = sorted(w for w in pronounce.known if w not in common and len(w) > 3)
    extra = random.Random(args.seed).sample(rare, min(args.extra, len(rare)))
    feed = Feed(args.hidden, Entries(subwords, pronounce), common, extra, args)
    print(f"{len(feed.records)} utterances, {feed.pool} entries", flush=True)
    train(model, feed, args)
    save(model, args.out)


if __name__ == "__main__":
    main()
