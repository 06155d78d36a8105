"""The sizes of a recipe's images as (width, height), and each level's limit of evaluations."""

from __future__ import annotations

from collections.abc import Iterable

from generator.nst.recipes import sizes
from generator.nst.recipes.recipe import Recipe

Size = tuple[int, int]  # width, height


def finest_sizes(recipe: Recipe, content: Size, *styles: Size) -> list[Size]:
    """Return the sizes of content and styles at the last level, which is the largest."""
    last = levels(recipe, content)[-1]
    if recipe.method == "feedforward":
        return [last, *styles]
    found = [sizes.style_size((height, width), (last[1], last[0]), recipe) for width, height in styles]
    return [last, *((width, height) for height, width in found)]


def levels(recipe: Recipe, content: Size, styles: Iterable[Size] = ()) -> list[Size]:
    """Return the sizes of the image from coarse to fine; the last is that of the result.

    Args:
        recipe: The recipe.
        content: Size of the content image.
        styles: Sizes of the style images. A level at which one is too small is skipped.
    """
    size = sizes.output_size(content[1], content[0], recipe)
    if recipe.method == "feedforward":
        return [(size[1], size[0])]
    own = [(height, width) for width, height in styles]
    return [(width, height) for height, width in sizes.level_sizes(size, recipe, own)]


def budgets(recipe: Recipe, content: Size, styles: Iterable[Size] = ()) -> list[int]:
    """Return each level's limit of evaluations."""
    return sizes.level_budgets(recipe, len(levels(recipe, content, styles)))
