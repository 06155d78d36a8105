"""All presets on one pair of pictures, small and with few evaluations, for docs/reference/presets.md."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from generator.files import images
from generator.making.reconstruction import slug_of
from generator.models import ImageSet
from generator.nst.recipes.sizes import least_side
from generator.plans import sizes
from generator.plans.images import Pair, StyleFile
from generator.plans.plan import Plan, PlannedCell
from generator.sets import sheets

if TYPE_CHECKING:
    from generator.nst import Recipe

FACTOR = "preset"
# Width in pixels of the longest name.
_MIN_PLACE = 144


def preset_plan(content: Path, style: Path, *, size: int, evaluations: int, network: str) -> Plan:
    """Return a plan with one cell for each preset, all with one network and one size.

    Args:
        content: Content image.
        style: Style image.
        size: Size of the images, in px.
        evaluations: Limit for each level of a preset's pyramid.
        network: Name of the network.

    Raises:
        nst.RecipeError: If a setting is invalid.
        images.ImageError: If an image cannot be read.
    """
    from generator.nst import PRESETS

    shape = images.read(content).size
    pair = Pair(content, (StyleFile(style),), content.stem, style.stem)
    cells = [
        PlannedCell(name, {FACTOR: name}, small(found.recipe, shape, size, evaluations, network), 1, pair)
        for name, found in PRESETS.items()
    ]
    title = f"Every preset: {content.stem} and {style.stem}"
    return Plan(slug_of("presets", content, style, cells), title, title, cells, [FACTOR])


def small(recipe: Recipe, shape: sizes.Size, size: int, evaluations: int, network: str) -> Recipe:
    """Return a preset's recipe for a content image of this shape, with another size and fewer evaluations.

    It has as many levels as at its original size, without those too small for its layers. Adam's steps have a fixed
    length, so fewer steps are made longer to go as far. NNST's stay as they are: with longer ones its colours run away.

    Args:
        recipe: The preset's recipe.
        shape: Size (width, height) of the content image.
        size: New size, in px.
        evaluations: Limit for each level.
        network: Name of the network.
    """
    spent = min(recipe.evaluations, evaluations)
    longer = recipe.evaluations / spent if recipe.optimiser == "adam" else 1
    smallest = math.ceil(least_side(recipe)[0] * max(shape) / min(shape))
    return recipe.replace(
        network=network,
        size=size,
        pyramid_min=recipe.pyramid_min and max(smallest, int(recipe.pyramid_min * size / recipe.size)),
        evaluations=spent,
        first_evaluations=min(recipe.first_evaluations, evaluations),
        learning_rate=recipe.learning_rate * longer,
    )


def preset_sheet(image_set: ImageSet, side: int, columns: int = 4) -> Image.Image:
    """Return a sheet of the pair and all presets. A star marks presets whose original network is another one."""
    from generator.nst import PRESETS

    cells = list(image_set.cells.select_related("content", "style"))
    pictures: list[tuple[str, Image.Image | str]] = []
    for role, source in (("content", cells[0].content), ("style", cells[0].style)):
        with source.file.open() as file:
            pictures.append((role, images.fit(images.read(file, name=source.name), side)))
    for cell in cells:
        own = PRESETS[cell.label].recipe.network
        star = "" if cell.recipe["network"] == own else " *"
        pictures.append((cell.label + star, sheets.thumbnail(cell, side)))
    return sheets.captioned(pictures, columns, max(side, _MIN_PLACE))
