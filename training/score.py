"""Greedy word error rate: of a checkpoint (whole utterances in PyTorch) or of a bundle's graph (chunk by chunk).

python score.py CORPUS CHECKPOINT_OR_ONNX [--sets native ...] [--latencies 8+8 16+8 4+4] [--limit N] [--texts FILE]

A latency is chunk + look-ahead in frames of 40 ms; `full` is the whole utterance as one chunk (a checkpoint only): what
the same network would say if it could wait.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
import sentencepiece
import torch
from numpy.typing import NDArray

import features
import graph
import phones
import weights
from corpus import DEV_SETS, Utterance, read_packed
from network import FLOOR, LEFT_40MS, StreamingCtc

HERE = Path(__file__).parent
Latency = tuple[int, int]
FULL: Latency = (0, 0)
Floats = NDArray[np.float32]


def word_edits(reference: str, hypothesis: str) -> tuple[int, int]:
    """(Levenshtein distance in words, words of the reference)."""
    ref, hyp = reference.split(), hypothesis.split()
    row = list(range(len(hyp) + 1))
    for i, word in enumerate(ref, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(hyp, 1):
            best = min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
            diagonal, row[j] = row[j], best
    return row[-1], len(ref)


def greedy(log_probs: Floats, subwords: sentencepiece.SentencePieceProcessor) -> str:
    """Best path: the best symbol of each frame, repetitions merged, blanks dropped."""
    blank = subwords.vocab_size()
    return str(subwords.decode([int(k) for k, _ in itertools.groupby(log_probs.argmax(-1)) if k != blank]))


def in_batches(items: Sequence[Utterance], size: int) -> Iterator[list[int]]:
    """Indices in batches of similar length."""
    order = sorted(range(len(items)), key=lambda i: len(items[i].samples))
    for begin in range(0, len(order), size):
        yield order[begin : begin + size]


@torch.no_grad()
def torch_log_probs(net: StreamingCtc, batch: Sequence[Utterance], latency: Latency) -> list[Floats]:
    """`forward` over whole utterances in float32."""
    (chunk, look), left = latency, LEFT_40MS
    # two hops of silence: the last window that touches the recording counts, as in a stream
    mels = [features.log_mel(np.pad(u.samples, (0, 2 * features.HOP))) for u in batch]
    span = max(len(m) for m in mels) + 8
    x = torch.full((len(mels), -(-span // 128) * 128, features.BANDS), FLOOR)
    for row, mel in zip(x, mels, strict=True):
        row[1 : 1 + len(mel)] = torch.from_numpy(mel)
    lengths = torch.tensor([len(m) + 3 for m in mels])
    if latency == FULL:
        chunk = left = x.shape[1] // 4
    logits, _, _, frames = net(x, lengths, chunk=chunk, look=look, left=left)
    return [z[:n].log_softmax(-1).numpy() for z, n in zip(logits, frames, strict=True)]


def _overwritten(
    ring: NDArray[np.generic], rows: NDArray[np.generic], seen: NDArray[np.generic], chunk: int
) -> NDArray[np.generic]:
    """The ring (B, HEADS, left, ...) with new rows in the place of the oldest; `seen` counts 20 ms, chunk 40 ms."""
    after, count = ring.copy(), rows.shape[2]
    for row, frames in enumerate(seen):
        at = (int(frames) // 2 // chunk * count + np.arange(count)) % ring.shape[2]
        after[row][:, at] = rows[row]
    return after


class GraphRunner:
    """Runs an exported encoder over whole recordings, as the gateway does: several streams a batch, chunk by chunk."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.outputs = [o.name for o in self.session.get_outputs()]
        types = {
            "tensor(float)": np.float32,
            "tensor(float16)": np.float16,
            "tensor(int64)": np.int64,
            "tensor(int8)": np.int8,
        }
        state = [i for i in self.session.get_inputs() if i.name not in ("pcm", "lookahead")]
        self.state = {i.name: (tuple(i.shape[1:]), types[i.type]) for i in state}

    def start(self, batch: int) -> dict[str, NDArray[np.generic]]:
        return {name: np.zeros((batch, *shape), kind) for name, (shape, kind) in self.state.items()}

    def step(
        self, pcm: Floats, state: dict[str, NDArray[np.generic]], look: int
    ) -> tuple[dict[str, Floats], dict[str, NDArray[np.generic]]]:
        """Returns (outputs, next state)."""
        values = self.session.run(None, {"pcm": pcm, "lookahead": np.array([look], np.int64), **state})
        named = dict(zip(self.outputs, values, strict=True))
        chunk = named["log_probs"].shape[1]
        after = {k.removeprefix("next_"): v for k, v in named.items() if k.startswith("next_")}
        for name in state.keys() - after.keys():
            after[name] = _overwritten(state[name], named["new_" + name], state["seen"], chunk)
        return {k: v for k, v in named.items() if not k.startswith(("next_", "new_"))}, after

    def log_probs(self, batch: Sequence[Floats], latency: Latency) -> list[Floats]:
        """Subword log-probabilities of recordings; silence fills the end."""
        chunk, look = latency
        steps = max(-(-len(y) // (chunk * graph.FRAME_SAMPLES)) for y in batch)
        pcm = np.zeros((len(batch), (steps * chunk + look) * graph.FRAME_SAMPLES), np.float32)
        for row, y in zip(pcm, batch, strict=True):
            row[: len(y)] = y
        state, parts = self.start(len(batch)), []
        for i in range(steps):
            begin = i * chunk * graph.FRAME_SAMPLES
            out, state = self.step(pcm[:, begin : begin + (chunk + look) * graph.FRAME_SAMPLES], state, look)
            parts.append(out["log_probs"])
        frames = [-(-len(y) // graph.FRAME_SAMPLES) for y in batch]
        return [z[:n] for z, n in zip(np.concatenate(parts, 1), frames, strict=True)]


def texts(
    model: StreamingCtc | GraphRunner,
    utterances: Sequence[Utterance],
    latency: Latency,
    subwords: sentencepiece.SentencePieceProcessor,
) -> list[str]:
    """Greedy text of each utterance."""
    found = [""] * len(utterances)
    for batch in in_batches(utterances, 8):
        some = [utterances[i] for i in batch]
        if isinstance(model, GraphRunner):
            posteriors = model.log_probs([u.samples for u in some], latency)
        else:
            posteriors = torch_log_probs(model, some, latency)
        for i, z in zip(batch, posteriors, strict=True):
            found[i] = greedy(z, subwords)
    return found


def rate(utterances: Sequence[Utterance], hypotheses: Sequence[str]) -> float:
    counts = [word_edits(u.transcript, h) for u, h in zip(utterances, hypotheses, strict=True)]
    return sum(e for e, _ in counts) / sum(n for _, n in counts)


def load_subwords() -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_file=str(HERE / "subwords.model"))


def load_model(path: Path) -> StreamingCtc | GraphRunner:
    if path.suffix == ".onnx":
        return GraphRunner(path)
    return weights.load_network(path, phones.COUNT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--sets", nargs="+", default=DEV_SETS)
    parser.add_argument("--latencies", nargs="+", default=["8+8"])
    parser.add_argument("--limit", type=int, help="utterances a set, evenly drawn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--texts", type=Path, help="write {path: text} here, of the first latency")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    subwords = load_subwords()
    model = load_model(args.model)
    written: dict[str, str] = {}
    for name in args.sets:
        utterances = list(read_packed(args.corpus / "dev" / f"{name}.tsv"))
        if args.limit:
            utterances = utterances[:: max(1, len(utterances) // args.limit)][: args.limit]
        for latency in args.latencies:
            chunk, look = FULL if latency == "full" else map(int, latency.split("+"))
            hypotheses = texts(model, utterances, (chunk, look), subwords)
            print(f"{name:20s} {latency:6s} {100 * rate(utterances, hypotheses):.2f} %", flush=True)
            if latency == args.latencies[0]:
                written |= {u.path: h for u, h in zip(utterances, hypotheses, strict=True)}
    if args.texts:
        args.texts.write_text(json.dumps(written, indent=0))


if __name__ == "__main__":
    main()
