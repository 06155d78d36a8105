"""What a batch of cells minimises beside the losses of its preset: values beyond black and white."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from generator.nst import Recipe, Style, losses
from generator.nst.network import Vgg
from generator.nst.objective import Objective
from generator.nst.targets import Reference
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
