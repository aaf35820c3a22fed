"""The contextual adapter as two ONNX graphs, and its part of the bundle.

    python adapter_graph.py ADAPTER.pt CHECKPOINT ../models/en-base

catalogue.onnx: `subwords` (N, L) and `phones` (N, P) int64, filled up with 0 -> `keys` (N, ceil(P / STRIDE), SIZE)
and `values` (N, ceil(P / STRIDE), VALUE), of which those of filled-up phones mean nothing.
adapter.onnx: `hidden`, `tap0`, `tap1` (B, T, WIDTH) as the encoder graph gives them; of a list that all streams of the
batch share `keys` (K, SIZE), `values` (K, VALUE) and `owners` (K) int64, ascending from 0: whose each is ->
`log_probs` (B, T, V), `weights` (B, T, 1 + S) with `<no-bias>` first, and the entry of each of the other
S = min(entries, SHORTLIST) columns, `entries` (B, S) int64: of a long list attention sees those that have most of it in
any of the frames.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper

import weights
from adapter import PHONES_MAX, SIZE, STRIDE, SUBWORDS_MAX, VALUE
from entries import TABLE
from export import describe
from graph_builder import Builder
from network import WIDTH

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
SHIFT = 0.5
"""The training lists something in every utterance, so it learns to lean far; half of that is better for the words beside
names and no worse for names (../docs/biasing.md)."""
SHORTLIST = 256
"""Entries that attention sees at most."""
Shape = list[str | int]


def _model(
    b: Builder, name: str, inputs: list[tuple[str, int, Shape]], outputs: list[tuple[str, str, int, Shape]]
) -> onnx.ModelProto:
    for public, made, _, _ in outputs:
        b.nodes.append(helper.make_node("Identity", [made], [public]))
    graph = helper.make_graph(
        b.nodes,
        name,
        [helper.make_tensor_value_info(n, kind, shape) for n, kind, shape in inputs],
        [helper.make_tensor_value_info(n, kind, shape) for n, _, kind, shape in outputs],
        initializer=list(b.initializers.values()),
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10, producer_name="lexigate"
    )
    onnx.checker.check_model(model)
    return model


def _symbols(b: Builder, ids: str, name: str) -> tuple[str, str]:
    """`adapter.Symbols`."""
    there = b.op("Cast", b.op("Unsqueeze", b.op("Not", b.op("Equal", ids, b.scalar(0))), b.ints(2)), to=FLOAT)
    embedded = b.op("Gather", b.weight(f"{name}.embedding.weight"), ids, axis=0)
    length = b.op("Shape", ids, start=1, end=2)
    positions = b.slice(b.weight(f"{name}.position"), b.ints(0), length, 0)
    x = b.op("Mul", b.op("Add", embedded, positions), there)
    for i in range(2):
        kernel, bias = (f"{name}.convolutions.{i}.{kind}" for kind in ("weight", "bias"))
        y = b.op("Transpose", x, perm=[0, 2, 1])
        y = b.op("Conv", y, b.weight(kernel), b.store(bias, b.weights[bias]), pads=[2, 2])
        x = b.op("Mul", b.op("Add", x, b.op("Transpose", b.op("Gelu", y), perm=[0, 2, 1])), there)
    count = b.op("Max", b.op("ReduceSum", there, b.ints(1), keepdims=0), b.scalar(1.0))
    return x, b.op("Div", b.op("ReduceSum", x, b.ints(1), keepdims=0), count)


def catalogue(parameters: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    b = Builder(parameters, "int8")
    each, said = _symbols(b, "phones", "phones")
    _, spelt = _symbols(b, "subwords", "subwords")
    whole = b.op("Unsqueeze", b.exact(b.concat(said, spelt, axis=1), "whole"), b.ints(1))
    every = b.slice(each, b.ints(0), b.ints(2**31 - 1), 1, STRIDE)
    x = b.op("Gelu", b.op("Add", every, whole))
    outputs: list[tuple[str, str, int, Shape]] = [
        (f"{name}s", b.exact(x, name), FLOAT, ["entries", "places", size])
        for name, size in (("key", SIZE), ("value", VALUE))
    ]
    inputs: list[tuple[str, int, Shape]] = [
        ("subwords", INT64, ["entries", "longest_spelling"]),
        ("phones", INT64, ["entries", "longest_sound"]),
    ]
    return _model(b, "catalogue", inputs, outputs)


def adapter(parameters: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """`adapter.Adapter` and the network's own output layer (`ln`, `out`) behind it."""
    b = Builder(parameters, "int8")
    share = np.exp(parameters["mix"]) / np.exp(parameters["mix"]).sum()
    parts = [b.op("Mul", b.norm(f"tap{j}", f"norms.{j}"), b.scalar(float(share[j]))) for j in range(2)]
    listened = b.op("Gelu", b.exact(b.op("Add", *parts), "listen"))
    query = b.op("Mul", b.exact(listened, "query"), b.scalar(SIZE**-0.5))
    scores = b.op("MatMul", query, b.op("Transpose", "keys", perm=[1, 0]))
    none = b.op("MatMul", query, b.store("no_bias", parameters["no_bias"][:, None]))
    none = b.op("Add", none, b.scalar(float(parameters["no_bias_score"])))
    largest = b.op("Max", b.op("ReduceMax", scores, b.ints(2)), none)
    each = b.op("Exp", b.op("Sub", scores, largest))
    nothing = b.op("Exp", b.op("Sub", none, largest))
    # by entry, of which the shortlist stays
    last = b.slice("owners", b.ints(-1), b.ints(2**31 - 1), 0)
    count = b.op("Add", last, b.ints(1))
    frames = b.op("Shape", "hidden", start=0, end=2)
    zeros = b.op("ConstantOfShape", b.concat(frames, count, axis=0))
    owners = b.op("Expand", b.op("Unsqueeze", "owners", b.ints(0, 1)), b.op("Shape", scores))
    by_entry = b.op("ScatterElements", zeros, owners, each, axis=2, reduction="add")
    share = b.op("Div", by_entry, b.op("Add", b.op("ReduceSum", by_entry, b.ints(2)), nothing))
    size = b.op("Min", count, b.ints(SHORTLIST))
    _, best = b.ops("TopK", b.op("ReduceMax", share, b.ints(1), keepdims=0), size, outputs=2, axis=1)
    nobody = b.op("ConstantOfShape", b.concat(b.op("Shape", "hidden", start=0, end=1), count, axis=0))
    one = helper.make_tensor("value", FLOAT, [1], [1.0])
    listed = b.op("ScatterElements", nobody, best, b.op("ConstantOfShape", b.op("Shape", best), value=one), axis=1)
    each = b.op("Mul", each, b.op("Unsqueeze", b.op("Gather", listed, "owners", axis=1), b.ints(1)))
    total = b.op("Add", b.op("ReduceSum", each, b.ints(2)), nothing)
    context = b.op("MatMul", b.op("Div", each, total), "values")
    columns = b.op("Unsqueeze", best, b.ints(1))
    columns = b.op("Expand", columns, b.concat(frames, size, axis=0))
    none = b.op("Div", nothing, total)
    attention = b.concat(none, b.op("Div", b.op("GatherElements", by_entry, columns, axis=2), total), axis=2)
    shift = b.op("MatMul", context, b.weight("shift.weight", transposed=True))
    shifted = b.op("Add", "hidden", shift)
    log_probs = b.op("LogSoftmax", b.exact(b.norm(shifted, "ln"), "out"), axis=-1)
    inputs: list[tuple[str, int, Shape]] = [
        *((name, FLOAT, ["batch", "frames", WIDTH]) for name in ("hidden", "tap0", "tap1")),
        ("keys", FLOAT, ["places", SIZE]),
        ("values", FLOAT, ["places", VALUE]),
        ("owners", INT64, ["places"]),
    ]
    outputs: list[tuple[str, str, int, Shape]] = [
        ("log_probs", log_probs, FLOAT, ["batch", "frames", len(parameters["out.bias"])]),
        ("weights", attention, FLOAT, ["batch", "frames", "shortlist_and_none"]),
        ("entries", best, INT64, ["batch", "shortlist"]),
    ]
    return _model(b, "adapter", inputs, outputs)


def write(trained: Path, checkpoint: Path, out: Path, shift: float) -> None:
    """Both graphs, and bundle.json's word on them. `shift` multiplies what the adapter adds to the hidden layer."""
    state = torch.load(trained, map_location="cpu", weights_only=True)["adapter"]
    parts: dict[str, dict[str, NDArray[np.float32]]] = {"catalogue": {}, "adapter": {}}
    for name, value in state.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value.float().numpy()
    parts["adapter"]["shift.weight"] *= np.float32(shift)
    network = weights.read_state(checkpoint)
    for name in ("ln.weight", "ln.bias", "out.weight", "out.bias"):
        parts["adapter"][name] = network[name].float().numpy()
    onnx.save(catalogue(parts["catalogue"]), out / "catalogue.onnx")
    onnx.save(adapter(parts["adapter"]), out / "adapter.onnx")
    path = out / "bundle.json"
    bundle = json.loads(path.read_text())
    bundle["adapter"] = {
        "catalogue": describe(out / "catalogue.onnx"),
        "adapter": describe(out / "adapter.onnx"),
        "keySize": SIZE,
        "valueSize": VALUE,
        "shortlist": SHORTLIST,
        "subwordsMax": SUBWORDS_MAX,
        "phonesMax": PHONES_MAX,
        "stride": STRIDE,
        "phones": TABLE["phones"],
    }
    path.write_text(json.dumps(bundle, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("checkpoint", type=Path, help="the network it was trained over")
    parser.add_argument("out", type=Path, help="the bundle's folder")
    parser.add_argument("--shift", type=float, default=SHIFT, help="of the shift that was learnt, how much is kept")
    args = parser.parse_args()
    write(args.adapter, args.checkpoint, args.out, args.shift)


if __name__ == "__main__":
    main()
