"""Train the network. Resumes from OUT/last.pt if that is there.

    python fit.py CACHE OUT --until 2026-11-25T11:20 --init CHECKPOINT   (.pt, .npz or a bundle's encoder.onnx)
    python fit.py CACHE OUT --hours 10 --whisper model.bin               from Whisper's own weights

The learning rate follows a cosine that is zero at the end, by the wall clock: every run has an end, and only what lies
there is an honest figure. Workers of one thread each share a step's batch and add their gradients: on a machine that
does other things as well this loses far less than one process of several threads, which wait for each other in every
single operation.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import torch
import torch.multiprocessing as mp
import torch.nn.functional as F
from torch import Tensor

import phones
import weights
from augment import Augmenter
from corpus import read_packed
from curves import draw
from data import LATENCIES, Batch, Sample, collate, load_training, plan
from network import BLOCKS, POOL_BEFORE, POSITIONS, WHISPER_BLOCKS, StreamingCtc
from score import load_subwords, rate, texts

NEW = ("out", "inter", "back", "phone", *(f"blocks.{b}." for b in range(WHISPER_BLOCKS, BLOCKS)))
"""Parameters that Whisper does not have."""
HEADS_ONLY = 250
"""Steps for which Whisper's weights stay as they are, when a run begins with them: CTC needs some 100."""
RATE_ALONE = 8e-4
"""Learning rate of the new parameters while they move alone."""
THAW = 400
"""Steps over which Whisper's own learning rate then rises."""
WARM_UP = 100
PATIENCE = 1800
"""Seconds that a worker waits for the others (one of them may be scoring) before it gives up."""
SHARES = {"last": 0.6, "third": 0.1, "two_thirds": 0.15, "phone": 0.15}


@dataclass
class Run:
    """What a checkpoint holds besides the tensors."""

    begin: float
    step: int = 0
    seconds: float = 0.0
    earlier_hours: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    scores: list[dict[str, float]] = field(default_factory=list)

    @property
    def hours(self) -> float:
        """Hours of audio processed, in this run and those it came from."""
        return self.earlier_hours + self.seconds / 3600


class Gang:
    """Adds up the gradients of the workers in shared memory. Waiting workers sleep; they do not spin."""

    def __init__(self, workers: int, parameters: int) -> None:
        self.sums = torch.zeros(workers, parameters).share_memory_()
        self.progress = torch.zeros(2, dtype=torch.float64).share_memory_()
        """Of the whole run, by worker 0's clock; and whether to stop."""
        self.barrier = mp.get_context("spawn").Barrier(workers)

    def average(self, rank: int, parameters: Sequence[Tensor]) -> None:
        at = 0
        for p in parameters:
            assert p.grad is not None
            self.sums[rank, at : at + p.numel()].copy_(p.grad.reshape(-1))
            at += p.numel()
        self.barrier.wait(PATIENCE)
        mean, at = self.sums.mean(0), 0
        for p in parameters:
            p.grad = mean[at : at + p.numel()].view_as(p)
            at += p.numel()
        self.barrier.wait(PATIENCE)


def losses(
    net: StreamingCtc, batch: Batch, latency: tuple[int, int], dropout: float, offset: int, frozen: int
) -> dict[str, Tensor]:
    """CTC losses, each the mean over utterances of nats per symbol."""
    with torch.autocast("cpu", torch.bfloat16):
        last, taps, phone, frames = net(
            batch.mel, batch.lengths, chunk=latency[0], look=latency[1], dropout=dropout, offset=offset, frozen=frozen
        )

    def ctc(logits: Tensor, targets: Tensor, counts: Tensor, blank: int) -> Tensor:
        log_probs = logits.float().log_softmax(-1).transpose(0, 1)
        return F.ctc_loss(log_probs, targets, frames, counts, blank=blank, zero_infinity=True)

    blank = last.shape[-1] - 1
    words = batch.subwords, batch.subword_counts, blank
    return {
        "last": ctc(last, *words),
        "third": ctc(taps[0], *words),
        "two_thirds": ctc(taps[1], *words),
        "phone": ctc(phone, batch.phones, batch.phone_counts, phones.BLANK),
    }


class Worker:
    def __init__(self, rank: int, gang: Gang, args: argparse.Namespace) -> None:
        torch.set_num_threads(1)
        self.rank, self.gang, self.args = rank, gang, args
        self.parent = os.getppid()
        self.subwords = load_subwords()
        self.net = StreamingCtc(self.subwords.vocab_size() + 1, phones.COUNT)
        self.fresh = not args.init
        if args.init:
            weights.load(self.net, args.init)
        else:
            weights.load_whisper(self.net, args.whisper)
        for name, p in self.net.named_parameters():
            p.requires_grad = name.startswith((*NEW, "ln", *(f"blocks.{b}." for b in range(POOL_BEFORE, BLOCKS))))
        named = [(n, p) for n, p in self.net.named_parameters() if p.requires_grad]
        groups = [[p for n, p in named if n.startswith(NEW) == new] for new in (False, True)]
        self.parameters = groups[0] + groups[1]
        self.optimizer = torch.optim.AdamW(
            [{"params": g} for g in groups], lr=0.0, betas=(0.9, 0.98), weight_decay=1e-2, fused=True
        )
        self.run = Run(time.time(), earlier_hours=args.earlier_hours)
        self.checkpoint = args.out / "last.pt"
        if self.checkpoint.exists():
            stored = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            self.net.load_state_dict(stored["net"])
            self.optimizer.load_state_dict(stored["optimizer"])
            self.run = Run(**stored["run"])
        self.end = datetime.fromisoformat(args.until).timestamp() if args.until else self.run.begin + args.hours * 3600
        self.shared = random.Random(args.seed + self.run.step)  # the same in all workers: they share the plan
        self.augmenter = Augmenter(args.augment, args.seed + 1000 * rank + self.run.step)
        torch.manual_seed(args.seed + 1000 * rank + self.run.step)

    def train(self) -> None:
        real, made = load_training(self.args.cache, self.subwords, tuple(self.args.without))
        if self.rank == 0:
            hours = [sum(s.length for s in samples) / 360000 for samples in (real, made)]
            print(f"{len(real)} real, {hours[0]:.1f} h; {len(made)} synthetic, {hours[1]:.1f} h", flush=True)
        self.net.train()
        self.started = self.saved = self.scored = time.time()
        self.before = self.run.seconds
        while True:
            share = min(len(made), int(self.args.synthetic * len(real))) if real else len(made)
            for samples, length in plan(
                real + self.shared.sample(made, share), self.args.batch, self.args.workers, self.shared
            ):
                if self._over():
                    return
                self._step(samples[self.rank :: self.args.workers], length, self.shared.choice(LATENCIES))
                self.run.seconds += len(samples) * length / 100
                if self.rank == 0:
                    self._report()

    def _over(self) -> bool:
        """Progress is worker 0's; the others learn of it here. A worker ends when its parent is gone."""
        if os.getppid() != self.parent:
            raise SystemExit("the parent process is gone")
        if self.rank == 0:
            self.gang.progress[0] = (time.time() - self.run.begin) / (self.end - self.run.begin)
        self.gang.barrier.wait(PATIENCE)
        self.progress = float(self.gang.progress[0])
        return self.progress >= 1

    def _rates(self) -> tuple[float, float, bool]:
        """Learning rates of Whisper's parameters and of the new ones, and whether only the latter move."""
        step = self.run.step
        rate = min(1, (step + 1) / WARM_UP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.progress)))
        alone = HEADS_ONLY if self.fresh else self.args.new_alone
        thawed = min(1.0, max(0.0, (step - alone) / THAW)) if alone else 1.0
        return self.args.lr * rate * thawed, (RATE_ALONE if step < alone else self.args.lr_heads) * rate, step < alone

    def _step(self, samples: list[Sample], length: int, latency: tuple[int, int]) -> None:
        whisper, new, alone = self._rates()
        self.optimizer.param_groups[0]["lr"], self.optimizer.param_groups[1]["lr"] = whisper, new
        batch = collate(samples, length, self.augmenter)
        offset = self.augmenter.rng.randrange(POSITIONS)
        parts = losses(self.net, batch, latency, self.args.dropout, offset, WHISPER_BLOCKS if alone else POOL_BEFORE)
        self.optimizer.zero_grad()
        total = torch.stack([SHARES[k] * v for k, v in parts.items()]).sum()
        total.backward()  # type: ignore[no-untyped-call]
        for p in self.parameters:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        self.gang.average(self.rank, self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, 5.0)
        self.optimizer.step()
        self.run.step += 1
        self.mean = {k: 0.97 * getattr(self, "mean", {}).get(k, v.item()) + 0.03 * v.item() for k, v in parts.items()}

    def _report(self) -> None:
        run, now = self.run, time.time()
        if run.step % 20 == 0:
            speed = (run.seconds - self.before) / (now - self.started)
            left = max(0, int(self.end - now) // 60)
            bar = "#" * int(20 * self.progress)
            loss = " ".join(f"{k} {v:.3f}" for k, v in self.mean.items())
            print(f"[{bar:20s}] {left} min left, step {run.step}, {run.hours:.1f} h, {speed:.0f}x, {loss}", flush=True)
            run.history.append({"step": run.step, "hours": run.hours, **self.mean})
        if now - self.saved > 60 * self.args.save_minutes:
            self.save()
        if self.args.corpus and now - self.scored > 60 * self.args.score_minutes:
            self.score(self.args.score_limit)

    def save(self) -> None:
        state = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "run": vars(self.run)}
        torch.save(state, self.checkpoint.with_suffix(".new"))
        os.replace(self.checkpoint.with_suffix(".new"), self.checkpoint)
        (self.args.out / "history.json").write_text(
            json.dumps({"history": self.run.history, "scores": self.run.scores})
        )
        draw(self.args.out / "history.json", self.args.out / "curves.svg")
        self.saved = time.time()

    def score(self, limit: int) -> None:
        """Greedy word error rate on part of each development set, at the default latency."""
        self.net.eval()
        line = {"hours": self.run.hours}
        for name in self.args.score_sets:
            utterances = list(read_packed(self.args.corpus / "dev" / f"{name}.tsv"))
            utterances = utterances[:: max(1, len(utterances) // limit)][:limit]
            line[name] = rate(utterances, texts(self.net, utterances, LATENCIES[0], self.subwords))
        self.run.scores.append(line)
        print("word error rate", line, flush=True)
        self.net.train()
        self.scored = time.time()


def work(rank: int, gang: Gang, args: argparse.Namespace) -> None:
    worker = Worker(rank, gang, args)
    worker.train()
    if rank == 0:
        worker.save()


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--init", type=Path, help="weights to begin with: .pt, .npz or a bundle's encoder.onnx")
    parser.add_argument("--whisper", type=Path, help="Whisper base: model.bin, base.pt or a Hugging Face folder")
    parser.add_argument("--until", help="end of the run, ISO time")
    parser.add_argument("--hours", type=float, default=1.0, help="length of the run, unless --until")
    parser.add_argument("--earlier-hours", type=float, default=0.0, help="hours of audio behind --init, for the log")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=5e-5, help="of Whisper's blocks")
    parser.add_argument("--lr-heads", type=float, default=2.5e-4)
    parser.add_argument("--new-alone", type=int, default=0, help="steps in which what Whisper lacks moves alone")
    parser.add_argument("--batch", type=float, default=64.0, help="seconds of speech a step")
    parser.add_argument("--augment", type=float, default=0.7, help="share of the utterances that are augmented")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--synthetic", type=float, default=1.2, help="synthetic utterances per real one")
    parser.add_argument("--without", nargs="*", default=["freeswitch"], help="sets to leave out")
    parser.add_argument("--corpus", type=Path, help="score on its development sets now and then")
    parser.add_argument("--score-sets", nargs="+", default=["native", "nonnative"])
    parser.add_argument("--score-minutes", type=float, default=20.0)
    parser.add_argument("--score-limit", type=int, default=40)
    parser.add_argument("--save-minutes", type=float, default=4.0)
    args = parser.parse_args(argv)
    if not any(args.cache.glob("train-*.json")):
        parser.error(f"no training sets in {args.cache}; prepare.py makes them")
    if not args.init and not args.whisper:
        parser.error("one of --init and --whisper is needed")
    return args


def main() -> None:
    args = parse(sys.argv[1:])
    args.out.mkdir(parents=True, exist_ok=True)
    size = sum(p.numel() for p in StreamingCtc(load_subwords().vocab_size() + 1, phones.COUNT).parameters())
    mp.spawn(work, (Gang(args.workers, size), args), args.workers)


if __name__ == "__main__":
    main()
