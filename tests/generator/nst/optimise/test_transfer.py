from __future__ import annotations

import hashlib
import math
import sys
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from generator.nst import Cell, LayerError, NstError, Recipe, Style, batch_key, transfer, transfer_batch
from generator.nst.network import Vgg
from generator.nst.recipes.sizes import level_sizes
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = {"vgg16": tiny_weights()}
SMALL = Recipe(
    content_layers=("conv2_1",),
    style_layers=("conv1_1", "conv3_1"),
    alpha=0.01,
    beta=1.0,
    evaluations=12,
    size=32,
    precision="fp32",
)


def make(recipe=SMALL, seed=1, content=None, style=None, **options):
    content = picture(32, 24, seed=1) if content is None else content
    style = picture(40, 40, seed=2) if style is None else style
    return transfer(content, style, recipe, seed=seed, weights=WEIGHTS["vgg16"], **options)


@pytest.mark.parametrize("optimiser", ["lbfgs", "lbfgs-b", "adam"])
def test_the_loss_falls(optimiser):
    result = make(SMALL.replace(optimiser=optimiser, learning_rate=1 if optimiser != "adam" else 10))
    losses = [sum(terms) for terms in zip(*result.curve.values(), strict=True)]
    assert result.failure == ""
    assert result.evaluations == len(losses) == 12
    assert min(losses) < 0.5 * losses[0]


def test_the_image_has_the_contents_shape_at_the_recipes_size_and_a_pictures_range():
    result = make()
    assert tuple(result.image.shape) == (3, 32, 24)
    assert 0 <= float(result.image.min()) <= float(result.image.max()) <= 1


def test_a_square_recipe_squashes_both_images():
    assert tuple(make(SMALL.replace(shape="square")).image.shape) == (3, 32, 32)


def test_the_same_seed_gives_the_same_image_bit_by_bit_and_another_seed_another():
    first, again, other = make(exact=True), make(exact=True), make(seed=2, exact=True)
    assert torch.equal(first.image, again.image)
    assert not torch.allclose(first.image, other.image)


def test_cells_of_one_batch_become_what_they_become_alone():
    recipes = [
        SMALL,
        SMALL.replace(ratio=1.0, content_layer="conv1_2"),
        SMALL.replace(style_layers=["conv2_2"]),
    ]
    cells = [
        Cell(picture(32, 24, seed=n), picture(40, 40, seed=9), recipe, n) for n, recipe in enumerate(recipes)
    ]
    together = transfer_batch(cells, weights=WEIGHTS, chunk=3)
    for cell, result in zip(cells, together, strict=True):
        alone = make(cell.recipe, cell.seed, cell.content, cell.style)
        assert result.batch == 3
        assert result.coefficients == alone.coefficients
        # Rounding differs with the batch, and twelve steps of L-BFGS carry it on: a grey level at most.
        assert float((result.image - alone.image).abs().max()) < 1 / 255


def test_results_come_in_the_order_of_the_cells_whatever_their_batches():
    sizes = [32, 16, 32, 16]
    recipe = SMALL.replace(evaluations=2)
    cells = [Cell(picture(), picture(), recipe.replace(size=size), 1) for size in sizes]
    assert [result.image.shape[1] for result in transfer_batch(cells, weights=WEIGHTS)] == sizes


def test_layers_and_weights_do_not_part_a_batch_but_the_size_does():
    assert batch_key(SMALL, 30, 40) == batch_key(SMALL.replace(ratio=3, content_layer="conv4_1"), 60, 80)
    assert batch_key(SMALL, 30, 40) != batch_key(SMALL, 40, 30)
    assert batch_key(SMALL, 30, 40) != batch_key(SMALL.replace(pooling="average"), 30, 40)


def test_a_pyramid_goes_from_coarse_to_fine():
    seen: list[Any] = []
    recipe = SMALL.replace(pyramid_min=16, first_evaluations=3, evaluations=2)
    result = make(recipe, callback=lambda progress: seen.append((progress.height, progress.evaluations)))
    assert seen == [(16, 7)] * 3 + [(23, 7)] * 2 + [(32, 7)] * 2
    assert result.evaluations == 7


def test_a_pyramid_may_halve_instead():
    recipe = SMALL.replace(pyramid_min=8, pyramid_step=2.0)
    assert level_sizes((32, 24), recipe) == [(8, 6), (16, 12), (32, 24)]
    assert len(level_sizes((32, 24), SMALL.replace(pyramid_min=8))) == 5


def test_a_panorama_begins_at_a_level_that_its_layers_fit() -> None:
    recipe = SMALL.replace(size=128, pyramid_min=16, pyramid_step=2, style_layers=("conv4_1",), evaluations=2)
    assert level_sizes((16, 128), recipe) == [(8, 64), (16, 128)]
    assert level_sizes((128, 128), recipe, [(128, 16)]) == [(64, 64), (128, 128)]
    assert level_sizes((4, 128), recipe) == [(4, 128)]
    assert batch_key(recipe, 16, 128) != batch_key(recipe, 16, 128, [(5, 5)])
    wide, square = torch.rand(3, 16, 128), torch.rand(3, 128, 128)
    for content, style in ((wide, square), (square, wide)):
        assert transfer(content, style, recipe, seed=1, weights=WEIGHTS["vgg16"]).evaluations == 4


def test_progress_names_the_cells_and_their_losses():
    seen: list[Any] = []
    cells = [Cell(picture(), picture(seed=seed), SMALL.replace(evaluations=3), seed) for seed in (1, 2)]
    results = transfer_batch(cells, weights=WEIGHTS, callback=seen.append)
    assert [(p.cells, p.evaluation) for p in seen] == [((0, 1), 1), ((0, 1), 2), ((0, 1), 3)]
    assert seen[2].losses()[1] == pytest.approx(sum(terms[2] for terms in results[1].curve.values()))


def test_what_the_callback_raises_ends_the_work():
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(callback=stop)


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
    from generator.nst.network import Vgg

    call, seen = Vgg.__call__, set()

    def count(self, image):
        seen.add(len(image))
        return call(self, image)

    monkeypatch.setattr(Vgg, "__call__", count)
    monkeypatch.setattr(sys.modules["generator.nst.optimise.transfer"], "CPU_PIXELS", pixels)
    cells = [Cell(picture(seed=seed), picture(), SMALL.replace(evaluations=2), 1) for seed in range(5)]
    results = transfer_batch(cells, weights=WEIGHTS)
    assert max(seen) == most
    assert all(result.notes == () for result in results)


@pytest.mark.parametrize("chunk", [5, 40])
def test_out_of_memory_halves_what_goes_through_at_a_time(monkeypatch, chunk):
    from generator.nst.network import Vgg

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


@pytest.mark.parametrize("error", [torch.OutOfMemoryError(), RuntimeError("can't allocate memory: 9 bytes")])
def test_out_of_memory_with_one_cell_computes_activations_twice_and_makes_the_same_image(monkeypatch, error):
    from generator.nst.network import Vgg

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


def test_out_of_memory_even_so_goes_through_in_tiles(monkeypatch):
    from generator.nst.network import Vgg

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


def test_cells_that_share_an_image_have_it_resampled_hashed_and_brought_over_once(monkeypatch):
    transfers = sys.modules["generator.nst.optimise.transfer"]
    hashed, resized = Mock(wraps=hashlib.sha256), Mock(wraps=transfers.prepare.resize)
    monkeypatch.setattr(transfers.hashlib, "sha256", hashed)
    monkeypatch.setattr(transfers.prepare, "resize", resized)
    content, style = picture(seed=1), picture(seed=2)
    recipe = SMALL.replace(evaluations=1, first_evaluations=1, size=32, pyramid_min=23)
    cells = [Cell(content, style, recipe.replace(ratio=0.1 * (n + 1)), 1) for n in range(25)]
    transfer_batch(cells, weights=WEIGHTS)
    assert hashed.call_count == 2
    # Two levels of two images, the iterates, and each result's own content for its colours.
    assert resized.call_count <= 2 * 2 + 2 + 25


def test_equal_images_of_different_tensors_are_one_image_to_a_batch(monkeypatch):
    from generator.nst.objective import Targets

    seen = Mock(wraps=Targets._targets)
    monkeypatch.setattr(Targets, "_targets", lambda self, *given, **named: seen(self, *given, **named))
    cells = [Cell(picture(seed=1), picture(seed=2), SMALL.replace(evaluations=1), n) for n in range(3)]
    transfer_batch(cells, weights=WEIGHTS)
    assert seen.call_count == 2


def test_terms_add_up_in_the_networks_order_in_every_process():
    """Sets of names are ordered by the process's hash seed; an image made again elsewhere would differ by roundings."""
    from generator.nst.objective import Reference, Targets

    recipe = SMALL.replace(style_layers=("conv5_1", "conv1_1", "conv3_1", "conv2_2", "conv4_2", "conv2_1"))
    network = Vgg(WEIGHTS["vgg16"], {tap for named in recipe.taps for tap in named})
    image = picture() * 255
    found = Targets(network, torch.ones(3, 1, 1), [Reference(recipe, image, (Style(image),))])
    assert list(found.style) == sorted(found.style, key=network.steps.index)


def test_a_gpu_takes_no_more_values_at_a_time_than_an_index_counts(monkeypatch):
    transfers = sys.modules["generator.nst.optimise.transfer"]
    cells = [Cell(picture(), picture(seed=1), SMALL.replace(size=16, evaluations=1), n) for n in range(5)]
    batch = transfers._Batch(cells, range(5), WEIGHTS["vgg16"], torch.device("meta"), None, 0)
    assert batch._at_once((16, 16)) == 5
    monkeypatch.setattr(transfers, "INDEXED", 2 * 64 * 16 * 16)
    assert batch._at_once((16, 16)) == 2
    batch._fit_index((16, 16))
    assert batch.network.tile == 0
    batch._fit_index((64, 64))
    assert batch.network.tile == transfers.LARGE_TILE
    assert batch.notes == ["the network runs in tiles of 4096 px: one layer has too many values"]


def test_one_cell_that_becomes_no_number_does_not_touch_the_others(monkeypatch):
    from generator.nst.objective import Objective

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


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"content": picture() * 255}, NstError, "content image: values from"),
        ({"style": picture()[:1]}, NstError, r"style image: should be a float tensor 3 x H x W"),
        ({"recipe": SMALL.replace(content_layer="conv5_1", size=16, shape="square")}, None, ""),
        ({"content": picture(4, 64), "recipe": SMALL.replace(size=64)}, None, ""),
        ({"content": picture(3, 64), "recipe": SMALL.replace(size=64)}, LayerError, "does not reach relu3_1"),
        (
            {"style": picture(1, 1)},
            LayerError,
            "an image of 1x1 pixels does not reach relu3_1: at least 4 a side",
        ),
    ],
)
def test_images_that_cannot_be_used_are_named(change, error, message):
    change = {"recipe": SMALL.replace(evaluations=1), **change}
    if error is None:
        make(**change)
        return
    with pytest.raises(error, match=message):
        make(**change)


def test_missing_weights_are_named():
    with pytest.raises(NstError, match="no weights given for network 'vgg19'"):
        transfer_batch([Cell(picture(), picture(), SMALL.replace(network="vgg19"), 1)], weights=WEIGHTS)
