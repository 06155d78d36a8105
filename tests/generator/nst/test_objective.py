"""What a batch of cells minimises beside the losses of its preset: values beyond black and white, and balanced factors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from generator.nst import Recipe, Style, losses
from generator.nst.network import Vgg
from generator.nst.objective import Objective, Reference
from tests.generator.nst.tiny import picture, tiny_weights

RECIPE = Recipe(content_layers=("conv2_1",), style_layers=("conv1_1", "conv3_1"), alpha=0.5, beta=2.0)
MEAN = torch.tensor([124.0, 117.0, 104.0])[:, None, None]
TAPS = ("relu1_1", "relu2_1", "relu3_1")


def centred(seed: int, light: float = 1.0) -> Tensor:
    return picture(32, 24, seed) * 255 * light - MEAN


def objective(*references: Reference) -> Objective:
    return Objective(Vgg(tiny_weights(), TAPS), torch.ones(3, 1, 1), references, mean=MEAN)


def test_values_beyond_black_and_white_cost_their_excess_squared() -> None:
    image = centred(0) * 3
    values = (image + MEAN).double().numpy()
    excess = np.maximum(values - 255, 0) + np.maximum(-values, 0)
    assert (excess > 0).mean() > 0.1
    plain, bounded = (
        objective(Reference(recipe, centred(1), (Style(centred(2)),)))(image[None])[0][0]
        for recipe in (RECIPE, RECIPE.replace(range_weight=3))
    )
    np.testing.assert_allclose(bounded - plain, [0, 0, 3 * (excess**2).mean()], rtol=1e-5)


def test_values_within_black_and_white_cost_nothing() -> None:
    assert float(losses.beyond(centred(0)[None], MEAN)) == 0


@pytest.mark.parametrize("style_loss", ["gram", "wasserstein", "patches"])
def test_a_balanced_ratio_weighs_all_of_the_content_against_the_style_that_it_lacks(style_loss: str) -> None:
    recipe = RECIPE.replace(style_loss=style_loss, balance="references")
    network = Vgg(tiny_weights(), TAPS)
    # A bright and a dark picture, in one batch.
    contents = [centred(1), centred(3, light=0.1)]
    balanced = objective(*(Reference(recipe, content, (Style(centred(2)),)) for content in contents))
    for row, content in enumerate(contents):
        seen = network(content[None])["relu2_1"]
        spread = 0.5 * (seen - seen.mean((2, 3), keepdim=True)).square().sum()
        lacking = balanced(torch.stack(contents))[0][row, 1]
        factor = balanced.coefficients[row].content["relu2_1"]
        assert factor * float(spread) == pytest.approx(0.25 * float(lacking), rel=1e-3)


def test_balancing_leaves_the_style_and_the_smoothness_as_they_are() -> None:
    given = RECIPE.replace(tv_weight=2, range_weight=3)
    plain, balanced = (
        objective(Reference(recipe, centred(1), (Style(centred(2)),))).coefficients[0]
        for recipe in (given, given.replace(balance="references"))
    )
    assert (plain.style, plain.tv, plain.beyond) == (balanced.style, balanced.tv, balanced.beyond)
    assert plain.content != balanced.content
