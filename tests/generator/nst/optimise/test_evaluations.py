"""Evaluations that are repeated from a recording are the plain ones; here a tape on the CPU stands for CUDA's graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from generator.nst import Cell, Result, preset, transfer_batch
from generator.nst.gpu import graphs, verdicts
from generator.nst.objective import Objective
from generator.nst.optimise import evaluations
from tests.generator.nst.optimise import recorder
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = {"vgg16": tiny_weights()}
SETTINGS: dict[str, dict[str, Any]] = {
    "lbfgs-b": {"optimiser": "lbfgs-b", "round_evaluations": 9},
    "lbfgs": {"optimiser": "lbfgs"},
    "adam": {"optimiser": "adam", "clamp": True},
    "averaged": {"optimiser": "adam", "averaging": 0.9},
}


@pytest.fixture(autouse=True)
def _no_verdicts_yet() -> Iterator[None]:
    verdicts._known.clear()
    yield
    verdicts._known.clear()


def made(**settings: Any) -> list[Result]:
    layers = {"content_layers": ("relu2_1",), "style_layers": ("relu1_1", "relu2_1"), "memory": 4}
    recipe = preset("patel2019").replace(size=24, evaluations=28, init="content", **(layers | settings))
    cells = [
        Cell(picture(seed=1), picture(seed=2 + n), recipe.replace(ratio=0.1 * (n + 1)), n) for n in range(2)
    ]
    return transfer_batch(cells, weights=WEIGHTS, chunk=2)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have evaluations recorded and taken; the list has a number for each repetition."""
    repeats: list[int] = []

    def record(work: Callable[[], Tensor], device: torch.device) -> graphs.Recording:
        recording = recorder.record(work, device)

        def repeat() -> None:
            repeats.append(len(repeats))
            recording.repeat()

        return replace(recording, repeat=repeat)

    monkeypatch.setattr(graphs, "are_possible", lambda device: True)
    monkeypatch.setattr(graphs, "record", record)
    monkeypatch.setattr(verdicts.Verdict, "is_taken", property(lambda self: not self.error and self.off == 0))
    return repeats


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("in_passing", [False, True])
def test_repeated_evaluations_make_the_same_image_bit_by_bit(name, in_passing, monkeypatch, recorded) -> None:
    if in_passing:

        def always(self: Objective, number: int, images: Tensor) -> bool:
            self._passing = [self._way_in_passing(each) for each in range(len(self._chunks))]
            return True

        monkeypatch.setattr(Objective, "_is_fast", always)
    with monkeypatch.context() as patched:
        patched.setattr(graphs, "are_possible", lambda device: False)
        plain = made(**SETTINGS[name])
    assert not recorded
    repeated = made(**SETTINGS[name])
    assert len(recorded) > 25
    for one, other in zip(repeated, plain, strict=True):
        assert one.curve == other.curve
        assert torch.equal(one.image, other.image)
        assert any(evaluations.WAY in note for note in one.notes)


def test_a_cell_that_leaves_has_the_rest_recorded_anew(monkeypatch, recorded) -> None:
    def stopped(change: float) -> list[Result]:
        return made(stop_change=change)

    with monkeypatch.context() as patched:
        patched.setattr(graphs, "are_possible", lambda device: False)
        plain = stopped(0.5)
    repeated = stopped(0.5)
    assert [each.stop for each in repeated] == [each.stop for each in plain]
    assert all(torch.equal(one.image, other.image) for one, other in zip(repeated, plain, strict=True))


@pytest.mark.slow
def test_an_evaluation_that_cannot_be_recorded_runs_plainly_and_the_verdict_says_so(
    monkeypatch, recorded
) -> None:
    def fails(work: Callable[[], Tensor], device: torch.device) -> graphs.Recording:
        work()
        raise RuntimeError("operation not permitted when stream is capturing")

    with monkeypatch.context() as patched:
        patched.setattr(graphs, "are_possible", lambda device: False)
        plain = made()
    monkeypatch.setattr(graphs, "record", fails)
    other = made()
    assert torch.equal(other[0].image, plain[0].image)
    (verdict,) = verdicts._known.values()
    assert "not permitted" in str(verdict)
    assert not other[0].notes


@pytest.mark.slow
def test_a_recording_that_was_taken_before_and_fails_now_is_said(monkeypatch, recorded) -> None:
    made()

    def starved(work: Callable[[], Tensor], device: torch.device) -> graphs.Recording:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(graphs, "record", starved)
    assert any("not taken: OutOfMemoryError" in note for note in made()[0].notes)


def test_exact_images_are_never_recorded(monkeypatch, recorded) -> None:
    recipe = preset("patel2019").replace(size=32, evaluations=25, optimiser="adam")
    transfer_batch([Cell(picture(seed=1), picture(seed=2), recipe, 1)], weights=WEIGHTS, exact=True)
    assert not recorded
