"""A recipe's weights as coefficients of the inner unit `a*C + sum(b*E) + t*TV` (see `conventions`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from generator.nst.recipes.conventions import CONVENTIONS, Shape
from generator.nst.recipes.recipe import Recipe

TERMS = ("content", "style", "tv")
"""The terms of every loss curve. The last holds all terms of the image itself: total variation, and values beyond black and white."""


@dataclass(frozen=True)
class Coefficients:
    """The factors of the losses in common units (Gatys 2016).

    Attributes:
        content: Factor of the content loss, by layer.
        style: Factor of the style loss, by layer.
        tv: Factor of the total variation.
        beyond: Factor of what lies beyond black and white.
    """

    content: dict[str, float] = field(default_factory=dict)
    style: dict[str, float] = field(default_factory=dict)
    tv: float = 0.0
    beyond: float = 0.0


def coefficients(recipe: Recipe, shapes: Mapping[str, Shape]) -> Coefficients:
    """Return the coefficients of a recipe.

    Args:
        recipe: The recipe.
        shapes: Shape of each layer that the recipe reads, and of the image under "image".
    """
    convention = CONVENTIONS[recipe.convention]
    contents, styles = recipe.taps
    image = shapes["image"]
    return Coefficients(
        content={tap: recipe.alpha * convention.content(shapes[tap]) for tap in contents},
        style={
            tap: recipe.beta * weight * convention.style(shapes[tap], image)
            for tap, weight in zip(styles, recipe.relative_style_weights, strict=False)
            if weight
        },
        tv=recipe.tv_weight * convention.tv(image),
        beyond=recipe.range_weight,
    )
