"""The same weights in the form that sherpa-onnx calls `nemoCtc`, as a runtime to compare with (not part of the bundle).

    pip install sherpa-onnx kaldi-native-fbank
    python export_nemo_ctc.py CHECKPOINT OUT --corpus CORPUS [--chunk 8] [--look 8] [--score native]

sherpa-onnx computes NeMo's filterbanks itself, this network reads Whisper's. So the graph begins with a linear map
from the one to the other, fitted on the corpus' own audio; what that costs in words is measured with `--score`. Writes
OUT/model.onnx and OUT/tokens.txt.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

import features
from corpus import Utterance, read_packed
from export import tensors
from graph import END, EncoderGraph
from network import HEADS, WIDTH
from score import load_subwords, rate

Floats = NDArray[np.float32]
TAILS = 1, 1, WIDTH + 2 * features.BANDS


def nemo_fbank(samples: Floats) -> Floats:
    """Filterbanks exactly as sherpa-onnx 2.0.1 computes them for such a model: (frames, BANDS)."""
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = features.RATE
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = features.BANDS
    options.mel_opts.low_freq = 0
    options.mel_opts.high_freq = features.RATE / 2
    options.mel_opts.is_librosa = True
    options.frame_opts.remove_dc_offset = False
    options.frame_opts.window_type = "hann"
    bank = knf.OnlineFbank(options)
    bank.accept_waveform(features.RATE, samples.tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(i) for i in range(bank.num_frames_ready)])


def fit_map(utterances: list[Utterance]) -> tuple[Floats, Floats]:
    """Least squares (map, offset) from NeMo's frame k to our frame k + 1, whose windows lie 2.5 ms apart."""
    theirs, ours = [], []
    for utterance in utterances:
        nemo, mel = nemo_fbank(utterance.samples), features.log_mel(utterance.samples)[1:]
        frames = min(len(nemo), len(mel))
        theirs.append(nemo[:frames])
        ours.append(mel[:frames])
    x, y = np.concatenate(theirs).astype(np.float64), np.concatenate(ours).astype(np.float64)
    speech = y.max(1) > -4  # silence would only teach the map the floor
    design = np.concatenate([x, np.ones((len(x), 1))], 1)[speech]
    solution, *_ = np.linalg.lstsq(design.T @ design + np.eye(design.shape[1]), design.T @ y[speech], rcond=None)
    error = np.sqrt(np.mean((design @ solution - y[speech]) ** 2))
    print(f"map fitted on {int(speech.sum())} frames, error {error:.3f} (log10 power)")
    return solution[:-1].T.astype(np.float32), solution[-1].astype(np.float32)


class NemoGraph(EncoderGraph):
    """The encoder graph behind other doors: filterbanks instead of PCM, the state in three tensors, one latency."""

    def __init__(self, weights: dict[str, Floats], precision: str, chunk: int, look: int) -> None:
        super().__init__(weights, precision)
        self.window, self.shift = 4 * (chunk + look), 4 * chunk
        self.frames, self.chunk = self.b.ints(chunk + look), self.b.ints(chunk)
        self.cached = [(s.name, s.shape) for s in self.state if s.per_frame]
        """Keys and values of each block: name and (HEADS, frames, WIDTH / HEADS)."""
        self.rows = [int(np.prod(shape[:-1])) for _, shape in self.cached]

    def _named(self, kind: str, name: str, *inputs: str, **attributes: object) -> None:
        """A node whose output has the name by which the encoder graph knows a piece of its state."""
        self.b.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))

    def build_for(self, mapping: Floats, offset: Floats) -> onnx.ModelProto:
        b = self.b
        self._named("Identity", "seen", "cache_last_channel_len")
        at = 0
        for (name, shape), rows in zip(self.cached, self.rows, strict=True):
            part = b.slice("cache_last_channel", b.ints(at), b.ints(at + rows), 2)
            self._named("Reshape", name, part, b.ints(-1, *shape))
            at += rows
        tails = b.op("Reshape", "cache_last_time", b.ints(-1, TAILS[2]))
        conv, mel = (b.slice(tails, b.ints(at), b.ints(end), 1) for at, end in ((0, WIDTH), (WIDTH, TAILS[2])))
        self._named("Reshape", "conv_tail", conv, b.ints(-1, 1, WIDTH))
        self._named("Reshape", "mel_tail", mel, b.ints(-1, 2, features.BANDS))
        mapped = b.op("MatMul", b.op("Transpose", "features", perm=[0, 2, 1]), b.store("fbank_map", mapping.T))
        self._network(b.op("Add", mapped, b.store("fbank_offset", offset)))
        self._gather_state()
        return self._described()

    def _unfilled(self, index: str, left: int, filled: str) -> str:
        """sherpa-onnx keeps no rings: the newest frames come last."""
        return self.b.op("Less", index, self.b.op("Sub", self.b.scalar(left), filled))

    def _gather_state(self) -> None:
        b = self.b
        parts = []
        for (name, shape), rows in zip(self.cached, self.rows, strict=True):
            both = b.concat(name, self.outputs[f"new_{name}"], axis=2)
            newest = b.slice(both, b.ints(-shape[1]), b.ints(END), 2)
            parts.append(b.op("Reshape", newest, b.ints(-1, 1, rows, WIDTH // HEADS)))
        tails = [b.op("Reshape", self.outputs[f"next_{n}"], b.ints(0, 1, 1, -1)) for n in ("conv_tail", "mel_tail")]
        batch = b.op("Shape", "length")
        self.outputs |= {
            "length_out": b.op("Expand", self.chunk, batch),
            "cache_last_channel_next": b.concat(*parts, axis=2),
            "cache_last_time_next": b.concat(*tails, axis=3),
            "cache_last_channel_len_next": self.outputs["next_seen"],
        }

    def _described(self) -> onnx.ModelProto:
        def tensor(name: str, kind: int, *shape: str | int) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, kind, ["batch", *shape])

        cache = 1, sum(self.rows), WIDTH // HEADS
        inputs = [
            tensor("features", TensorProto.FLOAT, features.BANDS, self.window),
            tensor("length", TensorProto.INT64),
            tensor("cache_last_channel", TensorProto.FLOAT, *cache),
            tensor("cache_last_time", TensorProto.FLOAT, *TAILS),
            tensor("cache_last_channel_len", TensorProto.INT64),
        ]
        symbols = len(self.b.weights["out.bias"])
        model = self._model(
            inputs,
            {
                "log_probs": (TensorProto.FLOAT, ["batch", self.shift // 4, symbols]),
                "length_out": (TensorProto.INT64, ["batch"]),
                "cache_last_channel_next": (TensorProto.FLOAT, ["batch", *cache]),
                "cache_last_time_next": (TensorProto.FLOAT, ["batch", *TAILS]),
                "cache_last_channel_len_next": (TensorProto.INT64, ["batch"]),
            },
        )
        facts = {
            "window_size": self.window,
            "chunk_shift": self.shift,
            "subsampling_factor": 4,
            "vocab_size": symbols - 1,
            "normalize_type": "NA",
            "model_type": "EncDecCTCModelBPE",
        }
        facts |= {f"cache_last_channel_dim{i}": v for i, v in enumerate(cache, 1)}
        facts |= {f"cache_last_time_dim{i}": v for i, v in enumerate(TAILS, 1)}
        helper.set_model_props(model, {k: str(v) for k, v in facts.items()})
        return model


def transcribe(out: Path, utterances: list[Utterance], tail_seconds: float) -> list[str]:
    """Texts by sherpa-onnx itself."""
    import sherpa_onnx

    recognizer = sherpa_onnx.OnlineRecognizer.from_nemo_ctc(
        tokens=str(out / "tokens.txt"), model=str(out / "model.onnx"), num_threads=1
    )
    texts = []
    for utterance in utterances:
        stream = recognizer.create_stream()
        stream.accept_waveform(features.RATE, utterance.samples)
        stream.accept_waveform(features.RATE, np.zeros(int(tail_seconds * features.RATE), np.float32))
        stream.input_finished()
        while recognizer.is_ready(stream):
            recognizer.decode_stream(stream)
        texts.append(" ".join(recognizer.get_result(stream).split()))
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--chunk", type=int, default=8)
    parser.add_argument("--look", type=int, default=8)
    parser.add_argument("--precision", choices=("fp32", "int8"), default="int8")
    parser.add_argument("--score", help="development set to transcribe with sherpa-onnx")
    parser.add_argument("--limit", type=int, default=60)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    training = (args.corpus / "real" / "librispeech_train_clean_5.tsv", args.corpus / "real" / "speechocean762.tsv")
    sample = [u for path in training for u in itertools.islice(read_packed(path), 0, 1200, 10)]
    graph = NemoGraph(tensors(args.checkpoint), args.precision, args.chunk, args.look)
    onnx.save(graph.build_for(*fit_map(sample)), args.out / "model.onnx")
    subwords = load_subwords()
    pieces = [subwords.id_to_piece(i) for i in range(subwords.vocab_size())] + ["<blk>"]
    (args.out / "tokens.txt").write_text("".join(f"{piece} {i}\n" for i, piece in enumerate(pieces)))
    if args.score:
        utterances = list(read_packed(args.corpus / "dev" / f"{args.score}.tsv"))
        utterances = utterances[:: max(1, len(utterances) // args.limit)][: args.limit]
        found = transcribe(args.out, utterances, 0.04 * (args.chunk + args.look) + 0.7)
        print(f"{args.score}: {100 * rate(utterances, found):.2f} % of {len(utterances)} utterances")


if __name__ == "__main__":
    main()
