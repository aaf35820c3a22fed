"""Augmentation of log-mel filterbanks: what a voice, a room, a microphone and a telephone do to speech, at a few
percent of a training step's cost.

All functions take and return the natural logarithm of mel power, (frames, BANDS), float32. `Augmenter.strength` is the
probability with which an utterance is augmented at all; it grows at the begin of a run.
"""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F
from torch import Tensor

from features import BANDS


def _curve(knots: Tensor) -> Tensor:
    """Knots spread over the bands, straight lines between them: (BANDS,)."""
    return F.interpolate(knots[None, None], size=BANDS, mode="linear", align_corners=True)[0, 0]


def speed(f: Tensor, rng: random.Random) -> Tensor:
    """Faster or slower speech at the same pitch."""
    return F.interpolate(f.T[None], size=int(len(f) / rng.uniform(0.86, 1.16)), mode="linear")[0].T


def vocal_tract(f: Tensor, rng: random.Random) -> Tensor:
    """A longer or shorter vocal tract: stretches the bands."""
    position = (torch.arange(BANDS) * rng.uniform(0.88, 1.12)).clamp(max=BANDS - 1.01)
    below = position.floor().long()
    share = position - below
    return f[:, below] * (1 - share) + f[:, below + 1] * share


def microphone(f: Tensor, rng: random.Random) -> Tensor:
    """Colour and level."""
    return f + _curve(torch.randn(6) * 1.2) + rng.uniform(-3.5, 1.5)


def reverberation(f: Tensor, rng: random.Random) -> Tensor:
    """Late reverberation: power decays over the following frames."""
    decay, power = rng.uniform(0.3, 0.8), f.exp()
    total, delay = power.clone(), 1
    for _ in range(4):
        if delay < len(power):
            total[delay:] += decay**delay * 0.5 * power[:-delay]
        delay *= 2
    return (total + 1e-10).log()


def noise(f: Tensor, rng: random.Random) -> Tensor:
    """A noise floor with a spectral tilt; its power fluctuates as a periodogram's does (exponential)."""
    level = f.mean() + rng.uniform(-6, 0.6)
    tilt = torch.linspace(rng.uniform(-2, 2.5), rng.uniform(-2, 1), BANDS)
    fluctuation = torch.log(-torch.log(torch.rand(len(f), BANDS) * 0.9999 + 1e-5) + 1e-3) * 0.8
    return torch.logaddexp(f, level + tilt + fluctuation)


def babble(f: Tensor, other: Tensor, rng: random.Random) -> Tensor:
    """Somebody else in the background."""
    start = rng.randrange(max(1, len(other)))
    background = other[start:].repeat(-(-len(f) // max(1, len(other) - start)), 1)[: len(f)]
    return torch.logaddexp(f, background - background.mean() + f.mean() + rng.uniform(-5, -2))


def telephone(f: Tensor, rng: random.Random) -> Tensor:
    """Nothing below some 300 Hz and above some 3.4 kHz."""
    f = f.clone()
    f[:, : rng.randint(4, 9)] = f.min()
    f[:, rng.randint(56, 64) :] = f.min()
    return f


def mask_bands(f: Tensor, rng: random.Random) -> Tensor:
    """SpecAugment: two bands, and a stretch of time per 2 s, replaced by the mean."""
    f, mean = f.clone(), f.mean()
    for _ in range(2):
        width = rng.randint(0, 20)
        begin = rng.randint(0, BANDS - width)
        f[:, begin : begin + width] = mean
    for _ in range(max(1, len(f) // 200)):
        width = rng.randint(0, 25)
        begin = rng.randint(0, max(1, len(f) - width))
        f[begin : begin + width] = mean
    return f


class Augmenter:
    def __init__(self, strength: float, seed: int) -> None:
        self.strength = strength
        self.rng = random.Random(seed)

    def __call__(self, f: Tensor, other: Tensor) -> Tensor:
        """`other` is any other utterance, for babble."""
        rng = self.rng
        if rng.random() < self.strength:
            for change, share in (
                (speed, 0.6),
                (vocal_tract, 0.7),
                (microphone, 0.6),
                (reverberation, 0.35),
            ):
                if rng.random() < share:
                    f = change(f, rng)
            if rng.random() < 0.12:
                f = babble(f, other, rng)
            if rng.random() < 0.55:
                f = noise(f, rng)
            if rng.random() < 0.12:
                f = telephone(f, rng)
        return mask_bands(f, rng) if rng.random() < self.strength else f
