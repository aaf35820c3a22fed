"""The streaming step as an ONNX graph, written node by node.

By hand rather than traced, because everything about its shapes is dynamic (batch, chunk, look-ahead), because the
weights keep their names (a bundle can start the next training), and because the quantised product is one operator.
PCM goes in, log-probabilities come out, all state is explicit; `network.StreamingCtc.step` is the same in PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import features
import weights as stored_weights
from network import FLOOR, HEADS, LEFT_20MS, LEFT_40MS, POOL_BEFORE, POSITIONS, TAPS, WIDTH

OPSET = 21
FRAME_SAMPLES = 640
"""Samples per output frame."""

Array = NDArray[np.generic]


@dataclass(frozen=True)
class StateTensor:
    name: str
    type: str
    shape: tuple[int, ...]
    """Without the batch axis."""


def state_tensors(precision: str, blocks: int) -> list[StateTensor]:
    """The state of a graph of so many blocks, in order. All of it starts at zero."""
    cache = "float32" if precision == "fp32" else "float16"
    return [
        StateTensor("pcm_tail", "float32", (features.HISTORY,)),
        StateTensor("mel_tail", "float32", (2, features.BANDS)),
        StateTensor("conv_tail", "float32", (1, WIDTH)),
        StateTensor("seen", "int64", ()),
        StateTensor("cache20", cache, (2 * POOL_BEFORE, HEADS, LEFT_20MS, WIDTH // HEADS)),
        StateTensor("cache40", cache, (2 * (blocks - POOL_BEFORE), HEADS, LEFT_40MS, WIDTH // HEADS)),
    ]


ONNX_TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "int64": TensorProto.INT64}


def quantise(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(N, K) -> symmetric int8 and a scale per row."""
    scale = np.maximum(np.abs(weight).max(1), 1e-12) / 127
    return np.round(weight / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def _flat(kernels: NDArray[np.float32]) -> NDArray[np.float32]:
    """A convolution's (out, in, 3) as the matrix (out, 3 * in) of a product with three frames side by side."""
    return kernels.transpose(0, 2, 1).reshape(len(kernels), -1)


def _kernels(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of `_flat`."""
    return matrix.reshape(len(matrix), 3, -1).transpose(0, 2, 1)


class Builder:
    """Collects nodes and constants. Every method returns the name of what it made."""

    def __init__(self, weights: dict[str, NDArray[np.float32]], precision: str) -> None:
        self.weights = weights | {"c2.weight": _flat(weights["c2.weight"])}
        self.precision = precision
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """A node with one output of interest (the first)."""
        return self.ops(kind, *inputs, outputs=outputs, domain=domain, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        names = [f"{kind.lower()}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names

    def store(self, name: str, value: Array) -> str:
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def ints(self, *values: int) -> str:
        return self.store("i_" + "_".join(map(str, values)), np.array(values, np.int64))

    def scalar(self, value: int | float) -> str:
        kind = np.int64 if isinstance(value, int) else np.float32
        return self.store(f"{kind.__name__}_{value}", np.array(value, kind))

    def weight(self, name: str, transposed: bool = False) -> str:
        """A parameter. The shipped graph keeps large ones in half precision; ONNX Runtime widens them once, at load."""
        value = self.weights[name].T if transposed else self.weights[name]
        if self.precision == "fp32" or value.ndim == 1:
            return self.store(name, value)
        return self.op("Cast", self.store(name, value.astype(np.float16)), to=TensorProto.FLOAT)

    def linear(self, x: str, name: str, exact: bool = False) -> str:
        """x W^T + b. In int8 every row of x (a frame) has a scale of its own and the products are integers, so that no
        stream's result depends on its neighbours in the batch. ONNX Runtime's dynamic quantisation has one scale a
        tensor; its MatMulNBits is batch-invariant too, but was half as fast (78 against 168 billion products a second
        at 32 rows of 512 x 2048)."""
        weight = self.weights[name + ".weight"]
        bias = self.store(name + ".bias", self.weights[name + ".bias"])
        if self.precision == "fp32" or exact:
            return self.op("Add", self.op("MatMul", x, self.weight(name + ".weight", transposed=True)), bias)
        packed, scale = quantise(weight)
        rows = self.op("Reshape", x, self.ints(-1, weight.shape[1]))
        largest = self.op("ReduceMax", self.op("Abs", rows), self.ints(1), keepdims=0)
        row_scale = self.op("Max", self.op("Mul", largest, self.scalar(1 / 127)), self.scalar(1e-12))
        zero = helper.make_tensor("value", TensorProto.UINT8, [1], [128])
        zeros = self.op("ConstantOfShape", self.op("Shape", row_scale), value=zero)
        product = self.op(
            "MatMulIntegerToFloat",
            self.op("QuantizeLinear", rows, row_scale, zeros, axis=0),
            self.store(name + ".weight", packed.T),
            self.scalar(1.0),
            self.store(name + ".weight|scale", scale),
            self.store("uint8_128", np.array(128, np.uint8)),
            domain="com.microsoft",
        )
        y = self.op("Add", self.op("Mul", product, self.op("Unsqueeze", row_scale, self.ints(1))), bias)
        lead = self.op("Shape", x, start=0, end=2)
        return self.op("Reshape", y, self.concat(lead, self.ints(weight.shape[0]), axis=0))

    def norm(self, x: str, name: str) -> str:
        scale, bias = (self.store(f"{name}.{k}", self.weights[f"{name}.{k}"]) for k in ("weight", "bias"))
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-5)

    def slice(self, x: str, begin: str, end: str, axis: int) -> str:
        return self.op("Slice", x, begin, end, self.ints(axis))

    def concat(self, *parts: str, axis: int) -> str:
        return self.op("Concat", *parts, axis=axis)


class EncoderGraph:
    """Puts the step together, from the samples to the log-probabilities."""

    def __init__(self, weights: dict[str, NDArray[np.float32]], precision: str) -> None:
        self.b = Builder(weights, precision)
        self.precision = precision
        self.wide_caches = precision == "fp32"
        """Whether keys and values are kept in single precision."""
        self.blocks = stored_weights.count_blocks(weights)
        self.state = state_tensors(precision, self.blocks)
        self.outputs: dict[str, str] = {}

    def build(self) -> onnx.ModelProto:
        b = self.b
        samples = b.op("Shape", "pcm", start=1, end=2)
        self.frames = b.op("Div", samples, b.ints(FRAME_SAMPLES))
        self.chunk = b.op("Sub", self.frames, "lookahead")
        self._network(self._log_mel())
        return self._streaming_model()

    def _network(self, log_mel: str) -> None:
        """From log10 mel power (B, BANDS, 4 * frames) to all outputs and the next state, but for the PCM's."""
        b = self.b
        self.first = b.op("Unsqueeze", b.op("Equal", "seen", b.scalar(0)), b.ints(1, 2))
        x = self._blocks(self._positions(self._convolutions(self._behind_tail(log_mel))))
        logits = b.linear(b.norm(self._kept(x), "ln"), "out", exact=True)
        self.outputs["log_probs"] = b.op("LogSoftmax", logits, axis=-1)
        self.outputs["next_seen"] = b.op("Add", "seen", b.op("Mul", self.chunk, b.ints(2)))

    def _kept(self, x: str) -> str:
        """The chunk's own frames."""
        return self.b.slice(x, self.b.ints(0), self.chunk, 1)

    def _tail(self, state: str, x: str, per_frame: int, size: int, axis: int) -> str:
        """The `size` items of x before the end of the chunk: x begins with the tail of the step before."""
        begin = self.b.op("Mul", self.chunk, self.b.ints(per_frame))
        tail = self.b.slice(x, begin, self.b.op("Add", begin, self.b.ints(size)), axis)
        self.outputs["next_" + state] = tail
        return tail

    def _log_mel(self) -> str:
        """PCM -> log10 mel power (B, BANDS, 4 * frames)."""
        b = self.b
        pcm = b.concat("pcm_tail", "pcm", axis=1)
        self._tail("pcm_tail", pcm, FRAME_SAMPLES, features.HISTORY, 1)
        kernels = b.store("dft", features.dft_kernels())
        spectrum = b.op("Conv", b.op("Unsqueeze", pcm, b.ints(1)), kernels, strides=[features.HOP])
        real, imaginary = b.ops("Split", b.op("Mul", spectrum, spectrum), outputs=2, axis=1, num_outputs=2)
        power = b.op("MatMul", b.store("mel", features.MEL), b.op("Add", real, imaginary))
        natural = b.op("Log", b.op("Max", power, b.scalar(features.SMALLEST)))
        return b.op("Mul", natural, b.scalar(1 / np.log(10).item()))

    def _behind_tail(self, log10: str) -> str:
        """Normalised, behind the two frames before: (B, BANDS, 2 + 4 * frames)."""
        b = self.b
        mel = b.op("Mul", b.op("Add", b.op("Max", log10, b.scalar(FLOOR)), b.scalar(4.0)), b.scalar(0.25))
        # before a stream's first frame lie one zero (the convolution's padding) and one frame of silence
        start = np.zeros((1, 2, features.BANDS), np.float32)
        start[:, 1] = (FLOOR + 4) / 4
        tail = b.op("Where", self.first, b.store("mel_start", start), "mel_tail")
        x = b.concat(b.op("Transpose", tail, perm=[0, 2, 1]), mel, axis=2)
        kept = self._tail("mel_tail", x, 4, 2, 2)
        self.outputs["next_mel_tail"] = b.op("Transpose", kept, perm=[0, 2, 1])
        return x

    def _convolutions(self, mel: str) -> str:
        """-> (B, 2 * frames, WIDTH) at 20 ms."""
        b = self.b
        h = b.op("Gelu", b.op("Conv", mel, b.weight("c1.weight"), b.store("c1.bias", b.weights["c1.bias"])))
        h = b.concat("conv_tail", b.op("Transpose", h, perm=[0, 2, 1]), axis=1)
        self._tail("conv_tail", h, 4, 1, 1)
        # three frames, two apart, side by side: the second convolution is a product, and quantised as the others
        last = b.ints(2**31 - 1)
        pairs = b.slice(h, b.ints(0), b.op("Mul", self.frames, b.ints(4)), 1)
        third = b.op("Slice", h, b.ints(2), last, b.ints(1), b.ints(2))
        window = b.concat(b.op("Reshape", pairs, b.ints(0, -1, 2 * WIDTH)), third, axis=2)
        return b.op("Gelu", b.linear(window, "c2"))

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
        return b.op("Add", x, b.op("Gather", table, b.op("Mod", at, b.scalar(POSITIONS)), axis=0))

    def _mask(self, left: int, filled: str) -> str:
        """Additive (B, 1, 1, left): hides the part of the cache that the stream has not filled yet."""
        b = self.b
        begin = b.op("Unsqueeze", b.op("Sub", b.scalar(left), filled), b.ints(1))
        index = b.store(f"range_{left}", np.arange(left, dtype=np.int64)[None])
        hidden = b.op("Mul", b.op("Cast", b.op("Less", index, begin), to=TensorProto.FLOAT), b.scalar(-1e4))
        return b.op("Unsqueeze", hidden, b.ints(1, 2))

    def _blocks(self, x: str) -> str:
        b = self.b
        chunk20 = b.op("Mul", self.chunk, b.ints(2))
        filled40 = b.op("Div", "seen", b.scalar(2))
        masks = self._mask(LEFT_20MS, "seen"), self._mask(LEFT_40MS, filled40)
        fresh: list[str] = []
        for i in range(self.blocks):
            early = i < POOL_BEFORE
            cache, at = ("cache20", 2 * i) if early else ("cache40", 2 * (i - POOL_BEFORE))
            x, new = self._block(i, x, masks[0 if early else 1], cache, at)
            fresh += new
            if i + 1 == POOL_BEFORE:  # the feedback of the tap here is equal for both of a pair: pool first
                x = b.op("ReduceMean", b.op("Reshape", x, b.ints(0, -1, 2, WIDTH)), b.ints(2), keepdims=0)
            if i in TAPS:
                x = self._tap(TAPS.index(i), x)
        self._next_cache("cache20", fresh[: 2 * POOL_BEFORE], chunk20)
        self._next_cache("cache40", fresh[2 * POOL_BEFORE :], self.chunk)
        return x

    def _next_cache(self, name: str, fresh: Sequence[str], kept: str) -> None:
        """Forgets the oldest `kept` frames of the cache and appends the chunk's."""
        b = self.b
        old = b.slice(name, kept, b.ints(2**31 - 1), 3)
        new = b.concat(*(b.op("Unsqueeze", b.slice(t, b.ints(0), kept, 2), b.ints(1)) for t in fresh), axis=1)
        narrow = new if self.wide_caches else b.op("Cast", new, to=TensorProto.FLOAT16)
        self.outputs["next_" + name] = b.concat(old, narrow, axis=3)

    def _cached(self, cache: str, at: int) -> str:
        """One block's keys or values of the left context, (B, HEADS, left, WIDTH / HEADS)."""
        b = self.b
        part = b.op("Squeeze", b.slice(cache, b.ints(at), b.ints(at + 1), 1), b.ints(1))
        return part if self.wide_caches else b.op("Cast", part, to=TensorProto.FLOAT)

    def _block(self, i: int, x: str, mask: str, cache: str, at: int) -> tuple[str, list[str]]:
        """Attention over the cache and over the step's own frames apart, under one softmax: no copy joins the two."""
        b = self.b
        name = f"blocks.{i}"
        qkv = b.linear(b.norm(x, name + ".n1"), name + ".qkv")
        split = b.ints(0, -1, HEADS, WIDTH // HEADS)
        q, k, v = (
            b.op("Transpose", b.op("Reshape", t, split), perm=[0, 2, 1, 3])
            for t in b.ops("Split", qkv, outputs=3, axis=2, num_outputs=3)
        )
        q = b.op("Mul", q, b.scalar((WIDTH // HEADS) ** -0.5))
        old_k, old_v = self._cached(cache, at), self._cached(cache, at + 1)
        old = b.op("Add", b.op("MatMul", q, b.op("Transpose", old_k, perm=[0, 1, 3, 2])), mask)
        own = b.op("MatMul", q, b.op("Transpose", k, perm=[0, 1, 3, 2]))
        weights = b.op("Softmax", b.concat(old, own, axis=3), axis=-1)
        left = b.ints(LEFT_20MS if i < POOL_BEFORE else LEFT_40MS)
        old = b.op("MatMul", b.slice(weights, b.ints(0), left, 3), old_v)
        own = b.op("MatMul", b.slice(weights, left, b.ints(2**31 - 1), 3), v)
        attended = b.op("Transpose", b.op("Add", old, own), perm=[0, 2, 1, 3])
        attended = b.op("Reshape", attended, b.ints(0, -1, WIDTH))
        x = b.op("Add", x, b.linear(attended, name + ".o"))
        hidden = b.op("Gelu", b.linear(b.norm(x, name + ".n2"), name + ".f1"))
        return b.op("Add", x, b.linear(hidden, name + ".f2")), [k, v]

    def _tap(self, j: int, x: str) -> str:
        b = self.b
        self.outputs[f"tap{j}"] = self._kept(x)
        posteriors = b.op("Softmax", b.linear(b.norm(x, f"inter.{j}.0"), f"inter.{j}.1", exact=True), axis=-1)
        if j == 1:
            phones = b.linear(b.norm(self._kept(x), "phone.0"), "phone.1", exact=True)
            self.outputs["phone_log_probs"] = b.op("LogSoftmax", phones, axis=-1)
        return b.op("Add", x, b.linear(posteriors, f"back.{j}", exact=True))

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
        }
        for s in self.state:
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
        if not name.startswith(own) or name.endswith("|scale"):
            continue
        if value.ndim == 2:
            value = value.T
        if name + "|scale" in stored:
            value = value.astype(np.float32) * stored[name + "|scale"][:, None]
        # the first bundle holds this one as the convolution it is, the later ones as a product
        product = name == "c2.weight" and value.ndim == 2
        weights[name] = np.array(_kernels(value) if product else value, np.float32, order="C")
    return weights
