"""Where the network's weights come from: OpenAI's Whisper base, a checkpoint of ours, or a bundle's encoder graph."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from network import WHISPER_BLOCKS, StreamingCtc

WHISPER_BASE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
"""Of the CTranslate2 model.bin whose halves the two Python packages carry."""

Arrays = dict[str, NDArray[np.generic]]


def read_ctranslate2(path: Path) -> Arrays:
    """CTranslate2's model.bin as {name: array}: version u32, name of the specification, revision u32, count u32, then
    for each variable its name, rank u8, dimensions u32, type u8, bytes u32, data."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != WHISPER_BASE_SHA256:
        raise ValueError(f"{path} is not the Whisper base model that this code was written for")
    kinds = (np.float32, np.int8, np.int16, np.int32, np.float16)
    at = 0

    def take(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize(form)
        return int(value)

    def text() -> str:
        nonlocal at
        size = take("H")
        value = data[at : at + size - 1].decode()
        at += size
        return value

    take("I"), text(), take("I")
    arrays: Arrays = {}
    for _ in range(take("I")):
        name = text()
        shape = [take("I") for _ in range(take("B"))]
        kind = np.dtype(kinds[take("B")])
        size = take("I")
        arrays[name] = np.frombuffer(data, kind, size // kind.itemsize, at).reshape(shape)
        at += size
    return arrays


def _whisper_names() -> dict[str, tuple[str, str, str]]:
    """Our parameter -> its name in CTranslate2, in OpenAI's and in Hugging Face's files (the last two hold query, key
    and value apart: `{}` stands for q, k, v)."""
    names: dict[str, tuple[str, str, str]] = {}
    for ours, i in (("c1", 1), ("c2", 2)):
        for kind in ("weight", "bias"):
            names[f"{ours}.{kind}"] = (f"conv{i}/{kind}", f"conv{i}.{kind}", f"conv{i}.{kind}")
    openai_qkv = "attn.{}"
    for b in range(WHISPER_BLOCKS):
        norms = (
            ("n1", "self_attention/layer_norm", "attn_ln", "self_attn_layer_norm"),
            ("n2", "ffn/layer_norm", "mlp_ln", "final_layer_norm"),
        )
        linears = (
            ("qkv", "self_attention/linear_0", openai_qkv, "self_attn.{}_proj"),
            ("o", "self_attention/linear_1", "attn.out", "self_attn.out_proj"),
            ("f1", "ffn/linear_0", "mlp.0", "fc1"),
            ("f2", "ffn/linear_1", "mlp.2", "fc2"),
        )
        for ours, ct2, openai, hf in norms + linears:
            for kind in ("weight", "bias"):
                ct2_kind = {"weight": "gamma", "bias": "beta"}[kind] if ours in ("n1", "n2") else kind
                names[f"blocks.{b}.{ours}.{kind}"] = (
                    f"layer_{b}/{ct2}/{ct2_kind}",
                    f"blocks.{b}.{openai}.{kind}",
                    f"layers.{b}.{hf}.{kind}",
                )
    for kind, ct2_kind in (("weight", "gamma"), ("bias", "beta")):
        names[f"ln.{kind}"] = (f"layer_norm/{ct2_kind}", f"ln_post.{kind}", f"layer_norm.{kind}")
    return names


def load_whisper(net: StreamingCtc, path: Path) -> None:
    """Whisper base's encoder from CTranslate2's model.bin, OpenAI's base.pt or a Hugging Face folder."""
    if path.suffix == ".bin" and path.is_file():
        column, source = 0, {k.removeprefix("encoder/"): v for k, v in read_ctranslate2(path).items()}
    elif path.is_dir():
        from safetensors.numpy import load_file

        loaded = load_file(path / "model.safetensors")
        column, source = 2, {k.split("encoder.", 1)[1]: v for k, v in loaded.items() if "encoder." in k}
    else:
        stored = torch.load(path, map_location="cpu", weights_only=True)["model_state_dict"]
        column, source = 1, {k.removeprefix("encoder."): v.float().numpy() for k, v in stored.items()}
    state = net.state_dict()
    for ours, theirs in _whisper_names().items():
        name = theirs[column]
        if "{}" in name:
            parts = [name.format(p) for p in (("query", "key", "value") if column == 1 else "qkv")]
            # Whisper's keys have no bias
            value = np.concatenate([source[p] if p in source else np.zeros(512, np.float32) for p in parts])
        else:
            value = source[name]
        state[ours].copy_(torch.from_numpy(value.astype(np.float32)))


def save_packed(net: StreamingCtc, path: Path) -> None:
    """State as .npz: matrices as int8 rows with a float16 scale each, the rest as float16. A quarter of the size."""
    out: Arrays = {}
    for name, tensor in net.state_dict().items():
        value = tensor.detach().float().numpy()
        if value.ndim == 1:
            out[name] = value.astype(np.float16)
            continue
        scale = np.maximum(np.abs(value.reshape(len(value), -1)).max(1), 1e-8) / 127
        out[name] = np.round(value / scale.reshape(-1, *[1] * (value.ndim - 1))).astype(np.int8)
        out[name + "|scale"] = scale.astype(np.float16)
    np.savez_compressed(path, **out)


def _read_packed(path: Path) -> dict[str, torch.Tensor]:
    state = {}
    with np.load(path) as packed:
        for name in packed.files:
            if name.endswith("|scale"):
                continue
            value = packed[name].astype(np.float32)
            if name + "|scale" in packed.files:
                value *= packed[name + "|scale"].astype(np.float32).reshape(-1, *[1] * (value.ndim - 1))
            state[name] = torch.from_numpy(value)
    return state


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Weights from a training run (.pt), a packed checkpoint (.npz), or a bundle's encoder graph (.onnx)."""
    if path.suffix == ".npz":
        return _read_packed(path)
    if path.suffix == ".onnx":
        from graph import read_weights

        return {name: torch.from_numpy(value) for name, value in read_weights(path).items()}
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state.get("net", state)  # type: ignore[return-value]


def count_blocks(names: Iterable[str]) -> int:
    """How many blocks the network has whose parameters these are."""
    return len({name.split(".")[1] for name in names if name.startswith("blocks.")})


def load(net: StreamingCtc, path: Path) -> None:
    """Weights from any source that `read_state` knows. The blocks on top may be missing: earlier networks had none."""
    state = read_state(path)
    new = tuple(f"blocks.{b}." for b in range(WHISPER_BLOCKS, len(net.blocks)))
    missing, unexpected = net.load_state_dict(state, strict=False)
    wrong = [name for name in missing if not name.startswith(new)] + unexpected
    if wrong:
        raise ValueError(f"{path} is not of this network: {', '.join(wrong[:5])}")


def load_network(path: Path, phones: int) -> StreamingCtc:
    """The network that the weights are of, with as many blocks, for evaluation."""
    state = read_state(path)
    net = StreamingCtc(len(state["out.bias"]), phones, count_blocks(state))
    net.load_state_dict(state)
    return net.eval()
