from __future__ import annotations

from typing import Any

import pytest
import torch

from generator.nst import Cell, LayerError, NstError, batch_key, transfer, transfer_batch
from generator.nst.recipes.sizes import level_sizes
from tests.generator.nst.optimise.small import SMALL, WEIGHTS, make
from tests.generator.nst.tiny import picture


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
