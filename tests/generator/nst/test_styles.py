"""Several styles in one image, and masks that say which style goes where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from generator.nst import Cell, NstError, Recipe, Style, losses, transfer_batch
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = {"vgg16": tiny_weights()}
RECIPE = Recipe(
    content_layers=("conv2_1",),
    style_layers=("conv1_1", "conv3_1"),
    alpha=0.01,
    beta=1.0,
    evaluations=10,
    size=32,
    precision="fp32",
)
CONTENT = picture(32, 24, seed=1)
ONE, OTHER = picture(40, 40, seed=2), picture(30, 44, seed=3)
guided = pytest.mark.parametrize("style_loss", ["gram", "wasserstein"])


def left(height=32, width=24):
    mask = torch.zeros(1, height, width)
    mask[:, :, : width // 2] = 1
    return mask


def make(*styles, recipe=RECIPE, **more):
    (result,) = transfer_batch([Cell(CONTENT, styles, recipe, 1, **more)], weights=WEIGHTS)
    assert result.failure == ""
    return result


@pytest.mark.parametrize("style_loss", ["gram", "wasserstein", "patches"])
def test_the_style_loss_of_several_is_the_sum_of_each_by_its_share(style_loss):
    recipe = RECIPE.replace(style_loss=style_loss, evaluations=1)
    both = make(Style(ONE, 3.0), Style(OTHER, 1.0), recipe=recipe).curve["style"][0]
    first, second = (make(Style(image), recipe=recipe).curve["style"][0] for image in (ONE, OTHER))
    assert both == pytest.approx(0.75 * first + 0.25 * second, rel=1e-5)


def test_one_style_twice_is_that_style_once():
    twice, once = make(Style(ONE, 0.7), Style(ONE, 0.3)), make(Style(ONE))
    assert float((twice.image - once.image).abs().max()) < 1 / 255


@guided
def test_a_white_mask_changes_nothing(style_loss):
    white = torch.ones(1, 8, 8)
    recipe = RECIPE.replace(style_loss=style_loss)
    masked, plain = make(Style(ONE, where=white, part=white), recipe=recipe), make(Style(ONE), recipe=recipe)
    assert masked.curve["style"][0] == pytest.approx(plain.curve["style"][0], rel=1e-5)
    assert float((masked.image - plain.image).abs().max()) < 1 / 255


def test_the_guided_loss_is_that_of_the_regions_gram_matrices():
    generator = torch.Generator().manual_seed(0)
    own, style = (torch.randn(1, 4, *size, generator=generator) * 50 for size in ((6, 8), (4, 6)))
    masks = torch.rand(1, 1, 6, 8, generator=generator), torch.rand(1, 1, 4, 6, generator=generator)
    target = losses.style_target(style, "gram", 48, masks[1])
    found = losses.style(own, target, "gram", masks[0])

    def region_gram(features, mask):  # Gatys et al. 2017, equations 5 and 6: the guide's squares add up to 1
        flat, guide = features[0].double().numpy().reshape(4, -1), mask.double().numpy().ravel()
        guided = flat * guide / np.sqrt((guide**2).sum())
        return guided @ guided.T

    difference = region_gram(own, masks[0]) - region_gram(style, masks[1])
    np.testing.assert_allclose(float(found), (difference**2).sum() / (4 * 4**2), rtol=1e-5)


def test_the_guided_distance_is_that_of_the_regions_own_moments():
    """A mask of 0 and 1 selects positions."""
    generator = torch.Generator().manual_seed(0)
    own, style = (torch.randn(1, 3, *size, generator=generator) * 50 for size in ((6, 8), (4, 6)))
    target = losses.style_target(style, "wasserstein", 48, left(4, 6)[None])
    found = losses.style(own, target, "wasserstein", left(6, 8)[None])
    expected = losses.wasserstein(own[..., :4], losses.moments(style[..., :3]))
    assert float(found) == pytest.approx(float(expected), rel=1e-4)


@guided
def test_a_style_acts_only_where_its_mask_is_white(style_loss):
    recipe = RECIPE.replace(init="content", alpha=0, style_layers=["conv1_1"], style_loss=style_loss)
    made = make(Style(ONE, where=left()), recipe=recipe).image
    changed = (made - torch.nn.functional.interpolate(CONTENT[None], (32, 24))[0]).abs().mean((0, 1))
    # One position further: the layer looks at its neighbours.
    assert float(changed[:12].min()) > 1e-3
    assert float(changed[14:].max()) < 1e-4


@guided
def test_a_style_is_taken_from_the_white_part_of_its_image_only(style_loss):
    painted = ONE.clone()
    painted[:, :, 24:] = 0.9  # two positions and more beyond the white part, where no receptive field reaches
    recipe = RECIPE.replace(style_layers=["conv1_1"], evaluations=1, size=40, style_loss=style_loss)
    part = left(40, 40)
    whole = make(Style(ONE, part=part), recipe=recipe)
    assert make(Style(painted, part=part), recipe=recipe).curve["style"] == pytest.approx(
        whole.curve["style"], rel=1e-5
    )


@guided
def test_cells_with_and_without_masks_share_a_batch(style_loss):
    recipe = RECIPE.replace(style_loss=style_loss)
    cells = [
        Cell(CONTENT, ONE, recipe, 1),
        Cell(CONTENT, (Style(ONE, where=left()), Style(OTHER, where=1 - left())), recipe, 1),
        Cell(CONTENT, (Style(ONE), Style(OTHER)), recipe.replace(style_layers=["conv2_2"]), 1),
    ]
    together = transfer_batch(cells, weights=WEIGHTS, chunk=3)
    for cell, result in zip(cells, together, strict=True):
        (alone,) = transfer_batch([cell], weights=WEIGHTS)
        assert result.batch == 3
        assert result.curve["style"][0] == pytest.approx(alone.curve["style"][0], rel=1e-4)


def test_every_style_is_brought_to_the_contents_colours():
    grey = RECIPE.replace(colour="luminance", evaluations=1)
    coloured = torch.stack([ONE.mean(0)] * 3) * torch.tensor([1.0, 0.8, 0.9])[:, None, None]
    assert make(Style(ONE), Style(coloured), recipe=grey).image.shape == (3, 32, 24)


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (Style(ONE, weight=0), "weight above 0"),
        (Style(ONE, weight=float("nan")), "weight above 0"),
        (Style(ONE, where=torch.zeros(1, 8, 8)), "mask: is black everywhere"),
        (Style(ONE, part=torch.ones(3, 8, 8)), "mask: should be a float tensor 1 x H x W"),
        (Style(ONE, where=torch.full((1, 8, 8), 2.0)), "mask: values from 2 to 2"),
    ],
)
def test_a_style_that_cannot_be_used_is_refused_in_one_line(style, message):
    with pytest.raises(NstError, match=message):
        transfer_batch([Cell(CONTENT, (style,), RECIPE, 1)], weights=WEIGHTS)


def test_masks_do_not_guide_patches():
    cell = Cell(CONTENT, (Style(ONE, where=left()),), RECIPE.replace(style_loss="patches"), 1)
    with pytest.raises(NstError, match="masks guide an optimised image"):
        transfer_batch([cell], weights=WEIGHTS)
    with pytest.raises(NstError, match="at least one"):
        transfer_batch([replace(cell, style=())], weights=WEIGHTS)
