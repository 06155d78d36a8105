"""What float32 means, by PyTorch's own switches: "fp32" is float32, "tf32" a choice, and the provenance says which."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from generator.nst import preset, transfer
from generator.nst.feedforward.network import Network, Stylist, TransformNet
from generator.nst.gpu import precision
from generator.nst.network import Vgg, supports_bf16
from tests.generator.nst.tiny import picture, tiny_weights


def switches() -> tuple[bool, bool]:
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [("fp32", (False, False)), ("tf32", (True, False)), ("auto", (False, False)), ("bf16", (False, False))],
)
def test_tensor_cores_round_float32_only_where_the_recipe_says_tf32(monkeypatch, chosen, expected):
    seen, call = set(), Vgg.__call__

    def look(self, image):
        seen.add(switches())
        return call(self, image)

    monkeypatch.setattr(Vgg, "__call__", look)
    before = switches()
    recipe = preset("patel2019").replace(size=32, evaluations=1, precision=chosen)
    transfer(picture(), picture(seed=1), recipe, seed=1, weights=tiny_weights())
    assert seen == {expected}
    assert switches() == before == (True, False)  # as PyTorch comes


@pytest.mark.parametrize("chosen", ["fp32", "tf32"])
def test_a_one_pass_network_keeps_to_it_too(chosen):
    model, seen = TransformNet(width=4, blocks=1).eval(), []
    stylist = Stylist(Network("tiny", model, "", {}), precision=chosen)
    stylist._model.register_forward_pre_hook(lambda *_: seen.append(switches()))
    stylist(picture()[None])
    assert seen == [(chosen == "tf32", False)]


def test_the_provenance_says_tf32_only_of_a_gpu():
    assert precision.described("tf32", torch.float32, torch.device("cuda")) == "tf32"
    assert precision.described("tf32", torch.float32, torch.device("cpu")) == "float32"
    assert precision.described("auto", torch.bfloat16, torch.device("cuda")) == "bfloat16"


@pytest.mark.parametrize(
    ("hip", "architecture", "expected"),
    [
        ("6.2", "gfx90a:sramecc+:xnack-", True),
        ("6.2", "gfx942", True),
        ("6.2", "gfx1100", True),
        ("6.2", "gfx1030", False),
        ("6.2", "gfx906", False),
        (None, "", False),
    ],
)
def test_bfloat16_is_asked_of_the_architecture_and_not_of_a_capability_that_rocm_makes_up(
    monkeypatch, hip, architecture, expected
):
    monkeypatch.setattr(torch.version, "hip", hip)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0) if hip else (7, 5))
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda device: SimpleNamespace(gcnArchName=architecture)
    )
    assert supports_bf16(torch.device("cuda")) is expected
