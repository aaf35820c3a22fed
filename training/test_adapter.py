"""The exported graphs of the contextual adapter say what the modules in PyTorch say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

import phones
from adapter import SIZE, VALUE, places
from adapter_graph import SHORTLIST, write
from entries import PHONE_IDS, filled
from fit_adapter import Contextual
from network import WIDTH, StreamingCtc
from score import load_subwords


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Contextual, Path]:
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "bundle.json").write_text("{}")
    count = load_subwords().vocab_size()
    net = StreamingCtc(count + 1, phones.COUNT, 2)
    model = Contextual(net, count).eval()
    torch.nn.init.normal_(model.adapter.shift.weight, std=0.2)
    torch.save(net.state_dict(), folder / "net.pt")
    torch.save({"adapter": model.state_dict()}, folder / "adapter.pt")
    write(folder / "adapter.pt", folder / "net.pt", folder, 1.0)
    return model, folder


def entries(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(2)
    rows = [[rng.integers(1, top, rng.integers(1, 12)).tolist() for _ in range(count)] for top in (256, len(PHONE_IDS))]
    return filled(rows[0]), filled(rows[1])


def test_keys_and_values_are_those_of_pytorch(exported: tuple[Contextual, Path]) -> None:
    model, folder = exported
    subwords, spoken = entries(7)
    session = ort.InferenceSession(folder / "catalogue.onnx")
    keys, values = session.run(None, {"subwords": subwords.numpy(), "phones": spoken.numpy()})
    with torch.no_grad():
        expected = model.catalogue(subwords, spoken)
    there = places(spoken).numpy()
    np.testing.assert_allclose(keys[there], expected[0][there], atol=2e-2)
    np.testing.assert_allclose(values[there], expected[1][there], atol=2e-2)


def test_an_entry_has_the_same_key_alone_and_beside_longer_ones(exported: tuple[Contextual, Path]) -> None:
    _, folder = exported
    session = ort.InferenceSession(folder / "catalogue.onnx")
    subwords, spoken = entries(20)
    together = session.run(None, {"subwords": subwords.numpy(), "phones": spoken.numpy()})[0]
    alone = session.run(None, {
        "subwords": subwords[3:4, : int((subwords[3] > 0).sum())].numpy(),
        "phones": spoken[3:4, : int((spoken[3] > 0).sum())].numpy(),
    })[0]  # fmt: skip
    np.testing.assert_allclose(together[3:4, : alone.shape[1]], alone, atol=1e-5)


@pytest.mark.parametrize("count", [1, 40, SHORTLIST + 100])
def test_shifted_posteriors_are_those_of_pytorch(exported: tuple[Contextual, Path], count: int) -> None:
    model, folder = exported
    session = ort.InferenceSession(folder / "adapter.onnx")
    layers = torch.randn(3, 2, 5, WIDTH)
    owners = torch.arange(count).repeat_interleave(1 + torch.arange(count) % 3)
    keys, values = 6 * torch.randn(len(owners), SIZE), torch.randn(len(owners), VALUE)
    feeds = dict(zip(("hidden", "tap0", "tap1"), layers.numpy(), strict=True))
    feeds |= {"keys": keys.numpy(), "values": values.numpy(), "owners": owners.numpy()}
    log_probs, weights, best = session.run(None, feeds)
    with torch.no_grad():
        for b in range(2):
            chosen = torch.isin(owners, torch.from_numpy(best[b]))
            _, renumbered = owners[chosen].unique(return_inverse=True)
            one = [x[b : b + 1] for x in layers]
            biased = model.adapter(one[0], (one[1], one[2]), keys[chosen], values[chosen], renumbered)
            np.testing.assert_allclose(log_probs[b], model.logits(biased.hidden).log_softmax(-1)[0], atol=5e-2)
            seen = biased.scores.exp() / biased.scores.exp().sum(2, keepdim=True)
            order = np.concatenate([[0], 1 + np.searchsorted(np.sort(best[b]), best[b])])
            np.testing.assert_allclose(weights[b], seen[0][:, order], atol=2e-3)
    assert best.shape == (2, min(count, SHORTLIST))


def test_the_bundle_says_what_the_catalogue_reads(exported: tuple[Contextual, Path]) -> None:
    _, folder = exported
    described = json.loads((folder / "bundle.json").read_text())["adapter"]
    assert described["keySize"] == SIZE
    assert described["phones"] == list(PHONE_IDS)
