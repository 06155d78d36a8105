"""What a recipe costs, without PyTorch: memory and arithmetic for each pixel of its image."""

from __future__ import annotations

import re

from generator.nst.recipes.layers import convolutions
from generator.nst.recipes.networks import architecture_of
from generator.nst.recipes.recipe import Recipe
from generator.nst.recipes.sizes import PATCHES_AT_ONCE

# Bytes that a cell takes for each pixel while the network runs forwards and backwards, by live storages with VGG-16 to
# conv5_1 and pooling by PyTorch. benchmarks/results/generate-scaling-cpu.md has 2000 where Winograd's transforms pool.
_NETWORK = {"fp32": 2800, "bf16": 1600}
# The optimiser's two images of each pair, 3 float32 values a pixel.
_PAIR = 24
# Float32 values a position and channel: centred activations and their gradients; columns of patches, theirs and ours.
_WASSERSTEIN_VALUES, _PATCH_VALUES = 3, 3 * 9
# Hypercolumns that NNST holds for each of its positions, a sixteenth of the pixels: four views of the style, twice while
# they are put together; the image's own, their targets, gradients and what they are normalised to. So many were measured
# at 256 px: 1.16 GB with the network.
_HYPERCOLUMNS = 22


def bytes_per_pixel(recipe: Recipe, precision: str, pairs: int) -> float:
    """Return the bytes that a cell takes for each pixel of its image.

    Args:
        recipe: The cell's recipe.
        precision: "fp32" or "bf16".
        pairs: Pairs of vectors that the optimiser keeps.
    """
    return _NETWORK[precision] + _PAIR * pairs + 4 * _loss_values(recipe)


def _loss_values(recipe: Recipe) -> float:
    """Return the float32 values for each pixel that the style loss holds beside the activations."""
    if recipe.method == "nnst":
        return _hypercolumn_values(recipe)
    if recipe.method != "optimised" or recipe.style_loss == "gram":
        return 0.0
    values, widest = 0.0, 0.0
    for tap in recipe.taps[1]:
        positions, channels = _extent(tap)
        each = _PATCH_VALUES if recipe.style_loss == "patches" else _WASSERSTEIN_VALUES
        values += each * channels * positions
        widest = max(widest, positions)
    return values + (PATCHES_AT_ONCE * widest if recipe.style_loss == "patches" else 0.0)


def _hypercolumn_values(recipe: Recipe) -> float:
    return _HYPERCOLUMNS / 16 * sum(_extent(tap)[1] for tap in recipe.taps[1])


def _extent(tap: str) -> tuple[float, int]:
    """Return the positions for each pixel and the channels of a layer."""
    block = int(re.sub(r"\D", "", tap)[0])
    return 0.25 ** (block - 1), min(64 * 2 ** (block - 1), 512)


def products_per_pixel(recipe: Recipe) -> float:
    """Return the multiplications and additions of one evaluation for each pixel: the network forwards and backwards."""
    taps = [tap for named in recipe.taps for tap in named]
    deepest = max(((int(tap[4]), int(tap[6:] or 9)) for tap in taps), default=(1, 1))
    count, channels = 0.0, 3
    for layer in convolutions(architecture_of(recipe.network)):
        block, number = int(layer[4]), int(layer[6])
        if (block, number) > deepest:
            break
        wide = min(512, 32 * 2**block)
        count += 9 * channels * wide / 4 ** (block - 1)
        channels = wide
    return 2 * 2 * count
