"""Sizes that follow from a recipe alone: of the image at each level, of the style image, and the smallest allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable

from generator.nst.recipes.layers import smallest_side
from generator.nst.recipes.options import KOLKIN
from generator.nst.recipes.recipe import Recipe

Size = tuple[int, int]  # height, width

# Side of the patches of the patch loss, in positions of a layer.
PATCH_SIDE = 3
# Patches compared with all of the style's at once: bounds the table of likenesses.
PATCHES_AT_ONCE = 2048
# Least side in px of an image that a trained network can stylise.
FEEDFORWARD_SIDE = 8


def output_size(height: int, width: int, recipe: Recipe) -> Size:
    """Return the height and width of what a recipe makes of a content image."""
    return (recipe.size, recipe.size) if recipe.shape == "square" else _longest(height, width, recipe.size)


def _longest(height: int, width: int, side: int) -> Size:
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def level_count(recipe: Recipe, longest: int = 0) -> int:
    """Return the levels from coarse to fine in steps of pyramid_step; the first one's longest side is at least pyramid_min.

    longest: the longest side of the last level; 0: the recipe's own size, which it is for an image of any shape.
    """
    longest, least = longest or recipe.size, recipe.pyramid_min
    return 1 + (
        math.floor(math.log(longest / least, recipe.pyramid_step) + 1e-9) if 0 < least < longest else 0
    )


def level_sizes(size: Size, recipe: Recipe, styles: Iterable[Size] = ()) -> list[Size]:
    """Return the sizes of an image of that last size, from coarse to fine.

    Levels at which the image or one of its styles is too small for the recipe's deepest layer are left out; the last
    one stays. styles: the style images' own sizes.
    """
    longest, factor = max(size), recipe.pyramid_step
    every = [
        _longest(*size, round(longest / factor**step))
        for step in range(level_count(recipe, longest) - 1, -1, -1)
    ]
    least, _ = least_side(recipe)
    own = list(styles)

    def fits(level: Size) -> bool:
        return min(*level, *(min(style_size(style, level, recipe)) for style in own)) >= least

    first = next((number for number, level in enumerate(every) if fits(level)), len(every) - 1)
    return every[first:]


def level_budgets(recipe: Recipe, levels: int) -> list[int]:
    """Return the limit of evaluations at each of so many levels. NNST goes over the last one twice."""
    if recipe.method == "feedforward":
        return [1]
    if recipe.method in KOLKIN:
        again = recipe.evaluations if recipe.method == "nnst" else 0
        return [*[recipe.evaluations] * (levels - 1), recipe.evaluations + again]
    return [recipe.first_evaluations or recipe.evaluations, *[recipe.evaluations] * (levels - 1)]


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
