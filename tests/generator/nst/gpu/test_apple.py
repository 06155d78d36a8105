"""What Apple's GPUs lack: float64, tensors beyond 4 GiB, some operations. No such GPU is here, so PyTorch's `meta` device plays one."""

from __future__ import annotations

import functools
import platform
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from generator.nst import Cell, Recipe, preset, transfer_batch
from generator.nst.feedforward.network import Network, Stylist, TransformNet
from generator.nst.gpu import memory, precision, verdicts
from generator.nst.optimise import batch
from tests.generator.nst.tiny import picture, tiny_weights

META, APPLE = torch.device("meta"), torch.device("mps")
WEIGHTS = {"vgg16": tiny_weights()}
SETTINGS: dict[str, dict[str, Any]] = {
    "lbfgs-b": {"optimiser": "lbfgs-b", "round_evaluations": 4},
    "lbfgs": {"optimiser": "lbfgs", "memory": 100},
    "adam": {"optimiser": "adam", "clamp": True, "averaging": 0.9},
    "wasserstein": {"style_loss": "wasserstein"},
    "patches": {"style_loss": "patches", "style_layers": ("conv3_1",)},
    "others": {"pooling": "average", "padding": "replicate", "tv_form": "nine-point", "tv_weight": 1.0},
    "range": {"range_weight": 1.0, "tv_form": "l1", "tv_weight": 1.0},
}
# Kernels that every device shares, or that are made of others.
EVERYWHERE = {
    "CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional", "CompositeImplicitAutograd",
}  # fmt: skip


class Seen(TorchDispatchMode):
    """Notes every operation of the meta device, and which of them read or make float64."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: set[str] = set()
        self.float64: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        tensors = [each for each in tree_iter((args, kwargs, made)) if isinstance(each, Tensor)]
        here = [each for each in tensors if each.device.type == "meta"]
        if here:
            self.operations.add(str(func).removeprefix("aten.").removesuffix(".default"))
        if any(each.dtype == torch.float64 for each in here):
            self.float64.add(str(func))
        return made


class Enough(Exception):
    pass


def seen(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Seen:
    """Return what a batch on a device without float64 does, set-up and 12 evaluations."""
    monkeypatch.setattr(precision, "_WITHOUT_FLOAT64", {"meta"})
    monkeypatch.setattr(batch, "_LOOK_EVERY", 1000)

    def look(progress: Any) -> None:
        if progress.evaluation == 12:
            raise Enough

    recorder = Seen()
    with recorder, pytest.raises(Enough):
        transfer_batch(cells(**settings), weights=WEIGHTS, device=META, callback=look)
    return recorder


def cells(evaluations: int = 40, **settings: Any) -> list[Cell]:
    recipe: Recipe = preset("patel2019").replace(
        precision="fp32", init="content", evaluations=evaluations, size=32, **settings
    )
    return [Cell(picture(seed=1), picture(seed=2), recipe.replace(ratio=0.01 * n), n) for n in (1, 2)]


@functools.cache
def apples() -> set[str]:
    """Return the operations that PyTorch's own list gives Apple's GPUs."""
    found = find_spec("torchgen")
    assert found
    assert found.origin
    file = Path(found.origin).parent / "packaged/ATen/native/native_functions.yaml"
    listed = {each["func"].partition("(")[0]: each for each in yaml.load(file.read_text(), yaml.CSafeLoader)}

    def kernels(name: str) -> set[str]:
        entry = listed[name]
        if shared := entry.get("structured_delegate"):
            return kernels(shared)
        named = entry.get("dispatch") or {"CompositeImplicitAutograd": ""}
        return {key.strip() for keys in named for key in keys.split(",")}

    return {name for name in listed if kernels(name) & {"MPS", *EVERYWHERE}}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_a_batch_asks_for_no_float64_and_pytorch_has_its_operations_for_apples_gpus(monkeypatch, name):
    found = seen(monkeypatch, **SETTINGS[name])
    assert found.float64 == set()
    assert len(found.operations) > 50
    assert found.operations - apples() == set()
    assert "_linalg_eigvals" not in apples()  # known to have no such kernel


def test_pytorch_has_every_operation_of_a_one_pass_network_for_apples_gpus():
    stylist = Stylist(Network("tiny", TransformNet(width=4, blocks=1).eval(), "", {}), META, "fp32")
    with Seen() as found:
        stylist(torch.empty(2, 3, 32, 32))
    assert found.operations - apples() == set()
    assert found.float64 == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lbfgs-b", "lbfgs", "adam"])
def test_without_float64_the_losses_end_where_they_end_with_it(monkeypatch, name):
    def ends() -> list[float]:
        results = transfer_batch(cells(60, **SETTINGS[name]), weights=WEIGHTS)
        return [min(map(sum, zip(*each.curve.values(), strict=True))) for each in results]

    wide = ends()
    monkeypatch.setattr(precision, "_WITHOUT_FLOAT64", {"cpu"})
    assert ends() == pytest.approx(wide, rel=0.02)
    assert ends() != wide


def test_an_apple_gpu_takes_tensors_of_4_gib_at_most():
    small = cells(1)
    made = batch.Batch(small, range(2), WEIGHTS["vgg16"], META, None, 0)
    made.device = APPLE
    side = 4096
    assert made._at_once((side // 2, side // 2)) == 2
    assert made._at_once((side, side // 2)) == 1
    made._fit_index((side, side // 2))
    assert made.network.tile == 0
    made._fit_index((side, side))
    # With margins of 80 px and 64 channels.
    assert made.network.tile == 2048
    assert (2048 + 160) ** 2 * 64 * 4 < 2**32


def test_an_apple_gpus_memory_is_what_macos_recommends_less_what_is_used(monkeypatch):
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 100)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 30)
    assert memory.free_bytes(APPLE) == 70


def test_memory_goes_back_to_an_apple_gpu(monkeypatch):
    given = []
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: given.append(True))
    memory.release()
    assert given


def test_a_verdict_on_an_apple_gpu_holds_for_its_macos(monkeypatch):
    waits = []
    monkeypatch.setattr(platform, "mac_ver", lambda: ("15.3.2", ("", "", ""), "arm64"))
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waits.append(True))
    monkeypatch.setattr(verdicts, "_known", {})
    verdict = verdicts.of("a way", APPLE, (1,), lambda: torch.ones(2), lambda: torch.ones(2), 1e-3)
    assert "15.3.2" in verdict.subject
    assert waits
