"""The patch loss against loops in numpy, and what maps and batches do to it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from generator.nst import Cell, NstError, Recipe, Style, losses, patches, transfer, transfer_batch
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = {"vgg16": tiny_weights()}
RECIPE = Recipe(
    content_layers=("conv2_1",),
    style_layers=("conv3_1",),
    style_loss="patches",
    convention="li-wand2016",
    evaluations=8,
    size=32,
    precision="fp32",
)


def features(height, width, seed):
    return torch.randn(1, 4, height, width, generator=torch.Generator().manual_seed(seed)) * 50


def columns(values):
    """The 3 x 3 patches of C x H x W, one after the other."""
    _, height, width = values.shape
    return [values[:, y : y + 3, x : x + 3].ravel() for y in range(height - 2) for x in range(width - 2)]


def likeness(a, b):
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    return a @ b / norms if norms else 0.0


def expected(own, style, guide, style_guide):
    total = 0.0
    for patch, map_patch in zip(columns(own), columns(guide), strict=True):
        scores = [
            likeness(patch, other) + 10.0 * likeness(map_patch, other_map)
            for other, other_map in zip(columns(style), columns(style_guide), strict=True)
        ]
        total += ((patch - columns(style)[int(np.argmax(scores))]) ** 2).sum()
    return total


@pytest.mark.parametrize("guided", [False, True])
def test_the_distance_is_to_the_most_like_patch(guided):
    own, style = features(6, 7, 0), features(8, 5, 1)
    generator = torch.Generator().manual_seed(2)
    guide, style_guide = (torch.rand(1, 3, *each.shape[2:], generator=generator) for each in (own, style))
    if not guided:
        guide, style_guide = torch.zeros_like(guide), torch.zeros_like(style_guide)
    maps = (guide, style_guide) if guided else (None, None)
    found = losses.style(own, losses.style_target(style, "patches", 42, maps[1]), "patches", maps[0])
    arrays = (each[0].double().numpy() for each in (own, style, guide, style_guide))
    np.testing.assert_allclose(float(found), expected(*arrays), rtol=1e-5)


def test_a_style_is_at_no_distance_from_itself():
    value = features(6, 7, 0)
    assert float(patches.distance(value, patches.target(value))) == pytest.approx(0, abs=1e-3)


def test_the_gradient_draws_each_patch_to_its_choice():
    own, target = features(5, 6, 0).requires_grad_(), patches.target(features(6, 6, 1))
    loss = patches.distance(own, target)
    (gradient,) = torch.autograd.grad(loss, own)
    stepped = patches.distance(own.detach() - 0.01 * gradient, target)
    assert float(stepped) < 0.9 * float(loss.detach())


def test_a_map_keeps_patches_to_their_own_colour():
    own = features(4, 8, 0)
    style = torch.cat([features(4, 8, 1), own], dim=3)  # the right half would match in full
    guide = torch.zeros(1, 3, 4, 8)
    guide[:, 0] = 1
    style_guide = torch.zeros(1, 3, 4, 16)
    style_guide[:, 0, :, :8], style_guide[:, 2, :, 8:] = 1, 1
    assert float(patches.distance(own, patches.target(style))) < 1e-3
    assert float(patches.distance(own, patches.target(style, style_guide), guide)) > 1


def test_styles_of_many_sizes_and_maps_share_a_batch():
    mapped = Style(picture(32, 20, seed=3), map=picture(20, 20, seed=6))
    cells = [
        Cell(picture(32, 24, seed=1), picture(32, 32, seed=2), RECIPE, 1),
        Cell(picture(32, 24, seed=1), (mapped,), RECIPE, 1, content_map=picture(32, 24, seed=5)),
    ]
    together = transfer_batch(cells, weights=WEIGHTS, chunk=2)
    for cell, result in zip(cells, together, strict=True):
        (alone,) = transfer_batch([cell], weights=WEIGHTS)
        assert result.batch == 2
        assert result.failure == ""
        assert result.curve["style"][0] == pytest.approx(alone.curve["style"][0], rel=1e-4)


def test_maps_come_in_pairs_and_for_patches_only():
    one = Cell(picture(), picture(), RECIPE, 1, content_map=picture())
    with pytest.raises(NstError, match="of the content and of every style, or none"):
        transfer_batch([one], weights=WEIGHTS)
    mapped = (Style(picture(), map=picture()),)
    gram = Cell(picture(), mapped, RECIPE.replace(style_loss="gram"), 1, content_map=picture())
    with pytest.raises(NstError, match="patches"):
        transfer_batch([gram], weights=WEIGHTS)


def test_an_image_too_small_for_a_patch_is_refused_in_one_line():
    small = RECIPE.replace(style_layers=["conv5_1"])
    with pytest.raises(NstError, match="3 x 3"):
        transfer(picture(), picture(), small, seed=1, weights=WEIGHTS["vgg16"])
