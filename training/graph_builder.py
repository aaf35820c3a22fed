"""Writing an ONNX graph node by node, with the quantised product that the encoder is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.generic]
Weights = dict[str, NDArray[np.float32]]


def quantise(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(N, K) -> symmetric int8 and a scale per row."""
    scale = np.maximum(np.abs(weight).max(1), 1e-12) / 127
    return np.round(weight / scale[:, None]).astype(np.int8), scale.astype(np.float32)


@dataclass(frozen=True)
class Rows:
    """The left side of products: a matrix, quantised once for all that multiply it."""

    values: str
    scale: str
    """(rows, 1). Empty: the values are not quantised."""


class Builder:
    """Collects nodes and constants. Every method returns the name of what it made."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], precision: str) -> None:
        self.weights = weights
        self.precision = precision
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}
        self._zeros = ""

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

    def count_rows(self, count: str) -> None:
        """The matrices that `rows` takes from here on have so many rows."""
        zero = helper.make_tensor("value", TensorProto.UINT8, [1], [128])
        self._zeros = self.op("ConstantOfShape", count, value=zero)

    def rows(self, x: str) -> Rows:
        """(rows, K). Every row (a frame) has a scale of its own and the products are integers, so that no stream's
        result depends on its neighbours in the batch. ONNX Runtime's dynamic quantisation has one scale a tensor; its
        MatMulNBits is batch-invariant too, but was half as fast."""
        if self.precision == "fp32":
            return Rows(x, "")
        largest = self.op("ReduceMax", self.op("Abs", x), self.ints(1), keepdims=0)
        scale = self.op("Max", self.op("Mul", largest, self.scalar(1 / 127)), self.scalar(1e-12))
        values = self.op("QuantizeLinear", x, scale, self._zeros, axis=0)
        return Rows(values, self.op("Unsqueeze", scale, self.ints(1)))

    def product(self, x: Rows, name: str, unit: NDArray[np.float32] | None = None) -> str:
        """x W^T + b, (rows, N). Quantised, its columns can be counted in units of their own."""
        bias = self.store(name + ".bias", self.weights[name + ".bias"])
        if not x.scale:
            return self.op("Add", self.op("MatMul", x.values, self.weight(name + ".weight", transposed=True)), bias)
        packed, scale = quantise(self.weights[name + ".weight"])
        row_scale = self.store(name + ".weight|scale", scale)
        if unit is not None:  # both folded into constants at load
            inverse = self.store(name + "|per unit", 1 / unit)
            row_scale, bias = self.op("Mul", row_scale, inverse), self.op("Mul", bias, inverse)
        product = self.op(
            "MatMulIntegerToFloat",
            x.values,
            self.store(name + ".weight", packed.T),
            self.scalar(1.0),
            row_scale,
            self.store("uint8_128", np.array(128, np.uint8)),
            domain="com.microsoft",
        )
        return self.op("Add", self.op("Mul", product, x.scale), bias)

    def linear(self, x: str, name: str) -> str:
        """The same for a matrix that only one product reads."""
        return self.product(self.rows(x), name)

    def exact(self, x: str, name: str) -> str:
        """The same in single precision, over the last axis of any x."""
        return self.product(Rows(x, ""), name)

    def norm(self, x: str, name: str) -> str:
        scale, bias = (self.store(f"{name}.{k}", self.weights[f"{name}.{k}"]) for k in ("weight", "bias"))
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-5)

    def slice(self, x: str, begin: str, end: str, axis: int, step: int = 1) -> str:
        return self.op("Slice", x, begin, end, self.ints(axis), *([self.ints(step)] if step != 1 else []))

    def concat(self, *parts: str, axis: int) -> str:
        return self.op("Concat", *parts, axis=axis)
