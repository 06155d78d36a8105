"""A batch on its way: levels, cells that leave, memory that runs out, an index that counts no further."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from generator.nst import Cell, transfer_batch
from generator.nst.network import Vgg
from generator.nst.objective import Objective
from generator.nst.optimise import batch as batches
from tests.generator.nst.optimise.small import SMALL, WEIGHTS, make
from tests.generator.nst.tiny import picture


def test_a_pyramid_goes_from_coarse_to_fine():
    seen: list[Any] = []
    recipe = SMALL.replace(pyramid_min=16, first_evaluations=3, evaluations=2)
    result = make(recipe, callback=lambda progress: seen.append((progress.height, progress.evaluations)))
    assert seen == [(16, 7)] * 3 + [(23, 7)] * 2 + [(32, 7)] * 2
    assert result.evaluations == 7


def test_a_converged_cell_leaves_and_the_rest_go_on():
    still = SMALL.replace(init="content", beta=0, alpha=1, evaluations=40)
    cells = [
        Cell(picture(), picture(), still, 1),
        Cell(picture(), picture(seed=5), SMALL.replace(evaluations=40), 1),
    ]
    # One at a time: in a batch a sum may be rounded otherwise than its target's, and there is something to descend.
    first, second = transfer_batch(cells, weights=WEIGHTS, chunk=1)
    assert first.stop != "evaluations"
    assert first.evaluations < second.evaluations == 40


def test_a_picture_that_no_longer_changes_visibly_needs_no_more_evaluations():
    long = SMALL.replace(evaluations=60, pyramid_min=16, pyramid_step=2)
    whole, early = make(long), make(long.replace(stop_change=4))
    assert (whole.stop, early.stop) == ("evaluations", "no visible change")
    assert early.evaluations < whole.evaluations == 120
    assert early.evaluations == len(early.curve["style"])
    assert float((whole.image - early.image).abs().mean()) * 255 < 10


def test_a_cell_that_settles_leaves_its_batch_and_the_rest_go_on():
    settled = Cell(
        picture(), picture(seed=5), SMALL.replace(evaluations=40, stop_change=1, init="content", beta=1e-6), 1
    )
    moving = Cell(picture(), picture(seed=5), SMALL.replace(evaluations=40, stop_change=1, alpha=0), 1)
    first, second = transfer_batch([settled, moving], weights=WEIGHTS)
    assert first.stop == "no visible change"
    assert first.evaluations == 20 < second.evaluations


@pytest.mark.parametrize(("pixels", "most"), [(32 * 32, 1), (3 * 32 * 32, 3), (10**9, 5)])
def test_so_many_cells_go_through_a_cpu_at_once_as_have_the_pixels_that_it_gains_by(
    monkeypatch, pixels, most
):
    call, seen = Vgg.__call__, set()

    def count(self, image):
        seen.add(len(image))
        return call(self, image)

    monkeypatch.setattr(Vgg, "__call__", count)
    monkeypatch.setattr(batches, "CPU_PIXELS", pixels)
    cells = [Cell(picture(seed=seed), picture(), SMALL.replace(evaluations=2), 1) for seed in range(5)]
    results = transfer_batch(cells, weights=WEIGHTS)
    assert max(seen) == most
    assert all(result.notes == () for result in results)


@pytest.mark.parametrize("chunk", [5, 40])
def test_out_of_memory_halves_what_goes_through_at_a_time(monkeypatch, chunk):
    call = Vgg.__call__

    def narrow(self, image):
        if len(image) > 2:
            raise torch.OutOfMemoryError
        return call(self, image)

    monkeypatch.setattr(Vgg, "__call__", narrow)
    cells = [Cell(picture(seed=seed), picture(), SMALL.replace(evaluations=2), 1) for seed in range(5)]
    results = transfer_batch(cells, weights=WEIGHTS, chunk=chunk)
    assert results[4].notes == ("out of memory: 2 cells at a time",)
    assert not any(result.failure for result in results)


@pytest.mark.slow
@pytest.mark.parametrize("error", [torch.OutOfMemoryError(), RuntimeError("can't allocate memory: 9 bytes")])
def test_out_of_memory_with_one_cell_computes_activations_twice_and_makes_the_same_image(monkeypatch, error):
    cells = [Cell(picture(), picture(seed=1), SMALL.replace(evaluations=3), 1)] * 2
    plain = transfer_batch(cells, weights=WEIGHTS, chunk=1)[0]
    call = Vgg.__call__

    def narrow(self, image):
        if torch.is_grad_enabled() and not self.forgetful:
            raise error
        return call(self, image)

    monkeypatch.setattr(Vgg, "__call__", narrow)
    spared = transfer_batch(cells, weights=WEIGHTS, chunk=2)[0]
    assert spared.notes == (
        "out of memory: 1 cells at a time",
        "out of memory: activations computed twice instead of kept",
    )
    assert torch.equal(spared.image, plain.image)
    assert plain.notes == ()


@pytest.mark.slow
def test_out_of_memory_even_so_goes_through_in_tiles(monkeypatch):
    recipe = SMALL.replace(evaluations=2, size=48, content_layers=("conv2_1",), style_layers=("conv1_1",))
    plain = make(recipe)
    whole = Vgg._whole

    def narrow(self, image):
        if torch.is_grad_enabled() and image.shape[2] * image.shape[3] > 30 * 30:
            raise torch.OutOfMemoryError
        return whole(self, image)

    monkeypatch.setattr(Vgg, "_whole", narrow)
    monkeypatch.setattr("generator.nst.objective._TILES", (32, 16))
    spared = make(recipe)
    assert spared.notes == (
        "out of memory: activations computed twice instead of kept",
        "out of memory: the network runs in tiles of 32 px",
        "out of memory: the network runs in tiles of 16 px",
    )
    torch.testing.assert_close(spared.image, plain.image, rtol=0, atol=1e-3)


def test_out_of_memory_to_the_end_is_said(monkeypatch):
    def nowhere(self, number, images):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("generator.nst.objective.Objective._terms", nowhere)
    with pytest.raises(torch.OutOfMemoryError, match="make the image smaller"):
        make()


def test_a_gpu_takes_no_more_values_at_a_time_than_an_index_counts(monkeypatch):
    cells = [Cell(picture(), picture(seed=1), SMALL.replace(size=16, evaluations=1), n) for n in range(5)]
    batch = batches.Batch(cells, range(5), WEIGHTS["vgg16"], torch.device("meta"), None, 0)
    assert batch._at_once((16, 16)) == 5
    monkeypatch.setattr(batches, "INDEXED", 2 * 64 * 16 * 16)
    assert batch._at_once((16, 16)) == 2
    # Nor if more are asked for.
    assert (
        batches.Batch(cells, range(5), WEIGHTS["vgg16"], torch.device("meta"), None, 4)._at_once((16, 16))
        == 2
    )
    batch._fit_index((16, 16))
    assert batch.network.tile == 0
    batch._fit_index((64, 64))
    assert batch.network.tile == batches.LARGE_TILE
    assert batch.notes == ["the network runs in tiles of 4096 px: one layer has too many values"]


def test_one_cell_that_becomes_no_number_does_not_touch_the_others(monkeypatch):
    call = Objective.__call__

    def poisoned(self, images):
        terms, gradients = call(self, images)
        bad = torch.tensor([cell == 1 for cell in self._cells])
        return terms.masked_fill(bad[:, None], math.nan), gradients

    monkeypatch.setattr(Objective, "__call__", poisoned)
    cells = [Cell(picture(seed=seed), picture(), SMALL, 1) for seed in range(3)]
    results = transfer_batch(cells, weights=WEIGHTS)
    assert [bool(result.failure) for result in results] == [False, True, False]
    assert results[1].failure == "the loss is not a number"
