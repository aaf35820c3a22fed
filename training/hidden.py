"""What the adapter learns from: the frozen network's hidden layers over training speech, computed once, with the frames
in which each word is spoken.

    python hidden.py CACHE CHECKPOINT_OR_ONNX OUT --hours 14 --sets librispeech hibari ...

CACHE is what `prepare.py` wrote. Writes OUT/hidden.npy (frames, 3, WIDTH) in float16: the last layer in front of its
normalisation, then the two taps; and OUT/hidden.json, a record per utterance: first frame `o`, frames `n`, transcript
`tr`, words as [first frame, frame after the last] in `spans`, names `ents`.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from torch import Tensor

import phones
import weights
from features import BANDS
from network import FLOOR, TAPS, WIDTH, StreamingCtc
from score import load_subwords

CHUNK, LOOK = 8, 8
BATCH_FRAMES = 12000
"""Mel frames of a batch."""


class Listener:
    """Runs the network and keeps what its output layer and its taps read."""

    def __init__(self, net: StreamingCtc) -> None:
        self.net = net.eval()
        self.read: dict[str, Tensor] = {}
        net.ln.register_forward_pre_hook(lambda _, args: self._keep("last", args[0]))
        for j, module in enumerate(net.inter):
            module.register_forward_pre_hook(lambda _, args, j=j: self._keep(f"tap{j}", args[0]))

    def _keep(self, name: str, value: Tensor) -> None:
        self.read[name] = value

    @torch.no_grad()
    def __call__(self, mel: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns log-probabilities (B, T, V), hidden layers (B, T, 3, WIDTH), frames of each."""
        with torch.autocast("cpu", torch.bfloat16):
            logits, _, _, frames = self.net(mel, lengths, chunk=CHUNK, look=LOOK)
        size = logits.shape[1]
        layers = [self.read["last"], *(self.read[f"tap{j}"][:, :size] for j in range(len(TAPS)))]
        return logits.float().log_softmax(-1), torch.stack([x.float() for x in layers], 2), frames


def align(log_probs: NDArray[np.float32], ids: list[int]) -> NDArray[np.int64]:
    """Best CTC path that spells `ids`: for each of them (first frame, last frame), (len(ids), 2)."""
    blank = log_probs.shape[1] - 1
    labels = np.full(2 * len(ids) + 1, blank)
    labels[1::2] = ids
    states = len(labels)
    skip = np.zeros(states, bool)
    skip[3::2] = labels[3::2] != labels[1:-2:2]
    score = np.full(states, -np.inf)
    score[:2] = log_probs[0, labels[:2]]
    back = np.zeros((len(log_probs), states), np.int8)
    for t in range(1, len(log_probs)):
        one = np.concatenate([[-np.inf], score[:-1]])
        two = np.where(skip, np.concatenate([[-np.inf] * 2, score[:-2]])[:states], -np.inf)
        choice = np.stack([score, one, two])
        back[t] = choice.argmax(0)
        score = choice.max(0) + log_probs[t, labels]
    state = states - 1 if score[-1] >= score[-2] else states - 2
    spans = np.full((len(ids), 2), -1)
    for t in range(len(log_probs) - 1, -1, -1):
        if state % 2:
            token = state // 2
            spans[token, 0] = t
            spans[token, 1] = max(spans[token, 1], t)
        state -= int(back[t, state])
    return spans


def word_spans(
    log_probs: NDArray[np.float32], text: str, subwords: sentencepiece.SentencePieceProcessor
) -> list[list[int]] | None:
    """[first frame, frame after the last] of each word, or nothing where the text does not fit into the frames."""
    pieces = subwords.encode(text, out_type=str)
    ids = subwords.encode(text)
    if len(log_probs) < 2 * len(ids) + 1:
        return None
    spans = align(log_probs, ids)
    if (spans < 0).any():
        return None
    words: list[list[int]] = []
    for piece, (begin, last) in zip(pieces, spans.tolist(), strict=True):
        if piece.startswith("▁") or not words:
            words.append([begin, last + 1])
        else:
            words[-1][1] = last + 1
    return words if len(words) == len(text.split()) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sets", nargs="+", default=[""], help="beginnings of the sets' names")
    parser.add_argument("--hours", type=float, nargs="+", default=[100.0], help="of each of them, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rng = random.Random(args.seed)
    subwords = load_subwords()
    net = StreamingCtc(subwords.vocab_size() + 1, phones.COUNT)
    weights.load(net, args.checkpoint)
    listener = Listener(net)
    chosen: list[tuple[NDArray[np.float16], dict[str, object], int, int]] = []
    hours = list(args.hours) + [args.hours[-1]] * (len(args.sets) - len(args.hours))
    for beginning, limit in zip(args.sets, hours, strict=True):
        found = []
        for path in sorted(args.cache.glob(f"train-{beginning}*.json")):
            frames = np.load(path.with_suffix(".npy"), mmap_mode="r")
            found += [(frames, r, int(r["o"]), int(r["n"])) for r in json.loads(path.read_text())]
        rng.shuffle(found)
        total = 0
        for item in found:
            if total > limit * 360000:
                break
            chosen.append(item)
            total += item[3]
    chosen.sort(key=lambda item: item[3])
    args.out.mkdir(parents=True, exist_ok=True)
    size = sum((n + 12) // 4 for _, _, _, n in chosen)
    store = np.lib.format.open_memmap(
        args.out / "hidden.npy", mode="w+", dtype=np.float16, shape=(size, 1 + len(TAPS), WIDTH)
    )
    records: list[dict[str, object]] = []
    at, begin = 0, 0
    while begin < len(chosen):
        longest = chosen[min(begin + 63, len(chosen) - 1)][3]
        batch = chosen[begin : begin + max(1, min(64, BATCH_FRAMES // longest))]
        begin += len(batch)
        span = max(n for _, _, _, n in batch) + 8
        mel = torch.full((len(batch), -(-span // 128) * 128, BANDS), FLOOR)
        for row, (frames, _, first, n) in zip(mel, batch, strict=True):
            row[1 : 1 + n] = torch.from_numpy(np.asarray(frames[first : first + n], np.float32))
        log_probs, hidden, counts = listener(mel, torch.tensor([n + 3 for _, _, _, n in batch]))
        for z, h, count, (_, record, _, _) in zip(log_probs, hidden, counts.tolist(), batch, strict=True):
            text = str(record["tr"])
            spans = word_spans(z[:count].numpy(), text, subwords)
            if spans is None or at + count > size:
                continue
            store[at : at + count] = h[:count].numpy().astype(np.float16)
            records.append({"o": at, "n": count, "tr": text, "spans": spans, "ents": record.get("ents", [])})
            at += count
        print(f"\r{begin}/{len(chosen)} utterances, {at / 90000:.2f} h", end="", flush=True)
    (args.out / "hidden.json").write_text(json.dumps(records))
    print()


if __name__ == "__main__":
    main()
