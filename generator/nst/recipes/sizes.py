"""Sizes that follow from a recipe alone: of the image at each level, of the style image, and the smallest allowed."""

from __future__ import annotations

import math

from generator.nst.recipes.layers import smallest_side
from generator.nst.recipes.recipe import Recipe

Size = tuple[int, int]  # height, width

# Side of the patches of the patch loss, in positions of a layer.
PATCH_SIDE = 3
# Least side in px of an image that a trained network can stylise.
FEEDFORWARD_SIDE = 8


def output_size(height: int, width: int, recipe: Recipe) -> Size:
    """Return the height and width of what a recipe makes of a content image."""
    return (recipe.size, recipe.size) if recipe.shape == "square" else _longest(height, width, recipe.size)


def _longest(height: int, width: int, side: int) -> Size:
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def level_sizes(size: Size, recipe: Recipe) -> list[Size]:
    """Return the sizes from coarse to fine in steps of pyramid_step; the first one's longest side is at least pyramid_min."""
    longest, least, factor = max(size), recipe.pyramid_min, recipe.pyramid_step
    steps = math.floor(math.log(longest / least, factor) + 1e-9) if 0 < least < longest else 0
    return [_longest(*size, round(longest / factor**step)) for step in range(steps, -1, -1)]


def style_size(style: Size, output: Size, recipe: Recipe) -> Size:
    """Return the style image's size at a level of the given output size; never above its own unless squashed."""
    if recipe.shape == "square" or recipe.style_shape == "content":
        return output
    return _longest(*style, min(max(style), max(1, round(max(output) * recipe.style_scale))))


def least_side(recipe: Recipe) -> tuple[int, str]:
    """Return the least side in px that an image must have for the recipe's deepest layer, and that layer."""
    if recipe.method == "feedforward":
        return FEEDFORWARD_SIDE, "a feed-forward network"
    contents, styles = recipe.taps
    least = {layer: smallest_side(layer) for layer in contents or ("conv1_1",)}
    least |= {layer: smallest_side(layer) * least_positions(recipe.style_loss) for layer in styles}
    deepest = max(least, key=lambda layer: least[layer])
    return least[deepest], deepest


def least_positions(style_loss: str) -> int:
    """Return the least height and width, in positions of a layer, that a style loss needs."""
    return PATCH_SIDE if style_loss == "patches" else 1
