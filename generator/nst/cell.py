"""One image to be made: a content image, one or more style images, and what guides them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from torch import Tensor

from generator.nst import colour, prepare
from generator.nst.recipes.errors import NstError
from generator.nst.recipes.options import KOLKIN, MASKED_LOSSES
from generator.nst.recipes.recipe import Recipe


@dataclass(frozen=True)
class Style:
    """One style image of a cell.

    Attributes:
        image: 3 x H x W, 0 to 1, of any size.
        weight: Share of the style loss, relative to the cell's other styles.
        where: Mask over the content image: where this style goes. 1 x H x W, 0 to 1, of any size
            (Gatys et al. 2017, section 4; for style_loss "gram" or "wasserstein").
        part: Mask over the style image: the part that the style is taken from. As `where`.
        map: Semantic map, 3 x H x W, 0 to 1, of any size. Regions of one colour exchange patches
            (Champandard 2016; for style_loss "patches").
    """

    image: Tensor
    weight: float = 1.0
    where: Tensor | None = None
    part: Tensor | None = None
    map: Tensor | None = None


@dataclass(frozen=True)
class Cell:
    """One image to be made.

    Attributes:
        content: Content image, 3 x H x W, 0 to 1, of any size.
        style: Style image, 3 x H x W, 0 to 1, of any size; or several, or one with masks or a map, as `Style`s.
        recipe: All other settings.
        seed: Seed of the noise.
        content_map: Semantic map of the content. Either the content and all styles have a map, or none has.
    """

    content: Tensor
    style: Tensor | tuple[Style, ...]
    recipe: Recipe
    seed: int
    content_map: Tensor | None = None

    @property
    def styles(self) -> tuple[Style, ...]:
        """The style images, with shares that add up to 1."""
        given = self.style if isinstance(self.style, tuple) else (Style(self.style),)
        total = sum(style.weight for style in given)
        return tuple(replace(style, weight=style.weight / total) for style in given)


def check(cell: Cell) -> None:
    """Check that a cell can be made.

    Raises:
        NstError: If not; the message names the image.
    """
    given = cell.style if isinstance(cell.style, tuple) else (Style(cell.style),)
    if not given or not all(math.isfinite(style.weight) and style.weight > 0 for style in given):
        raise NstError("styles: give at least one, each with a weight above 0")
    prepare.check_image(cell.content, "content image")
    if cell.recipe.method in KOLKIN and len(given) > 1:
        raise NstError(f'styles: method = "{cell.recipe.method}" takes one')
    for style in given:
        prepare.check_image(style.image, "style image")
        for mask in (style.where, style.part):
            if mask is not None:
                _check_mask(mask, cell.recipe)
    _check_maps([cell.content_map, *(style.map for style in given)], cell.recipe)


def _check_mask(mask: Tensor, recipe: Recipe) -> None:
    if recipe.method != "optimised" or recipe.style_loss not in MASKED_LOSSES:
        raise NstError('masks guide an optimised image with style_loss = "gram" or "wasserstein" only')
    prepare.check_image(mask, "mask", channels=1)
    if not bool(mask.any()):
        raise NstError("mask: is black everywhere; paint white where the style goes or comes from")


def _check_maps(maps: list[Tensor | None], recipe: Recipe) -> None:
    given = [each for each in maps if each is not None]
    if not given:
        return
    if len(given) < len(maps):
        raise NstError("maps: give one of the content and of every style, or none")
    if recipe.method != "optimised" or recipe.style_loss != "patches":
        raise NstError(f'maps guide style_loss = "patches" only, not {recipe.style_loss!r}')
    for each in given:
        prepare.check_image(each, "map")


def in_colours(cell: Cell) -> Cell:
    """Return a cell whose references have the colours of its recipe."""
    pairs = [
        colour.prepared(cell.content.cpu(), style.image.cpu(), cell.recipe.colour) for style in cell.styles
    ]
    styles = tuple(replace(style, image=image) for style, (_, image) in zip(cell.styles, pairs, strict=True))
    return replace(cell, content=pairs[0][0], style=styles)
