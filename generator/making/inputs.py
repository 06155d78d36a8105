"""The pictures that a cell is made of, from rows or from provenance to the style-transfer library's tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import prefetch_related_objects
from PIL import Image

from generator.files import images
from generator.models import Cell, Source

if TYPE_CHECKING:
    from torch import Tensor

    from generator import nst
    from generator.nst import Recipe


def mask(picture: Tensor) -> Tensor:
    """Return a mask 1 x H x W of a picture 3 x H x W."""
    return picture.mean(0, keepdim=True)


def fetch_styles(cells: Iterable[Cell]) -> None:
    """Ask for the style rows of cells, and for their sources, in a few queries for all."""
    names = ("source", "where", "part", "map")
    prefetch_related_objects(list(cells), "content_map", *(f"styles__{name}" for name in names))


def job(cell: Cell, recipe: Recipe, loaded: dict[str, Tensor]) -> nst.Cell:
    """Return what the library makes a cell of; `loaded` holds the sources that were read before, by their pixels."""
    from generator import nst

    def picture(source: Source) -> Tensor:
        if source.pixels not in loaded:
            with source.file.open() as file, Image.open(file) as image:
                loaded[source.pixels] = images.to_tensor(image)
        return loaded[source.pixels]

    def guide(source: Source | None, *, is_mask: bool = False) -> Tensor | None:
        if source is None:
            return None
        return mask(picture(source)) if is_mask else picture(source)

    styles = tuple(
        nst.Style(
            picture(style.source),
            style.weight,
            guide(style.where, is_mask=True),
            guide(style.part, is_mask=True),
            guide(style.map),
        )
        for style in cell.styles.all()
    )
    return nst.Cell(
        picture(cell.content),
        styles or picture(cell.style),
        recipe,
        cell.seed,
        guide(cell.content_map),
    )
