"""The sizes of a recipe's images as (width, height), and the evaluations that each level may spend."""

from __future__ import annotations

from generator.nst.recipes import sizes
from generator.nst.recipes.recipe import Recipe

Size = tuple[int, int]  # width, height


def coarsest_sizes(recipe: Recipe, content: Size, style: Size) -> tuple[Size, Size]:
    """Return the sizes of content and style at the first, smallest level of the pyramid."""
    first = levels(recipe, content)[0]
    height, width = sizes.style_size((style[1], style[0]), (first[1], first[0]), recipe)
    return first, (width, height)


def levels(recipe: Recipe, content: Size) -> list[Size]:
    """Return the sizes of the image from coarse to fine; the last is that of the result."""
    size = sizes.output_size(content[1], content[0], recipe)
    if recipe.method == "feedforward":
        return [(size[1], size[0])]
    return [(width, height) for height, width in sizes.level_sizes(size, recipe)]


def budgets(recipe: Recipe, content: Size) -> list[int]:
    """Return the evaluations that each level may spend."""
    if recipe.method == "feedforward":
        return [1]
    later = len(levels(recipe, content)) - 1
    return [recipe.first_evaluations or recipe.evaluations, *[recipe.evaluations] * later]
