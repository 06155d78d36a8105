"""An image that went wrong is known by its reason."""

from __future__ import annotations

import math

import pytest
import torch

from generator.nst import Recipe, supervision, transfer
from tests.generator.nst.tiny import picture, tiny_weights

RECIPE = Recipe(
    content_layers=("conv2_1",), style_layers=("conv1_1",), evaluations=30, size=24, precision="fp32"
)


@pytest.mark.parametrize(
    ("image", "losses", "reason"),
    [
        (torch.full((3, 8, 8), torch.nan), [2.0, 1.0], "the loss is not a number"),
        (picture(), [2.0, *[math.nan] * 5], "the loss is not a number"),
        (torch.zeros(3, 8, 8), [2.0, 1.0], "the image is black"),
        (torch.full((3, 8, 8), 0.7), [2.0, 1.0], "the image is of one colour"),
        (picture(), [1.0, 1.0], "the loss never fell below its start"),
        (
            picture(),
            [2.0, 1.0, 30.0, 40.0, 50.0, 60.0, 70.0],
            "the loss exploded: it ended at 15 times its start",
        ),
        (picture(), [2.0, 1.0], ""),
        # One wild step of a line search.
        (picture(), [2.0, 1.0, 0.9, math.inf], ""),
        (picture(), [2.0, 1.0, 1000.0, 0.9], ""),
        # Nothing to minimise yet something made: the loss started at nought.
        (picture(), [0.0, 0.0], "the loss never fell below its start"),
    ],
)
def test_a_failed_image_is_known_by_its_reason(image, losses, reason):
    found = supervision.failure(image, torch.tensor(losses, dtype=torch.float64))
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_a_pyramids_last_level_is_judged_by_its_own_start():
    losses = torch.tensor([1.0, 0.5, 40.0, 30.0, 20.0])
    assert supervision.failure(picture(), losses, losses[2:]) == ""
    assert "exploded" in supervision.failure(
        picture(), torch.tensor([1.0, 0.5, 1.0, 20.0, 20.0, 20.0, 20.0, 20.0])
    )


def test_values_far_beyond_black_and_white_are_counted():
    pixels = torch.tensor([-0.3, -0.2, 0.5, 1.2, 1.3]).expand(3, 1, 5)
    assert supervision.strayed(pixels) == pytest.approx(0.4)
    assert supervision.failure(picture(), strayed=0.4) == ""
    assert supervision.failure(picture(), strayed=0.6) == "60% of the values ran far beyond black or white"


def test_adam_with_steps_far_too_long_is_kept_apart():
    wild = RECIPE.replace(optimiser="adam", learning_rate=1000, init="content", evaluations=12)
    result = transfer(picture(), picture(seed=1), wild, seed=1, weights=tiny_weights())
    assert result.failure.startswith(("the loss exploded", "the loss never fell"))


def test_an_image_that_ran_away_is_kept_apart():
    # One look at noise that begins there, and no step back.
    away = RECIPE.replace(noise_scale=255, noise_mean=255, evaluations=1)
    result = transfer(picture(), picture(seed=1), away, seed=1, weights=tiny_weights())
    assert "of the values ran far beyond black or white" in result.failure
