"""Covariates move as their definitions say they must."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from generator.making import covariates


def noise(seed: int, size=(48, 40), low=0, high=256) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(seed).integers(low, high, (size[1], size[0], 3), dtype=np.uint8)
    )


def ramp(size=(48, 40)) -> Image.Image:
    across = np.tile(np.linspace(0, 255, size[0]), (size[1], 1))
    return Image.fromarray(np.stack([across, across[:, ::-1], 255 - across], axis=-1).astype(np.uint8))


def test_an_image_that_is_its_content_agrees_with_it_wholly() -> None:
    found = covariates.measure(ramp(), content=ramp(), style=noise(1))
    assert found["ssim"] == pytest.approx(1)
    assert found["edge_agreement"] == pytest.approx(1)
    assert found["colour_from_content"] == pytest.approx(0)
    assert found["colour_from_style"] > 1


def test_an_image_that_is_its_style_has_its_colours_and_not_the_contents_structure() -> None:
    found = covariates.measure(noise(1), content=ramp(), style=noise(1))
    assert found["colour_from_style"] == pytest.approx(0)
    assert found["ssim"] < 0.2
    assert abs(found["edge_agreement"]) < 0.2


def test_colour_distance_of_flat_greys_is_their_distance_in_lightness() -> None:
    black, white = Image.new("RGB", (16, 16)), Image.new("RGB", (16, 16), "white")
    found = covariates.measure(black, content=white, style=black)
    # L* differs by 100, a* and b* by nothing; the mean of the three is a third.
    assert found["colour_from_content"] == pytest.approx(100 / 3, abs=0.01)
    assert found["edge_agreement"] == 0


def test_total_variation_counts_grey_levels_between_neighbours() -> None:
    stripes = np.zeros((4, 6, 3))
    stripes[:, ::2] = 1
    assert covariates.total_variation(stripes) == 255
    assert covariates.total_variation(np.ones((1, 1, 3))) == 0


def test_colourfulness_is_nought_for_grey_and_as_published_for_a_flat_colour() -> None:
    assert covariates.colourfulness(np.full((4, 4, 3), 0.5)) == 0
    red = np.zeros((4, 4, 3))
    red[..., 0] = 1
    # rg = 255, yb = 127.5, no spread: 0.3 times the length of their mean.
    assert covariates.colourfulness(red) == pytest.approx(0.3 * np.hypot(255, 127.5))


def test_every_covariate_is_a_finite_number_for_flat_and_thin_images() -> None:
    thin = Image.new("RGB", (300, 2), "red")
    for made in (Image.new("RGB", (20, 20)), noise(3), thin):
        found = covariates.measure(made, content=thin, style=thin)
        assert all(np.isfinite(value) for value in found.values())


def test_near_duplicates_point_at_the_first_of_their_kind() -> None:
    one, other = noise(1, low=0, high=120), ramp()
    almost = Image.fromarray(np.asarray(one) + 1)
    assert covariates.near_duplicates([one, other, almost, one]) == [None, None, 0, 0]
    assert covariates.near_duplicates([]) == []
