"""What the contextual adapter does to a network's greedy text, with lists of several lengths.

    python score_adapter.py CORPUS CHECKPOINT ADAPTER.pt --lexicon ../models/en-base/lexicon.tsv.gz [--n 0 100 1000]

Each utterance lists its own entities (none, with --anti) and N words from the corpus's rare words, as `npm run eval`
does. Per set and N: word error rate, precision and recall of the listed entries (contiguous occurrences in the text),
and the share of the frames without a name in which attention went to one.
"""

from __future__ import annotations

import argparse
import gzip
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import features
import phones
import weights
from corpus import Utterance, read_packed
from entries import Entries, Pronunciations
from fit_adapter import Contextual
from hidden import Listener
from network import FLOOR, StreamingCtc
from prepare import phonemiser
from score import greedy, in_batches, load_subwords, rate


def occurrences(text: str, entry: str) -> int:
    return f" {text.replace(' ', '  ')} ".count(f" {entry.replace(' ', '  ')} ")


def found(utterances: Sequence[Utterance], texts: Sequence[str], lists: Sequence[Sequence[str]]) -> tuple[float, float]:
    """(precision, recall)."""
    right = said = heard = 0
    for u, text, entries in zip(utterances, texts, lists, strict=True):
        for entry in entries:
            spoken, written = occurrences(u.transcript, entry), occurrences(text, entry)
            right += min(spoken, written)
            said += spoken
            heard += written
    return right / max(1, heard), right / max(1, said)


def layers(listener: Listener, utterances: Sequence[Utterance]) -> list[Tensor]:
    """(frames, 3, WIDTH) of each."""
    out: list[Tensor] = [torch.empty(0)] * len(utterances)
    for batch in in_batches(utterances, 8):
        mels = [features.log_mel(np.pad(utterances[i].samples, (0, 2 * features.HOP))) for i in batch]
        span = max(len(m) for m in mels) + 8
        x = torch.full((len(mels), -(-span // 128) * 128, features.BANDS), FLOOR)
        for row, mel in zip(x, mels, strict=True):
            row[1 : 1 + len(mel)] = torch.from_numpy(mel)
        _, hidden, frames = listener(x, torch.tensor([len(m) + 3 for m in mels]))
        for i, h, n in zip(batch, hidden, frames.tolist(), strict=True):
            out[i] = h[:n].clone()
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--lexicon", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["native", "synthetic-entities"])
    parser.add_argument("--n", type=int, nargs="+", default=[0, 100, 1000])
    parser.add_argument("--anti", action="store_true")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    subwords = load_subwords()
    net = StreamingCtc(subwords.vocab_size() + 1, phones.COUNT)
    weights.load(net, args.checkpoint)
    model = Contextual(net, subwords.vocab_size())
    model.load_state_dict(torch.load(args.adapter, weights_only=True)["adapter"])
    model.eval()
    entries = Entries(subwords, Pronunciations(args.lexicon, phonemiser()))
    with gzip.open(args.corpus / "dev" / "rare-words.txt.gz", "rt") as lines:
        rare = [line.strip() for line in lines]
    listener = Listener(net)
    for name in args.sets:
        utterances = list(read_packed(args.corpus / "dev" / f"{name}.tsv"))
        utterances = utterances[:: max(1, len(utterances) // args.limit)][: args.limit]
        hidden = layers(listener, utterances)
        for count in (None, *args.n):
            rng = random.Random(1)
            texts, lists, astray, plain = [], [], 0, 0
            for u, h in zip(utterances, hidden, strict=True):
                own = [] if args.anti else list(u.entities)
                others = [w for w in rng.sample(rare, count or 0) if w not in u.transcript.split()]
                lists.append(list(u.entities) if count is None else own + others)
                last, low, high = (t.unsqueeze(0) for t in h.unbind(1))
                with torch.no_grad():
                    if count is None or not lists[-1]:
                        logits = model.logits(last)
                    else:
                        ids = [entries.id(t) for t in lists[-1]]
                        biased = model.bias(last, (low, high), entries.tensors(ids))
                        logits = model.logits(biased.hidden)
                        best = biased.scores.argmax(2)
                        astray += int((best > len(own)).sum())
                        plain += best.numel()
                texts.append(greedy(logits[0].numpy(), subwords))
            precision, recall = found(utterances, texts, lists)
            f1 = 2 * precision * recall / max(1e-9, precision + recall)
            listed = "no list" if count is None else f"{count} others"
            print(
                f"{name:20s} {listed:12s} WER {100 * rate(utterances, texts):.2f} precision {100 * precision:.1f} "
                f"recall {100 * recall:.1f} F1 {100 * f1:.1f} astray {100 * astray / max(1, plain):.2f} % of frames",
                flush=True,
            )


if __name__ == "__main__":
    main()
