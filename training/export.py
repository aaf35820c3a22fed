"""From a checkpoint to the bundle that the gateway loads.

    python export.py CHECKPOINT ../models/en-base --version 2026.11.25-1 [--fixtures FOLDER --speech FILE]

Writes encoder.onnx (int8), subwords.json, phones.json and bundle.json. `--fixtures` also renews the numbers that the
gateway's tests compare with. The fp32 graph, for the parity test, is written beside the checkpoint on request (--fp32).
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import sentencepiece
import soundfile
import torch
from numpy.typing import NDArray

import graph
import phones
import weights
from corpus import Utterance, decode
from network import TAPS, WIDTH, StreamingCtc
from score import GraphRunner, load_subwords, torch_log_probs

LATENCIES = ((8, 8), (16, 8), (8, 4), (4, 4), (2, 2))
"""(chunk, look-ahead) in frames of 40 ms that the training draws from, the gateway's default first."""

ROOT = Path(__file__).parent.parent
RECORDINGS = (*ROOT.glob("samples/*.wav"), ROOT / "test/fixtures/encoder/speech.wav")
HEADROOM = 1.5


def tensors(checkpoint: Path) -> dict[str, NDArray[np.float32]]:
    return {name: value.float().numpy() for name, value in weights.read_state(checkpoint).items()}


def ranges(parameters: dict[str, NDArray[np.float32]]) -> graph.Ranges:
    """Of keys and values on the repository's own recordings, spoken aloud and softly, with room for what is larger."""
    net = StreamingCtc(len(parameters["out.bias"]), phones.COUNT, weights.count_blocks(parameters))
    net.load_state_dict({name: torch.from_numpy(value) for name, value in parameters.items()})
    largest: graph.Ranges = {}

    def watch(i: int) -> None:
        def see(_: torch.nn.Module, __: object, qkv: torch.Tensor) -> None:
            parts = qkv.abs().amax((0, 1)).numpy().reshape(3, WIDTH)[1:]
            for name, part in zip((f"keys.{i}", f"values.{i}"), parts, strict=True):
                largest[name] = np.maximum(largest.get(name, np.float32(1e-6)), HEADROOM * part)

        net.blocks[i].qkv.register_forward_hook(see)

    for i in range(len(net.blocks)):
        watch(i)
    for path in sorted(RECORDINGS):
        samples = decode(path.read_bytes())
        for gain in (1, 0.1):
            torch_log_probs(net.eval(), [Utterance(path.name, "", "", (), gain * samples)], LATENCIES[0])
    return largest


def write_graph(parameters: dict[str, NDArray[np.float32]], precision: str, path: Path) -> list[graph.StateTensor]:
    """Returns the graph's state, in order."""
    encoder = graph.EncoderGraph(parameters, precision, ranges(parameters) if precision == "int8" else None)
    onnx.save(encoder.build(), path)
    return encoder.state


def describe(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    return {"file": path.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def write_subwords(subwords: sentencepiece.SentencePieceProcessor, path: Path) -> None:
    ids = range(subwords.vocab_size())
    content = {
        "pieces": [subwords.id_to_piece(i) for i in ids],
        "scores": [round(subwords.get_score(i), 6) for i in ids],
    }
    path.write_text(json.dumps(content, ensure_ascii=False) + "\n")


def write_phones(path: Path) -> None:
    content = {
        "phones": ["", *phones.SYMBOLS],
        "toArpabet": phones.TO_ARPABET,
        "fromArpabet": phones.FROM_ARPABET,
    }
    path.write_text(json.dumps(content, ensure_ascii=False) + "\n")


def write_bundle(out: Path, version: str, state: Sequence[graph.StateTensor], precision: str, subwords: int) -> None:
    """bundle.json. What other tools put there (language model, pronunciation) is kept."""
    path = out / "bundle.json"
    bundle = json.loads(path.read_text()) if path.exists() else {}
    bundle |= {
        "format": 1,
        "name": out.name,
        "version": version,
        "language": "en",
        "sampleRate": 16000,
        "frameSamples": graph.FRAME_SAMPLES,
        "encoder": describe(out / "encoder.onnx")
        | {
            "precision": precision,
            "blank": subwords,
            "taps": [WIDTH for _ in TAPS],
            "state": [
                {"name": s.name, "type": s.type, "shape": s.shape} | ({"perFrame": s.per_frame} if s.per_frame else {})
                for s in state
            ],
        },
        "subwords": describe(out / "subwords.json"),
        "phones": describe(out / "phones.json"),
        "latencies": [{"chunkFrames": chunk, "lookaheadFrames": look} for chunk, look in LATENCIES],
    }
    path.write_text(json.dumps(bundle, indent=2) + "\n")


def write_fixtures(folder: Path, checkpoint: Path, encoder: Path, speech: Path) -> None:
    """Expected log-probabilities of one short recording at the default latency: from PyTorch over the whole utterance,
    and from the shipped graph chunk by chunk."""
    samples = decode(speech.read_bytes())
    utterance = Utterance(speech.name, "", "", (), samples)
    chunk, look = LATENCIES[0]
    runner = GraphRunner(encoder)
    expected = {
        "torch-fp32": torch_log_probs(weights.load_network(checkpoint, phones.COUNT), [utterance], (chunk, look))[0],
        "shipped": runner.log_probs([samples], (chunk, look))[0],
    }
    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, object] = {
        "speech": {"file": speech.name, "sampleRate": 16000, "samples": len(samples)},
        "chunkFrames": chunk,
        "lookaheadFrames": look,
    }
    for name, log_probs in expected.items():
        frames = min(len(v) for v in expected.values())
        (folder / f"{name}.bin").write_bytes(log_probs[:frames].astype("<f4").tobytes())
        content[name] = {"file": f"{name}.bin", "type": "float32", "shape": [frames, log_probs.shape[1]]}
    (folder / "expected.json").write_text(json.dumps(content, indent=2) + "\n")


def write_speech(source: Path, target: Path) -> None:
    """A recording as the fixtures keep it: 16-bit mono WAV at 16 kHz."""
    soundfile.write(target, decode(source.read_bytes()), 16000, subtype="PCM_16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--fp32", type=Path, help="write the fp32 graph here too")
    parser.add_argument("--fixtures", type=Path)
    parser.add_argument("--speech", type=Path, help="recording of the fixtures")
    args = parser.parse_args()
    torch.set_num_threads(1)
    parameters = tensors(args.checkpoint)
    args.out.mkdir(parents=True, exist_ok=True)
    state = write_graph(parameters, "int8", args.out / "encoder.onnx")
    if args.fp32:
        write_graph(parameters, "fp32", args.fp32)
    subwords = load_subwords()
    write_subwords(subwords, args.out / "subwords.json")
    write_phones(args.out / "phones.json")
    write_bundle(args.out, args.version, state, "int8", subwords.vocab_size())
    if args.fixtures:
        speech = args.fixtures / "speech.wav"
        if args.speech:
            args.fixtures.mkdir(parents=True, exist_ok=True)
            write_speech(args.speech, speech)
        write_fixtures(args.fixtures, args.checkpoint, args.out / "encoder.onnx", speech)


if __name__ == "__main__":
    main()
