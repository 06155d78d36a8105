"""Hypercolumns: the activations of many layers at one place of an image, as one vector (Hariharan et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.nst.network import Vgg

# What the activations of a network that reads grey levels are divided by: then they are those of images of 0 to 1. Means,
# covariances and cosine distances are then of one size, as with the training of torchvision that STROTSS was made for.
_GREY_LEVELS = 255.0
_QUARTER = 4


class Reader:
    """Reads images, N x 3 x H x W in grey levels, by a network.

    Attributes:
        unit: What to divide its activations by to have those of images of 0 to 1. A cosine distance needs no division.
    """

    def __init__(self, network: Vgg, layers: Sequence[str]) -> None:
        """Take a network whose taps hold the layers."""
        preprocessing = network.weights.preprocessing
        self._network, self._layers = network, tuple(layers)
        self._mean, self._deviation = (
            torch.tensor(values, device=network.device)[:, None, None]
            for values in (preprocessing.mean, preprocessing.deviation)
        )
        self.unit = _GREY_LEVELS if preprocessing.deviation == (1.0, 1.0, 1.0) else 1.0

    def __call__(self, image: Tensor) -> list[Tensor]:
        """Return the activations of each layer, 1 x C x h x w, float32."""
        found: Mapping[str, Tensor] = self._network((image - self._mean) / self._deviation)
        return [found[layer].float() for layer in self._layers]


def rows(features: Tensor) -> Tensor:
    """Return 1 x C x h x w as (h w) x C."""
    return features[0].flatten(1).T


def columns(layers: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """Return the hypercolumns of an image at a quarter of its height and width: Kolkin et al. 2022, section 3.

    Each layer is divided by its channels, so that wide layers do not outweigh the others (as the authors' program does).

    Args:
        layers: Activations, 1 x C x h x w each.
        size: Height and width of the image.

    Returns:
        Positions x the sum of all C.
    """
    quarter = max(1, size[0] // _QUARTER), max(1, size[1] // _QUARTER)
    # Divided once they are small.
    scaled = [
        F.interpolate(each, quarter, mode="bilinear", align_corners=True) / each.shape[1] for each in layers
    ]
    return rows(torch.cat(scaled, dim=1))


def sampled(layers: Sequence[Tensor], size: tuple[int, int], places: Tensor) -> Tensor:
    """Return hypercolumns at some pixels of an image: Kolkin et al. 2019, section 2.1.

    Args:
        layers: Activations, 1 x C x h x w each, as if enlarged to the image, bilinear.
        size: Height and width of the image.
        places: Row and column of each pixel, n x 2.

    Returns:
        n x the sum of all C.
    """
    return torch.cat([_read(each[0], size, places) for each in layers], dim=1)


def _read(layer: Tensor, size: tuple[int, int], places: Tensor) -> Tensor:
    """Return the values of a layer, C x h x w, between its positions. Indexing has a deterministic gradient."""
    height, width = layer.shape[1:]
    flat = layer.flatten(1).T
    scale = torch.tensor([height / size[0], width / size[1]], device=layer.device)
    last = torch.tensor([height - 1, width - 1], device=layer.device)
    at = torch.minimum(((places + 0.5) * scale - 0.5).clamp(min=0), last.float())
    low = at.floor().long()
    high = torch.minimum(low + 1, last)
    down, right = (at - low).unbind(1)
    corners = (
        (low[:, 0], low[:, 1], (1 - down) * (1 - right)),
        (low[:, 0], high[:, 1], (1 - down) * right),
        (high[:, 0], low[:, 1], down * (1 - right)),
        (high[:, 0], high[:, 1], down * right),
    )
    parts = [flat[row * width + column] * share[:, None] for row, column, share in corners]
    return parts[0] + parts[1] + parts[2] + parts[3]
