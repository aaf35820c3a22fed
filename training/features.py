"""Log-mel filterbanks as the network reads them: Whisper's bands and window, but log10 power with a fixed floor.

Frame k covers the samples 160 k - 240 to 160 k + 160, so nothing is looked ahead. The exported graph computes the same
with the kernels of `dft_kernels`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

RATE = 16000
HOP = 160
WINDOW = 400
HISTORY = WINDOW - HOP
BANDS = 80
SMALLEST = 1e-10
"""Power below this counts as this, so that the logarithm exists."""


def mel_filters() -> NDArray[np.float32]:
    """Slaney mel filterbank, (BANDS, WINDOW // 2 + 1)."""
    hertz = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    top = 15 + math.log(8) / (math.log(6.4) / 27)
    mel = np.linspace(0, top, BANDS + 2)
    edges = np.where(mel < 15, 200 * mel / 3, 1000 * np.exp((mel - 15) * math.log(6.4) / 27))
    width, ramp = np.diff(edges), edges[:, None] - hertz[None]
    triangles = np.maximum(0, np.minimum(-ramp[:-2] / width[:-1, None], ramp[2:] / width[1:, None]))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def hann() -> NDArray[np.float32]:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def dft_kernels() -> NDArray[np.float32]:
    """Windowed cosines, then sines, as convolution kernels: (2 * 201, 1, WINDOW)."""
    angle = 2 * np.pi * np.arange(WINDOW // 2 + 1)[:, None] * np.arange(WINDOW)[None] / WINDOW
    return (np.concatenate([np.cos(angle), np.sin(angle)]) * hann().astype(np.float64))[:, None].astype(np.float32)


MEL, HANN = mel_filters(), hann()


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples in [-1, 1] -> (frames, BANDS) log10 power."""
    padded = np.pad(samples, (HISTORY, HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * HANN
    power = (np.abs(np.fft.rfft(frames)) ** 2).astype(np.float32)
    return np.log10(np.maximum(power @ MEL.T, SMALLEST)).astype(np.float32)
