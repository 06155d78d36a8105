"""Checks, resampling and starting points: from two images of any size to the start of the optimiser."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.nst.recipes.errors import NstError
from generator.nst.recipes.recipe import Recipe

Size = tuple[int, int]


def check_image(image: Tensor, role: str, channels: int = 3) -> None:
    """Check that an image is channels x H x W, floating, finite and within 0 to 1.

    Args:
        image: The image.
        role: What it is, for the message, such as "style image".
        channels: How many channels it should have.

    Raises:
        NstError: If it is not; the message names its `role`.
    """
    if image.dim() != 3 or image.shape[0] != channels or not image.is_floating_point():
        raise NstError(
            f"{role}: should be a float tensor {channels} x H x W, not {tuple(image.shape)} of {image.dtype}"
        )
    low, high = (float(value) for value in torch.aminmax(image))
    if not (math.isfinite(low) and low >= -1e-4 and high <= 1 + 1e-4):
        raise NstError(f"{role}: values from {low:g} to {high:g}; a picture's are from 0 to 1")


def resize(image: Tensor, size: Size) -> Tensor:
    """Resample an image, bicubic with antialiasing.

    Args:
        image: ... x H x W.
        size: Height and width wanted, in px.

    Returns:
        ... x the size; values may leave the image's range. An image of that size comes back as it is.
    """
    if tuple(image.shape[-2:]) == size:
        return image
    flat = image.reshape(-1, 1, *image.shape[-2:])
    return F.interpolate(flat, size=size, mode="bicubic", antialias=True).reshape(*image.shape[:-2], *size)


def start(content: Tensor, recipe: Recipe, seed: int, mean: Tensor) -> Tensor:
    """Return the first iterate, drawn on the CPU from the seed alone.

    Args:
        content: Content image, 3 x H x W, 0 to 1.
        recipe: Says whether to start from the content, from noise or from a mixture.
        seed: Seed of the noise.
        mean: What the network's images lack, 3 x 1 x 1, in units of 0 to 255.

    Returns:
        3 x H x W, in units of 0 to 255 less the mean.
    """
    centred = content.cpu() * 255 - mean.cpu()
    if recipe.init == "content":
        return centred
    generator = torch.Generator().manual_seed(seed)
    if recipe.noise == "uniform":
        noise = torch.rand(content.shape, generator=generator) * 2 - 1
    else:
        noise = torch.randn(content.shape, generator=generator)
    noise = noise * recipe.noise_scale + recipe.noise_mean
    return (
        noise if recipe.init == "noise" else recipe.noise_share * noise + (1 - recipe.noise_share) * centred
    )
