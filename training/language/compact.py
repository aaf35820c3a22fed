"""ONNX graphs with their large float weights stored as 8-bit integers."""

import pathlib

import numpy as np
import onnx
from onnx import helper, numpy_helper


def eight_bit_weights(file: pathlib.Path, least: int = 1024) -> None:
    """Stores every float initialiser of `least` values or more as int8 with a scale per row of its last axis but one.

    The runtime multiplies them back when it loads the graph, so speed and the kernels' arithmetic are those of floats.
    """
    model = onnx.load(str(file))
    graph = model.graph
    for weight in [w for w in graph.initializer if w.data_type == onnx.TensorProto.FLOAT]:
        value = numpy_helper.to_array(weight)
        if value.size < least or value.ndim < 2:
            continue
        axis = value.ndim - 2
        others = tuple(i for i in range(value.ndim) if i != axis)
        scale = np.maximum(np.abs(value).max(others), 1e-8) / 127
        shape = [-1 if i == axis else 1 for i in range(value.ndim)]
        stored = np.clip(np.round(value / scale.reshape(shape)), -127, 127).astype(np.int8)
        graph.initializer.remove(weight)
        names = [f"{weight.name}_{part}" for part in ("int8", "scale", "zero")]
        for name, array in zip(names, (stored, scale.astype(np.float32), np.zeros(len(scale), np.int8)), strict=False):
            graph.initializer.append(numpy_helper.from_array(array, name))
        graph.node.insert(0, helper.make_node("DequantizeLinear", names, [weight.name], axis=axis))
    onnx.save(model, str(file))
