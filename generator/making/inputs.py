"""The input pictures of a cell, from rows or from provenance, as tensors."""

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
    """Return a picture 3 x H x W as a mask 1 x H x W."""
    return picture.mean(0, keepdim=True)


def fetch_styles(cells: Iterable[Cell]) -> None:
    """Load the style rows of all cells, and their sources, in a few queries."""
    names = ("source", "where", "part", "map")
    prefetch_related_objects(list(cells), "content_map", *(f"styles__{name}" for name in names))


def job(cell: Cell, recipe: Recipe, loaded: dict[str, Tensor]) -> nst.Cell:
    """Return a row as the library's cell. `loaded` caches sources by the hash of their pixels."""
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
