"""The streaming step as an ONNX graph, written node by node.

By hand rather than traced, because everything about its shapes is dynamic (batch, chunk, look-ahead), because the
weights keep their names (a bundle can start the next training), and because the quantised product is one operator.
PCM goes in, log-probabilities come out, all state is explicit; `network.StreamingCtc.step` is the same in PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import features
from graph_builder import Builder, Weights
from network import FLOOR, HEADS, LEFT_20MS, LEFT_40MS, POOL_BEFORE, POSITIONS, TAPS, WIDTH
from weights import count_blocks

OPSET = 21
FRAME_SAMPLES = 640
"""Samples per output frame."""


@dataclass(frozen=True)
class StateTensor:
    name: str
    type: str
    shape: tuple[int, ...]
    """Without the batch axis."""
    per_frame: int = 0
    """0: the graph returns the tensor's successor, `next_NAME`. Otherwise the tensor is a ring along its last axis but
    one, and the graph returns as `new_NAME` the rows that take the place of the oldest, so many a frame of 40 ms."""


def state_tensors(kind: str, blocks: int) -> list[StateTensor]:
    """The state of a graph of so many blocks, in order, with keys and values of that type. All of it starts at zero."""
    caches = []
    for i in range(blocks):
        left, per_frame = (LEFT_20MS, 2) if i < POOL_BEFORE else (LEFT_40MS, 1)
        caches += [StateTensor(f"{k}.{i}", kind, (HEADS, left, WIDTH // HEADS), per_frame) for k in ("keys", "values")]
    return [
        StateTensor("pcm_tail", "float32", (features.HISTORY,)),
        StateTensor("mel_tail", "float32", (2, features.BANDS)),
        StateTensor("conv_tail", "float32", (1, WIDTH)),
        StateTensor("seen", "int64", ()),
        *caches,
    ]


ONNX_TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "int64": TensorProto.INT64,
    "int8": TensorProto.INT8,
}
Ranges = dict[str, NDArray[np.float32]]
"""By name (`keys.0`), the largest magnitude that each of a block's WIDTH keys or values is to have in int8."""


END = 2**31 - 1
"""As a slice's end: to the last."""


def _flat(kernels: NDArray[np.float32]) -> NDArray[np.float32]:
    """A convolution's (out, in, 3) as the matrix (out, 3 * in) of a product with three frames side by side."""
    return kernels.transpose(0, 2, 1).reshape(len(kernels), -1)


def _kernels(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of `_flat`."""
    return matrix.reshape(len(matrix), 3, -1).transpose(0, 2, 1)


def _as_products(weights: Weights) -> Weights:
    """The parameters as the graph multiplies with them: convolutions as matrices, query, key and value apart."""
    found: Weights = {}
    for name, value in weights.items():
        if name in ("c1.weight", "c2.weight"):
            found[name] = _flat(value)
        elif ".qkv." in name:
            found |= {name.replace("qkv", k): part for k, part in zip("qkv", np.split(value, 3), strict=True)}
        else:
            found[name] = value
    return found


class EncoderGraph:
    """Puts the step together, from the samples to the log-probabilities. Between the convolutions and the heads all
    frames of all streams are the rows of one matrix; only attention knows whose they are."""

    def __init__(self, weights: Weights, precision: str, ranges: Ranges | None = None) -> None:
        """Keys and values are kept in int8 if their ranges are given, else in single precision. (In half precision,
        as before, a stream's state was twice as large, and greedy text no better.)"""
        self.b = Builder(_as_products(weights), precision)
        self.blocks = count_blocks(weights)
        self.units = {name: largest / 127 for name, largest in (ranges or {}).items()}
        self.state = state_tensors("int8" if ranges else "float32", self.blocks)
        self.outputs: dict[str, str] = {}
        """What the graph can return, by name."""

    def build(self) -> onnx.ModelProto:
        b = self.b
        samples = b.op("Shape", "pcm", start=1, end=2)
        self.frames = b.op("Div", samples, b.ints(FRAME_SAMPLES))
        self.chunk = b.op("Sub", self.frames, "lookahead")
        self._network(self._log_mel())
        return self._streaming_model()

    def _network(self, log_mel: str) -> None:
        """From log10 mel power (B, 4 * frames, BANDS) to all outputs and the next state, but for the PCM's."""
        b = self.b
        self.batch = b.op("Shape", "seen")
        self.by_stream = b.concat(self.batch, b.ints(-1, WIDTH), axis=0)
        """The shape in which rows are again (B, frames, WIDTH)."""
        self.first = b.op("Unsqueeze", b.op("Equal", "seen", b.scalar(0)), b.ints(1, 2))
        x = self._blocks(self._positions(self._convolutions(self._behind_tail(log_mel))))
        hidden = self.outputs["hidden"] = b.op("Reshape", x, self.by_stream)
        self.outputs["log_probs"] = b.op("LogSoftmax", b.exact(b.norm(hidden, "ln"), "out"), axis=-1)
        self.outputs["next_seen"] = b.op("Add", "seen", b.op("Mul", self.chunk, b.ints(2)))

    def _kept(self, x: str) -> str:
        """The chunk's own frames of rows at 40 ms, (B, chunk, WIDTH)."""
        return self.b.slice(self.b.op("Reshape", x, self.by_stream), self.b.ints(0), self.chunk, 1)

    def _tail(self, state: str, x: str, per_frame: int, size: int) -> str:
        """The `size` items of x before the end of the chunk: x begins with the tail of the step before."""
        begin = self.b.op("Mul", self.chunk, self.b.ints(per_frame))
        tail = self.b.slice(x, begin, self.b.op("Add", begin, self.b.ints(size)), 1)
        self.outputs["next_" + state] = tail
        return tail

    def _log_mel(self) -> str:
        """PCM -> log10 mel power (B, 4 * frames, BANDS). The window is symmetric about its middle, hence cosines read
        the sum of both halves and sines their difference: half the products of a Fourier sum."""
        b = self.b
        pcm = b.concat("pcm_tail", "pcm", axis=1)
        self._tail("pcm_tail", pcm, FRAME_SAMPLES, features.HISTORY)
        half = b.op("Reshape", pcm, b.ints(0, -1, features.HOP // 2))
        hops = b.op("Reshape", b.slice(half, b.ints(0), b.ints(-1), 1), b.ints(0, -1, features.HOP))
        third = b.slice(half, b.ints(4), b.ints(END), 1, step=2)
        windows = b.concat(
            b.slice(hops, b.ints(0), b.ints(-1), 1), b.slice(hops, b.ints(1), b.ints(END), 1), third, axis=2
        )
        middle = features.WINDOW // 2
        rising = b.slice(windows, b.ints(1), b.ints(middle), 2)
        falling = b.slice(windows, b.ints(-1), b.ints(middle), 2, step=-1)
        centre = b.slice(windows, b.ints(middle), b.ints(middle + 1), 2)
        cosines, sines = np.split(features.dft_kernels()[:, 0], 2)
        real = b.op(
            "MatMul",
            b.concat(b.op("Add", rising, falling), centre, axis=2),
            b.store("cosines", cosines[:, 1 : middle + 1].T),
        )
        imaginary = b.op("MatMul", b.op("Sub", rising, falling), b.store("sines", sines[:, 1:middle].T))
        power = b.op("Add", b.op("Mul", real, real), b.op("Mul", imaginary, imaginary))
        bands = b.op("MatMul", power, b.store("mel", features.MEL.T))
        natural = b.op("Log", b.op("Max", bands, b.scalar(features.SMALLEST)))
        return b.op("Mul", natural, b.scalar(1 / np.log(10).item()))

    def _behind_tail(self, log10: str) -> str:
        """Normalised, behind the two frames before: (B, 2 + 4 * frames, BANDS)."""
        b = self.b
        mel = b.op("Mul", b.op("Add", b.op("Max", log10, b.scalar(FLOOR)), b.scalar(4.0)), b.scalar(0.25))
        # before a stream's first frame lie one zero (the convolution's padding) and one frame of silence
        start = np.zeros((1, 2, features.BANDS), np.float32)
        start[:, 1] = (FLOOR + 4) / 4
        x = b.concat(b.op("Where", self.first, b.store("mel_start", start), "mel_tail"), mel, axis=1)
        self._tail("mel_tail", x, 4, 2)
        return x

    def _convolutions(self, mel: str) -> str:
        """-> rows at 20 ms. Both convolutions are products with three frames side by side, quantised as the others."""
        b = self.b
        last = b.ints(END)
        self._count_rows(4)
        window = b.concat(
            b.slice(mel, b.ints(0), b.ints(-2), 1),
            b.slice(mel, b.ints(1), b.ints(-1), 1),
            b.slice(mel, b.ints(2), last, 1),
            axis=2,
        )
        h = b.op("Gelu", b.linear(b.op("Reshape", window, b.ints(-1, 3 * features.BANDS)), "c1"))
        h = b.concat("conv_tail", b.op("Reshape", h, self.by_stream), axis=1)
        self._tail("conv_tail", h, 4, 1)
        self._count_rows(2)
        pairs = b.op("Reshape", b.slice(h, b.ints(0), b.ints(-1), 1), b.ints(0, -1, 2 * WIDTH))
        window = b.concat(pairs, b.slice(h, b.ints(2), last, 1, step=2), axis=2)
        return b.op("Gelu", b.linear(b.op("Reshape", window, b.ints(-1, 3 * WIDTH)), "c2"))

    def _count_rows(self, per_frame: int) -> None:
        frames = self.b.op("Mul", self.frames, self.b.ints(per_frame))
        self.b.count_rows(self.b.op("Mul", self.batch, frames))

    def _range(self, length: str) -> str:
        return self.b.op("Range", self.b.scalar(0), self.b.op("Squeeze", length, self.b.ints(0)), self.b.scalar(1))

    def _positions(self, x: str) -> str:
        """Adds the sinusoids of the stream's own position, modulo POSITIONS."""
        b = self.b
        half = WIDTH // 2
        rate = np.exp(-np.log(np.float32(10000)) / (half - 1) * np.arange(half, dtype=np.float32)).astype(np.float32)
        index = b.op("Cast", b.op("Range", b.scalar(0), b.scalar(POSITIONS), b.scalar(1)), to=TensorProto.FLOAT)
        angle = b.op("Mul", b.op("Unsqueeze", index, b.ints(1)), b.store("position_rate", rate))
        table = b.concat(b.op("Sin", angle), b.op("Cos", angle), axis=1)  # folded into a constant at load
        begin = b.op("Unsqueeze", "seen", b.ints(1))
        at = b.op("Add", begin, self._range(b.op("Mul", self.frames, b.ints(2))))
        at = b.op("Reshape", b.op("Mod", at, b.scalar(POSITIONS)), b.ints(-1))
        return b.op("Add", x, b.op("Gather", table, at, axis=0))

    def _unfilled(self, index: str, left: int, filled: str) -> str:
        """Which of the cache's frames, (1, left), the stream has not filled yet: a ring fills from its beginning."""
        return self.b.op("GreaterOrEqual", index, filled)

    def _mask(self, left: int, filled: str, own: str, queries: str) -> str:
        """Additive (B, 1, queries, left + own): hides what is not filled yet of the cache, which comes first."""
        b = self.b
        index = b.store(f"range_{left}", np.arange(left, dtype=np.int64)[None])
        unfilled = self._unfilled(index, left, b.op("Unsqueeze", filled, b.ints(1)))
        hidden = b.op("Mul", b.op("Cast", unfilled, to=TensorProto.FLOAT), b.scalar(-1e4))
        seen = b.op("ConstantOfShape", b.concat(self.batch, own, axis=0))
        row = b.op("Unsqueeze", b.concat(hidden, seen, axis=1), b.ints(1, 2))
        return b.op("Expand", row, b.concat(b.ints(1, 1), queries, b.ints(1), axis=0))

    def _blocks(self, x: str) -> str:
        """Rows at 20 ms -> rows at 40 ms of the chunk alone."""
        b = self.b
        frames20 = b.op("Mul", self.frames, b.ints(2))
        filled40 = b.op("Div", "seen", b.scalar(2))
        mask = self._mask(LEFT_20MS, "seen", frames20, frames20)
        for i in range(self.blocks - 1):
            x = self._block(i, x, mask)
            if i + 1 == POOL_BEFORE:  # the feedback of the tap here is equal for both of a pair: pool first
                x = b.op("ReduceMean", b.op("Reshape", x, b.ints(-1, 2, WIDTH)), b.ints(1), keepdims=0)
                self._count_rows(1)
                mask = self._mask(LEFT_40MS, filled40, self.frames, self.frames)
            if i in TAPS:
                x = self._tap(TAPS.index(i), x)
        return self._block(self.blocks - 1, x, self._mask(LEFT_40MS, filled40, self.frames, self.chunk))

    def _with_past(self, name: str, x: str, per_frame: int) -> str:
        """A block's keys or values of the step, (B, frames, WIDTH), behind those of the left context, by heads. Those
        of the chunk itself are returned for the ring."""
        b = self.b
        narrow = x
        if self.units:
            narrow = b.op("QuantizeLinear", x, b.scalar(1.0), b.store("int8_0", np.array(0, np.int8)))
        heads = b.op("Transpose", b.op("Reshape", narrow, b.ints(0, -1, HEADS, WIDTH // HEADS)), perm=[0, 2, 1, 3])
        self.outputs["new_" + name] = b.slice(heads, b.ints(0), b.op("Mul", self.chunk, b.ints(per_frame)), 2)
        joined = b.concat(name, heads, axis=2)
        return b.op("Cast", joined, to=TensorProto.FLOAT) if self.units else joined

    def _block(self, i: int, x: str, mask: str) -> str:
        """In the last block the frames of the look-ahead are only looked at: what they would become, nobody reads."""
        b = self.b
        name = f"blocks.{i}"
        normed = b.norm(x, name + ".n1")
        rows = b.rows(normed)
        per_frame = 2 if i < POOL_BEFORE else 1
        own = [b.product(rows, f"{name}.{kind[0]}", self.units.get(f"{kind}.{i}")) for kind in ("keys", "values")]
        k, v = (
            self._with_past(f"{kind}.{i}", b.op("Reshape", x3, self.by_stream), per_frame)
            for kind, x3 in zip(("keys", "values"), own, strict=True)
        )
        if i + 1 == self.blocks:
            x, normed = (b.op("Reshape", self._kept(t), b.ints(-1, WIDTH)) for t in (x, normed))
            b.count_rows(b.op("Mul", self.batch, self.chunk))
            rows = b.rows(normed)
        # what keys are counted in, queries make up for, and what values are, the result
        unit = self.units.get(f"keys.{i}")
        q = b.op("Reshape", b.product(rows, name + ".q", None if unit is None else 1 / unit), self.by_stream)
        attended = b.op("MultiHeadAttention", q, k, v, "", "", mask, domain="com.microsoft", num_heads=HEADS)
        attended = b.op("Reshape", attended, b.ints(-1, WIDTH))
        if self.units:
            attended = b.op("Mul", attended, b.store(name + "|unit", self.units[f"values.{i}"]))
        x = b.op("Add", x, b.linear(attended, name + ".o"))
        hidden = b.op("Gelu", b.linear(b.norm(x, name + ".n2"), name + ".f1"))
        return b.op("Add", x, b.linear(hidden, name + ".f2"))

    def _tap(self, j: int, x: str) -> str:
        b = self.b
        kept = self.outputs[f"tap{j}"] = self._kept(x)
        posteriors = b.op("Softmax", b.linear(b.norm(x, f"inter.{j}.0"), f"inter.{j}.1"), axis=-1)
        if j == 1:
            phones = b.exact(b.norm(kept, "phone.0"), "phone.1")
            self.outputs["phone_log_probs"] = b.op("LogSoftmax", phones, axis=-1)
        return b.op("Add", x, b.linear(posteriors, f"back.{j}"))

    def _streaming_model(self) -> onnx.ModelProto:
        inputs = [
            helper.make_tensor_value_info("pcm", TensorProto.FLOAT, ["batch", "samples"]),
            helper.make_tensor_value_info("lookahead", TensorProto.INT64, [1]),
        ] + [helper.make_tensor_value_info(s.name, ONNX_TYPES[s.type], ["batch", *s.shape]) for s in self.state]
        subwords, phones = (len(self.b.weights[k]) for k in ("out.bias", "phone.1.bias"))
        shapes: dict[str, tuple[int, list[str | int]]] = {
            "log_probs": (TensorProto.FLOAT, ["batch", "chunk", subwords]),
            "phone_log_probs": (TensorProto.FLOAT, ["batch", "chunk", phones]),
            "tap0": (TensorProto.FLOAT, ["batch", "chunk", WIDTH]),
            "tap1": (TensorProto.FLOAT, ["batch", "chunk", WIDTH]),
            "hidden": (TensorProto.FLOAT, ["batch", "chunk", WIDTH]),
        }
        for s in self.state:
            if s.per_frame:
                heads, _, width = s.shape
                shapes["new_" + s.name] = (ONNX_TYPES[s.type], ["batch", heads, f"{s.per_frame} * chunk", width])
            else:
                shapes["next_" + s.name] = (ONNX_TYPES[s.type], ["batch", *s.shape])
        return self._model(inputs, shapes)

    def _model(
        self, inputs: list[onnx.ValueInfoProto], shapes: dict[str, tuple[int, list[str | int]]]
    ) -> onnx.ModelProto:
        """The model whose outputs are those of `self.outputs` that `shapes` names, in its order."""
        for name in shapes:
            self.b.nodes.append(helper.make_node("Identity", [self.outputs[name]], [name]))
        outputs = [helper.make_tensor_value_info(n, t, s) for n, (t, s) in shapes.items()]
        graph = helper.make_graph(
            self.b.nodes, "encoder", inputs, outputs, initializer=list(self.b.initializers.values())
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="lexigate")
        onnx.checker.check_model(model)
        return model


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """The network's parameters out of an exported graph, dequantised: a bundle can start the next training."""
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    own = ("c1.", "c2.", "blocks.", "ln.", "out.", "inter.", "back.", "phone.")
    weights = {}
    for name, value in stored.items():
        if not name.startswith(own) or "|" in name:
            continue
        if value.ndim == 2:
            value = value.T
        if name + "|scale" in stored:
            value = value.astype(np.float32) * stored[name + "|scale"][:, None]
        # the first bundle holds convolutions as what they are, the later ones as products
        product = name in ("c1.weight", "c2.weight") and value.ndim == 2
        weights[name] = np.array(_kernels(value) if product else value, np.float32, order="C")
    for query in [name for name in weights if name.startswith("blocks.") and name.split(".")[2] == "q"]:
        names = [query.replace(".q.", f".{k}.") for k in "qkv"]
        weights[query.replace(".q.", ".qkv.")] = np.concatenate([weights.pop(name) for name in names])
    return weights
