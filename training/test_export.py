"""The exported graph against PyTorch, and the properties that the gateway relies on.

pytest training        (LEXIGATE_CHECKPOINT names a checkpoint; without one the bundle's own weights are taken)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import features
import graph
import phones
import weights
from corpus import Utterance
from export import write_graph
from network import POSITIONS, StreamingCtc, StreamState
from score import GraphRunner, torch_log_probs

HERE = Path(__file__).parent
BUNDLE = HERE.parent / "models/en-base/encoder.onnx"
CHECKPOINT = Path(os.environ.get("LEXIGATE_CHECKPOINT", BUNDLE))
LATENCIES = ((8, 8), (16, 8), (8, 4), (4, 4), (2, 2))
FRAME = graph.FRAME_SAMPLES


@pytest.fixture(scope="module")
def net() -> StreamingCtc:
    torch.set_num_threads(1)
    return weights.load_network(CHECKPOINT, phones.COUNT)


@pytest.fixture(scope="module")
def exact(net: StreamingCtc, tmp_path_factory: pytest.TempPathFactory) -> GraphRunner:
    path = tmp_path_factory.mktemp("graph") / "fp32.onnx"
    write_graph({k: v.numpy() for k, v in net.state_dict().items()}, "fp32", path)
    return GraphRunner(path)


@pytest.fixture(scope="module")
def quantised(net: StreamingCtc, tmp_path_factory: pytest.TempPathFactory) -> GraphRunner:
    path = tmp_path_factory.mktemp("graph") / "int8.onnx"
    write_graph({k: v.numpy() for k, v in net.state_dict().items()}, "int8", path)
    return GraphRunner(path)


def noise(frames: int, seed: int = 0) -> NDArray[np.float32]:
    """Noise that swells and fades; of `frames` output frames."""
    rng = np.random.default_rng(seed)
    swell = np.abs(np.sin(np.arange(frames * FRAME) / (7000 + 1000 * seed)))
    return (rng.standard_normal(frames * FRAME) * 0.05 * swell).astype(np.float32)


@pytest.mark.parametrize("latency", LATENCIES)
def test_the_fp32_graph_equals_pytorch_over_whole_utterances(
    net: StreamingCtc, exact: GraphRunner, latency: tuple[int, int]
) -> None:
    samples = noise(160)  # longer than the left context: its rings wrap
    want = torch_log_probs(net, [Utterance("", "", "", (), samples)], latency)[0]
    got = exact.log_probs([samples], latency)[0]
    frames = min(len(want), len(got))
    assert frames >= 160
    assert np.abs(want[:frames] - got[:frames]).max() < 1e-3


def test_a_step_of_the_fp32_graph_equals_a_step_in_pytorch_including_phones(
    net: StreamingCtc, exact: GraphRunner
) -> None:
    chunk, look, batch = 8, 8, 2
    pcm = np.stack([noise(chunk * 6 + look, seed) for seed in range(batch)])
    mel = torch.from_numpy(np.stack([features.log_mel(y)[: 4 * (chunk * 6 + look)] for y in pcm]))
    state, theirs = exact.start(batch), StreamState(batch, len(net.blocks))
    for i in range(6):
        out, state = exact.step(pcm[:, i * chunk * FRAME : (i * chunk + chunk + look) * FRAME], state, look)
        with torch.no_grad():
            logits, spoken, theirs = net.step(mel[:, 4 * i * chunk : 4 * (i * chunk + chunk + look)], theirs, look)
        assert np.abs(out["log_probs"] - logits.log_softmax(-1).numpy()).max() < 1e-3
        assert np.abs(out["phone_log_probs"] - spoken.log_softmax(-1).numpy()).max() < 1e-3
        assert [out[f"tap{j}"].shape for j in (0, 1)] == [(batch, chunk, 512)] * 2


Arrays = dict[str, NDArray[Any]]


def requests(runner: GraphRunner) -> list[tuple[NDArray[np.float32], Arrays, Arrays, Arrays]]:
    """(pcm, state, outputs, next state) of eight streams, each alone and each at another position."""
    chunk, look = 8, 8
    found: list[tuple[NDArray[np.float32], Arrays, Arrays, Arrays]] = []
    for i in range(8):
        samples, state = noise((5 + i) * chunk + look, i), runner.start(1)
        for step in range(5 + i):
            pcm = samples[None, step * chunk * FRAME : (step * chunk + chunk + look) * FRAME]
            out, after = runner.step(pcm, state, look)
            request = (pcm, state, out, after)
            state = after
        found.append(request)
    return found


def test_a_stream_is_the_same_bit_for_bit_alone_and_among_others(quantised: GraphRunner) -> None:
    alone = requests(quantised)
    order = np.random.default_rng(0)
    for size in (2, 3, 5, 8):
        chosen = order.permutation(8)[:size]
        pcm = np.concatenate([alone[i][0] for i in chosen])
        state = {k: np.concatenate([alone[i][1][k] for i in chosen]) for k in alone[0][1]}
        out, after = quantised.step(pcm, state, 8)
        for row, i in enumerate(chosen):
            for name, value in out.items():
                assert np.array_equal(value[row], alone[i][2][name][0]), name
            for name, value in after.items():
                assert np.array_equal(value[row], alone[i][3][name][0]), name


def test_an_hour_into_a_stream_positions_wrap_and_nothing_drifts(quantised: GraphRunner) -> None:
    """A stream that has seen an hour answers as one at the same position modulo the table, given the same context."""
    state = quantised.start(1)
    samples = noise(8 * 40 + 8)
    for i in range(39):  # until the caches are full
        _, state = quantised.step(samples[None, i * 8 * FRAME : (i * 8 + 16) * FRAME], state, 8)
    later = dict(state)
    later["seen"] = state["seen"] + POSITIONS * 120
    assert later["seen"][0] / 50 >= 3600
    pcm = samples[None, 39 * 8 * FRAME :]
    now, _ = quantised.step(pcm, state, 8)
    then, _ = quantised.step(pcm, later, 8)
    for name, value in now.items():
        assert np.array_equal(value, then[name]), name


def test_the_state_of_a_stream_is_at_most_one_and_a_half_megabytes(quantised: GraphRunner) -> None:
    assert sum(v.nbytes for v in quantised.start(1).values()) <= 1_500_000


def test_a_bundles_weights_come_back_out_of_its_graph(tmp_path: Path) -> None:
    parameters = {k: v.numpy() for k, v in weights.read_state(CHECKPOINT).items()}
    write_graph(parameters, "int8", tmp_path / "int8.onnx")
    back = graph.read_weights(tmp_path / "int8.onnx")
    assert back.keys() == parameters.keys()
    for name, value in parameters.items():
        assert back[name].shape == value.shape
        assert np.abs(back[name] - value).max() <= np.abs(value).max() / 127, name
