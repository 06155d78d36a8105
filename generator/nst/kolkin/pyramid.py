"""Laplacian pyramids, whose coefficients are what STROTSS and NNST minimise over.

Both papers found that this converges far sooner than moving pixels. Every step is bilinear, as theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]


def scaled(image: Tensor, size: Size) -> Tensor:
    """Return an image, N x C x H x W, at another height and width, bilinear."""
    return image if tuple(image.shape[2:]) == size else F.interpolate(image, size, mode="bilinear")


def halved(size: Size) -> Size:
    """Return half a height and width, at least 1 each."""
    return max(1, size[0] // 2), max(1, size[1] // 2)


def detail(image: Tensor) -> Tensor:
    """Return what an image loses when it is halved and doubled again: the first level of its pyramid."""
    size = (image.shape[2], image.shape[3])
    return image - scaled(scaled(image, halved(size)), size)


def decomposed(image: Tensor, levels: int) -> list[Tensor]:
    """Return the details of an image from fine to coarse, and what is left as the last.

    Args:
        image: N x C x H x W.
        levels: How often it is halved at most; no further than to one pixel a side.
    """
    found: list[Tensor] = []
    while len(found) < levels and min(image.shape[2:]) > 1:
        found.append(detail(image))
        image = scaled(image, halved((image.shape[2], image.shape[3])))
    return [*found, image]


def collapsed(coefficients: Sequence[Tensor]) -> Tensor:
    """Return the image whose pyramid this is."""
    image = coefficients[-1]
    for each in reversed(coefficients[:-1]):
        image = each + scaled(image, (each.shape[2], each.shape[3]))
    return image
