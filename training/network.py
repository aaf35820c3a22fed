"""The acoustic model: the encoder of OpenAI's Whisper base made into a streaming CTC network that looks ahead.

    log-mel (10 ms) -> 2 convolutions (20 ms) -> 2 blocks -> mean of pairs (40 ms) -> 4 blocks -> 2 blocks of our own
    -> CTC over subwords

CTC also after one and two thirds of Whisper's depth (`TAPS`); those posteriors are fed back into the stream
(self-conditioned CTC, arXiv 2104.02724). CTC over phones after two thirds.

A chunk sees `left` frames before it, itself, and `look` frames after it. The frames after it pass through all blocks
as copies that belong to the chunk alone (Emformer, arXiv 2010.10759), so the look-ahead does not add up from block to
block: whole-utterance training (`StreamingCtc.forward`) and chunk-by-chunk streaming (`StreamingCtc.step`, and the
exported graph) give the same numbers.

Lengths here are in frames of 40 ms unless a name says otherwise.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 512
HEADS = 8
WHISPER_BLOCKS = 6
BLOCKS = 8
"""The last ones are new: Whisper's encoder leaves the words to its decoder; a linear layer cannot take its place."""
POOL_BEFORE = 2
"""Frames are averaged in pairs (20 ms -> 40 ms) before this block."""
TAPS = (1, 3)
"""Blocks after which an intermediate CTC reads the stream and writes back into it."""
POSITIONS = 1500
"""Whisper knows 30 s of positions; a stream wraps around. Costs nothing once trained with random offsets."""
FLOOR = -7.0
"""log10 mel power below which nothing is kept. Whisper's follows the utterance's maximum; a stream has none."""
Cache = tuple[Tensor, Tensor]
"""A block's keys and values of the left context, each (B, left, WIDTH)."""
LEFT_20MS = 256
LEFT_40MS = 128
"""Left context before and after pooling, each in its own frames: 5.12 s in every block."""


class Windows:
    """Which keys each query of a whole utterance sees, arranged so that attention costs what it would in a stream.

    Of a sequence of `frames` frames followed by every chunk's copies of the `look` frames after it, a frame or copy of
    chunk c sees `left` frames before the chunk, the chunk, and the copies of chunk c. Neighbouring chunks share a
    window of keys (`group` chunks each): against one mask over the whole sequence this made a training step 1.5 times
    as fast on utterances of 16 s."""

    GROUP_FRAMES = 32

    def __init__(self, frames: int, chunk: int, look: int, left: int) -> None:
        self.frames, self.left = frames, left
        group = max(1, self.GROUP_FRAMES // chunk)
        while frames % (group * chunk):
            group -= 1
        self.span, self.ahead = group * chunk, group * look
        self.groups = frames // self.span
        owner = torch.cat([torch.arange(self.span) // chunk, torch.arange(group).repeat_interleave(look)])[:, None]
        key = torch.arange(-left, self.span)
        near = (key[None] < (owner + 1) * chunk) & (key[None] >= owner * chunk - left)
        own = owner[self.span :].T == owner
        real = key[None] + torch.arange(self.groups)[:, None] * self.span >= 0
        seen = torch.cat([near[None] & real[:, None], own[None].expand(self.groups, -1, -1)], 2)
        self.mask = torch.where(seen, 0.0, -1e4)[:, None]
        """Additive, (groups, 1, queries, keys)."""

    def queries(self, q: Tensor) -> Tensor:
        """(B, S, WIDTH) -> (B * groups, HEADS, queries, WIDTH / HEADS)."""
        return self._heads(self._joined(q[:, : self.frames].unflatten(1, (self.groups, self.span)), q))

    def keys(self, k: Tensor) -> Tensor:
        """(B, S, WIDTH) -> (B * groups, HEADS, keys, WIDTH / HEADS). For values too."""
        padded = F.pad(k[:, : self.frames], (0, 0, self.left, 0))
        windows = padded.unfold(1, self.left + self.span, self.span).transpose(2, 3)
        return self._heads(self._joined(windows, k))

    def sequence(self, attended: Tensor, batch: int) -> Tensor:
        """Back to (B, S, WIDTH)."""
        x = attended.transpose(1, 2).reshape(batch, self.groups, self.span + self.ahead, -1)
        return torch.cat([x[:, :, : self.span].flatten(1, 2), x[:, :, self.span :].flatten(1, 2)], 1)

    def _joined(self, frames: Tensor, x: Tensor) -> Tensor:
        return torch.cat([frames, x[:, self.frames :].unflatten(1, (self.groups, self.ahead))], 2)

    @staticmethod
    def _heads(x: Tensor) -> Tensor:
        return x.flatten(0, 1).unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2)


class Block(nn.Module):
    """Pre-norm transformer block with Whisper's parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.n1 = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.o = nn.Linear(WIDTH, WIDTH)
        self.n2 = nn.LayerNorm(WIDTH)
        self.f1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.f2 = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor, windows: Windows, dropout: float = 0.0) -> Tensor:
        """Whole utterances with their copies, (B, S, WIDTH)."""
        q, k, v = self.qkv(self.n1(x)).chunk(3, -1)
        mask = windows.mask.to(q.dtype).repeat(len(x), 1, 1, 1)
        attended = F.scaled_dot_product_attention(windows.queries(q), windows.keys(k), windows.keys(v), attn_mask=mask)
        return self._after(x, windows.sequence(attended, len(x)), dropout)

    def step(self, x: Tensor, mask: Tensor, cache: Cache, keep: int) -> tuple[Tensor, Cache]:
        """One chunk and its look-ahead (B, T, WIDTH) after the cached keys and values of the left context; the first
        `keep` frames enter the new cache. mask is additive over the keys."""
        q, k, v = self.qkv(self.n1(x)).chunk(3, -1)
        left = cache[0].shape[1]
        k, v = torch.cat([cache[0], k], 1), torch.cat([cache[1], v], 1)
        q, keys, values = (t.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2) for t in (q, k, v))
        attended = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask.to(q.dtype))
        x = self._after(x, attended.transpose(1, 2).flatten(2), 0.0)
        return x, (k[:, keep : left + keep], v[:, keep : left + keep])

    def _after(self, x: Tensor, attended: Tensor, dropout: float) -> Tensor:
        x = x + F.dropout(self.o(attended), dropout, self.training)
        return x + F.dropout(self.f2(F.gelu(self.f1(self.n2(x)))), dropout, self.training)


def copies(frames: int, chunk: int, look: int) -> Tensor:
    """Indices of the frames that follow each chunk, chunk after chunk: (frames / chunk * look,)."""
    return (torch.arange(frames // chunk)[:, None] * chunk + chunk + torch.arange(look)).reshape(-1)


def position_table() -> Tensor:
    """Whisper's sinusoids, (POSITIONS, WIDTH)."""
    rate = torch.exp(-math.log(10000) / (WIDTH // 2 - 1) * torch.arange(WIDTH // 2))
    angle = torch.arange(POSITIONS)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], 1)


class StreamState:
    """What `StreamingCtc.step` carries from chunk to chunk; the exported graph's state has the same meaning."""

    def __init__(self, batch: int, blocks: int = BLOCKS) -> None:
        self.mel_tail = torch.zeros(batch, 2, 80)
        # in front of a stream lies one zero of the convolution's padding, then one frame of silence
        self.mel_tail[:, 1] = (FLOOR + 4) / 4
        self.conv_tail = torch.zeros(batch, 1, WIDTH)
        self.seen = torch.zeros(batch, dtype=torch.long)
        self.caches = [
            (torch.zeros(batch, left, WIDTH), torch.zeros(batch, left, WIDTH))
            for left in [LEFT_20MS] * POOL_BEFORE + [LEFT_40MS] * (blocks - POOL_BEFORE)
        ]


class StreamingCtc(nn.Module):
    """See the head of the file. Subwords' blank is the last id, phones' blank is 0. Bundles of before have 6 blocks."""

    position: Tensor

    def __init__(self, subwords: int, phones: int, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.c1 = nn.Conv1d(80, WIDTH, 3, padding=1)
        self.c2 = nn.Conv1d(WIDTH, WIDTH, 3, 2, padding=1)
        self.blocks = nn.ModuleList(Block() for _ in range(blocks))
        self.ln = nn.LayerNorm(WIDTH)
        self.out = nn.Linear(WIDTH, subwords)
        self.inter = nn.ModuleList(nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, subwords)) for _ in TAPS)
        self.back = nn.ModuleList(nn.Linear(subwords, WIDTH) for _ in TAPS)
        self.phone = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, phones))
        for parameter in self.back.parameters():  # nothing is fed back at first
            nn.init.zeros_(parameter)
        for block in self.blocks[WHISPER_BLOCKS:]:  # the new blocks pass the stream on unchanged at first
            nn.init.zeros_(block.o.weight)
            nn.init.zeros_(block.f2.weight)
            nn.init.zeros_(block.o.bias)
            nn.init.zeros_(block.f2.bias)
        self.register_buffer("position", position_table(), persistent=False)

    def _tap(self, block: int, x: Tensor, logits: list[Tensor], keep: int) -> tuple[Tensor, Tensor]:
        """Intermediate CTC after `block`. Returns the stream with the posteriors fed back, and what the tap read."""
        j = TAPS.index(block)
        pooled = block >= POOL_BEFORE
        y = x if pooled else x.view(x.shape[0], -1, 2, WIDTH).mean(2)
        z = self.inter[j](y)
        logits.append(z[:, :keep])
        back = self.back[j](z.float().softmax(-1).to(x.dtype))
        return x + (back if pooled else back.repeat_interleave(2, 1)), y

    def forward(
        self,
        mel: Tensor,
        lengths: Tensor,
        chunk: int = 8,
        look: int = 8,
        left: int = LEFT_40MS,
        dropout: float = 0.0,
        offset: int = 0,
        frozen: int = -1,
    ) -> tuple[Tensor, list[Tensor], Tensor, Tensor]:
        """Whole utterances under the chunk mask. mel (B, T, 80) is log10 power at 10 ms with one frame of FLOOR in
        front, T a multiple of 4 * chunk; lengths in mel frames. The convolutions and the blocks before `frozen` get
        no gradient (-1: everything gets it). `offset` shifts the positions (in 20 ms).
        Returns logits (B, T / 4, subwords), the taps' logits, phone logits, lengths at 40 ms."""
        learning = torch.is_grad_enabled()
        chunk, look, left = 2 * chunk, 2 * look, 2 * left
        with torch.set_grad_enabled(learning and frozen < 0):
            x = ((F.pad(mel, (0, 0, 0, 2 * look), value=FLOOR).clamp(min=FLOOR) + 4) / 4).transpose(1, 2)
            x = F.gelu(self.c2(F.gelu(self.c1(x)))).transpose(1, 2)
            frames = x.shape[1] - look
            x = x + self.position[(torch.arange(frames + look) + offset) % POSITIONS].to(x.dtype)
            x = torch.cat([x[:, :frames], x[:, copies(frames, chunk, look)]], 1)
        windows = Windows(frames, chunk, look, left)
        taps: list[Tensor] = []
        phones = x
        for b, block in enumerate(self.blocks):
            if b == POOL_BEFORE:
                x = x.view(x.shape[0], -1, 2, WIDTH).mean(2)
                frames, chunk, look, left = frames // 2, chunk // 2, look // 2, left // 2
                windows = Windows(frames, chunk, look, left)
            with torch.set_grad_enabled(learning and b >= frozen):
                # Whisper's blocks have never known dropout: with 5 % of it their heads lose half a nat
                x = block(x, windows, dropout if b >= WHISPER_BLOCKS else 0.0)
            if b in TAPS:
                x, y = self._tap(b, x, taps, frames if b >= POOL_BEFORE else frames // 2)
                if b == TAPS[1]:
                    phones = self.phone(y[:, :frames])
        return self.out(self.ln(x[:, :frames])), taps, phones, (lengths + 3) // 4

    def step(self, mel: Tensor, state: StreamState, look: int = 8) -> tuple[Tensor, Tensor, StreamState]:
        """One chunk of a stream. mel (B, 4 * (chunk + look), 80): the chunk and the frames after it, which come again
        with the next step. Returns logits (B, chunk, subwords), phone logits, the next state. Equals `forward` on the
        same mel behind one frame of FLOOR."""
        main = mel.shape[1] // 4 - look
        after = StreamState(mel.shape[0], len(self.blocks))
        x = torch.cat([state.mel_tail, (mel.clamp(min=FLOOR) + 4) / 4], 1)
        after.mel_tail = x[:, 4 * main : 4 * main + 2]
        h = F.gelu(F.conv1d(x.transpose(1, 2), self.c1.weight, self.c1.bias)).transpose(1, 2)
        h = torch.cat([state.conv_tail, h], 1)
        after.conv_tail = h[:, 4 * main : 4 * main + 1]
        x = F.gelu(F.conv1d(h.transpose(1, 2), self.c2.weight, self.c2.bias, stride=2)).transpose(1, 2)
        x = x + self.position[(state.seen[:, None] + torch.arange(x.shape[1])) % POSITIONS]
        taps: list[Tensor] = []
        phones = x
        for b, block in enumerate(self.blocks):
            early = b < POOL_BEFORE
            if b == POOL_BEFORE:
                x = x.view(x.shape[0], -1, 2, WIDTH).mean(2)
            left = LEFT_20MS if early else LEFT_40MS
            filled = state.seen if early else state.seen // 2
            valid = torch.arange(left + x.shape[1])[None] >= left - filled[:, None]
            mask = torch.where(valid, 0.0, -1e4)[:, None, None]
            x, after.caches[b] = block.step(x, mask, state.caches[b], 2 * main if early else main)
            if b in TAPS:
                x, y = self._tap(b, x, taps, main)
                if b == TAPS[1]:
                    phones = self.phone(y[:, :main])
        after.seen = state.seen + 2 * main
        return self.out(self.ln(x[:, :main])), phones, after
