"""Training lowers the losses, sees the same crops whatever happens, and survives being killed."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import torch
from torch import Tensor

from generator.nst.feedforward import training
from generator.nst.feedforward.training import (
    LOSSES,
    Crops,
    Curve,
    Perception,
    Report,
    Settings,
    TrainingError,
    train,
)
from generator.nst.recipes.errors import LayerError, NstError
from tests.generator.nst.tiny import picture, tiny_weights

TINY = Settings(
    losses=LOSSES.replace(precision="fp32", size=32),
    steps=12,
    batch=2,
    crop=32,
    width=4,
    blocks=1,
)
PHOTOGRAPHS = [Path("1"), Path("2"), Path("3")]


def read(path: Path) -> Tensor:
    """A photograph of the number that its path is, 40 x 48."""
    return (picture(40, 48, seed=int(path.name)) * 255).byte()


def trained(folder: Path, settings: Settings = TINY, callback=None, *, loaders: int = 0, every: int = 4):
    return train(
        picture(36, 30, seed=9),
        PHOTOGRAPHS,
        read,
        settings,
        weights=tiny_weights(),
        checkpoint=folder / "net.checkpoint",
        identity="these",
        checkpoint_every=every,
        loaders=loaders,
        callback=callback,
    )


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


@pytest.mark.slow
def test_training_lowers_the_losses(tmp_path: Path):
    settings = dataclasses.replace(TINY, steps=40, learning_rate=1e-2)
    _, curve = trained(tmp_path, settings)
    totals = [sum(terms) for terms in zip(curve.content, curve.style, curve.tv, strict=True)]
    assert sum(totals[-10:]) < 0.7 * sum(totals[:10])


def test_the_losses_are_those_of_style_transfer_by_optimisation():
    """One image, its own photograph and style: the terms of `Objective`, which the paper's formulas test."""
    from generator.nst.cell import Style
    from generator.nst.network import Vgg
    from generator.nst.objective import Objective
    from generator.nst.targets import Reference

    weights, recipe = tiny_weights(), TINY.losses.replace(tv_weight=0.1)
    made, content, style = (picture(32, 32, seed=seed) for seed in (1, 2, 3))
    mean = torch.tensor(weights.preprocessing.mean)[:, None, None]
    network = Vgg(weights, {tap for taps in recipe.taps for tap in taps})
    reference = Reference(recipe, content * 255 - mean, (Style(style * 255 - mean),))
    expected, _ = Objective(network, torch.ones(3, 1, 1), [reference])((made * 255 - mean)[None])
    terms = Perception(recipe, weights, style, 32, torch.device("cpu"))(made[None], content[None])
    torch.testing.assert_close(terms.double(), expected[0], rtol=1e-5, atol=1e-6)


def test_crops_depend_on_the_seed_and_their_number_alone():
    crops = Crops(PHOTOGRAPHS, read, side=32, count=100, seed=5)
    again = Crops(PHOTOGRAPHS, read, side=32, count=100, seed=5)
    backwards = [again[number] for number in reversed(range(20))][::-1]
    assert all(torch.equal(crops[number], backwards[number]) for number in range(20))
    assert not torch.equal(crops[0], Crops(PHOTOGRAPHS, read, side=32, count=100, seed=6)[0])
    assert len({crops[number].numpy().tobytes() for number in range(50)}) > 45


def test_loading_processes_change_nothing(tmp_path: Path):
    (tmp_path / "a").mkdir()
    alone, _ = trained(tmp_path / "a", loaders=0)
    (tmp_path / "b").mkdir()
    helped, _ = trained(tmp_path / "b", loaders=2)
    assert same(alone, helped)


@pytest.mark.slow
def test_killed_in_the_middle_it_ends_with_the_same_weights(tmp_path: Path):
    """kill -9 between two checkpoints, then the same training again."""
    process = [sys.executable, "-m", "tests.generator.nst.feedforward.training_process", str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    killed = subprocess.run(process, cwd=Path(__file__).parents[4], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "net.checkpoint").is_file()
    resumed_at: list[int] = []
    resumed, curve = trained(tmp_path, callback=lambda report: resumed_at.append(report.step))
    (tmp_path / "whole").mkdir()
    whole, whole_curve = trained(tmp_path / "whole")
    assert min(resumed_at) > 4
    assert same(resumed, whole)
    assert (curve.content, curve.style, curve.tv) == (
        whole_curve.content, whole_curve.style, whole_curve.tv,
    )  # fmt: skip


def test_a_finished_training_is_not_trained_again(tmp_path: Path):
    first, _ = trained(tmp_path)
    reports: list[Report] = []
    second, curve = trained(tmp_path, callback=reports.append)
    assert same(first, second)
    assert (reports, curve.step) == ([], TINY.steps)


def test_it_refuses_the_checkpoint_of_another_training(tmp_path: Path):
    trained(tmp_path)
    with pytest.raises(
        NstError, match=r"net\.checkpoint: belongs to a training with other images or settings"
    ):
        train(
            picture(), PHOTOGRAPHS, read, TINY, weights=tiny_weights(),
            checkpoint=tmp_path / "net.checkpoint", identity="others",
        )  # fmt: skip


def test_it_refuses_a_damaged_checkpoint(tmp_path: Path):
    (tmp_path / "net.checkpoint").write_bytes(b"half")
    with pytest.raises(NstError, match="is not a readable checkpoint; delete it"):
        trained(tmp_path)


def test_losses_that_are_no_numbers_end_it_and_leave_the_last_good_checkpoint(tmp_path: Path):
    def spoil(report: Report) -> None:
        if report.step == 8:
            with torch.no_grad():
                report.model.out.weight.fill_(torch.nan)

    with pytest.raises(TrainingError, match=r"not numbers at step 9: lower .* holds an earlier step"):
        trained(tmp_path, callback=spoil)
    state = torch.load(tmp_path / "net.checkpoint", weights_only=True)
    assert Curve(**state["curve"]).step == 8
    assert all(bool(tensor.isfinite().all()) for tensor in state["model"].values())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"steps": 0}, "steps = 0 should be at least 1"),
        ({"crop": 16}, "crop = 16 should be at least 32"),
        ({"learning_rate": 0.0}, "learning_rate = 0.0 should be between"),
    ],
)
def test_it_refuses_settings_out_of_range(setting: dict, message: str):
    with pytest.raises(NstError, match=message):
        Settings(**setting)


def test_it_refuses_crops_that_do_not_reach_a_layer():
    losses = LOSSES.replace(style_layers=["pool5"])
    with pytest.raises(LayerError, match="does not reach pool5"):
        Perception(losses, tiny_weights(), picture(64, 64), 16, torch.device("cpu"))


def test_training_leaves_the_random_state_of_the_program_alone(tmp_path: Path):
    before = torch.random.get_rng_state()
    trained(tmp_path)
    assert torch.equal(before, torch.random.get_rng_state())


def test_pages_are_pinned_while_the_trainings_own_gpu_is_the_current_one(tmp_path: Path, monkeypatch):
    """Pinning opens a context on the current GPU, and on no other."""
    current: list[int] = []
    pinned: list[tuple[bool, list[int]]] = []

    class Device:
        def __init__(self, device: torch.device) -> None:
            self.index = device.index

        def __enter__(self) -> None:
            current.append(self.index)

        def __exit__(self, *_: object) -> None:
            current.pop()

    def loader(*_: object, pin_memory: bool, **options: object) -> list[Tensor]:
        pinned.append((pin_memory, [*current]))
        return []

    monkeypatch.setattr(torch.cuda, "device", Device)
    monkeypatch.setattr(training, "DataLoader", loader)
    run = MagicMock(device=torch.device("cuda:1"))
    monkeypatch.setattr(training, "_Run", lambda *_: run)
    training.train(
        picture(),
        [],
        read,
        TINY,
        weights=tiny_weights(),
        checkpoint=tmp_path / "c",
        identity="",
        device="cuda:1",
    )
    assert pinned == [(True, [1])]
