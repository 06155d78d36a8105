"""A way is taken only where it is right and faster, and what was chosen stays. The clock is played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from generator.nst.gpu import verdicts

HERE = torch.device("cpu")


class Clock:
    """Time that passes by itself where the clock is looked at, and where slow work is done."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 1
        return self.now


clock = Clock()


@pytest.fixture(autouse=True)
def _no_verdicts_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(verdicts, "time", clock)
    verdicts._known.clear()
    verdicts._repeated.clear()
    yield
    verdicts._known.clear()
    verdicts._repeated.clear()
    verdicts._file = None


def slow() -> Tensor:
    clock.now += 10
    return torch.ones(4)


def tried(fast, shape: tuple[object, ...] = (1,), plain=slow) -> verdicts.Verdict:
    return verdicts.of("a way", HERE, shape, plain, fast, 1e-3)


def test_a_way_is_taken_that_is_right_and_faster():
    verdict = tried(lambda: torch.ones(4) * 1.0001)
    assert verdict.is_taken
    assert "times as fast" in str(verdict)


@pytest.mark.parametrize(
    "fast",
    [
        pytest.param(lambda: torch.ones(4) * 1.01, id="wrong"),
        pytest.param(lambda: torch.full((4,), torch.nan), id="no number"),
        pytest.param(lambda: slow() + slow() * 0 + slow() * 0, id="slower"),
    ],
)
def test_a_way_that_is_wrong_or_no_number_or_slower_is_not_taken(fast):
    verdict = tried(fast)
    assert not verdict.is_taken
    assert "not taken" in str(verdict)


def test_a_way_that_this_device_cannot_do_is_not_taken_and_says_why():
    def unknown():
        raise NotImplementedError("no kernel")

    assert str(tried(unknown)) == "a way: not taken: NotImplementedError: no kernel"


def test_running_out_of_memory_says_nothing_of_a_way():
    def starved():
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        tried(starved)
    assert not verdicts._known


def test_a_verdict_is_kept_for_its_device_versions_and_shape(tmp_path, monkeypatch):
    file = tmp_path / "verdicts.json"
    verdicts.keep_in(file)
    assert tried(lambda: torch.ones(4)).is_taken
    verdicts.keep_in(file)
    # What was chosen stays, so that an image repeats: neither way runs again.
    assert tried(lambda: pytest.fail("tried again"), plain=lambda: pytest.fail("tried again")).is_taken
    assert not tried(lambda: torch.zeros(4), (2,)).is_taken
    monkeypatch.setattr(torch, "__version__", "99")
    assert not tried(lambda: torch.zeros(4)).is_taken
    assert len(verdicts.read(file)) == 3


def test_a_damaged_file_of_verdicts_is_begun_anew(tmp_path):
    file = tmp_path / "verdicts.json"
    file.write_text("[{")
    verdicts.keep_in(file)
    assert tried(lambda: torch.ones(4)).is_taken
    assert len(verdicts.read(file)) == 1


def test_what_cudnn_finds_fastest_is_not_taken_in_a_process_where_it_is_another_than_before(tmp_path):
    verdicts.keep_in(tmp_path / "verdicts.json")

    def tried(bits: str) -> verdicts.Verdict:
        return verdicts.of("tuned", HERE, (1,), slow, lambda: torch.ones(4), 1e-3, lambda: bits)

    assert tried("first").is_taken
    verdicts.keep_in(tmp_path / "verdicts.json")
    verdict = tried("second")
    assert not verdict.is_taken
    assert "does not repeat" in str(verdict)
    verdicts.keep_in(tmp_path / "verdicts.json")
    assert tried("first").is_taken
