from __future__ import annotations

import pytest
import torch

from generator.nst.kolkin import pyramid


@pytest.mark.parametrize("size", [(32, 48), (33, 19), (5, 3), (1, 7)])
def test_a_pyramid_collapses_to_its_image(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
    coefficients = pyramid.decomposed(image, 5)
    assert torch.allclose(pyramid.collapsed(coefficients), image, atol=1e-6)


def test_each_level_is_half_as_large_until_one_pixel_is_left() -> None:
    sizes = [tuple(each.shape[2:]) for each in pyramid.decomposed(torch.rand(1, 3, 9, 20), 8)]
    assert sizes == [(9, 20), (4, 10), (2, 5), (1, 2)]


def test_a_flat_image_has_no_detail() -> None:
    assert float(pyramid.detail(torch.full((1, 3, 12, 12), 7.0)).abs().max()) == 0
