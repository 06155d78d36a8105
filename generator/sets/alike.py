"""Images of a set that people cannot tell apart."""

from __future__ import annotations

from collections.abc import Iterable

from generator.models import Cell, ImageSet

#: So many are named; of the others, their number is told.
_NAMED = 5


def alike(cells: Iterable[Cell]) -> list[tuple[Cell, Cell]]:
    """Return each of a set's cells whose image looks like an earlier one, with the first that it looks like."""
    by_index = {cell.index: cell for cell in cells}
    firsts = [(cell, cell.covariates.get("near_duplicate_of")) for cell in by_index.values()]
    return [(cell, by_index[first]) for cell, first in firsts if first in by_index]


def alike_in_words(image_set: ImageSet) -> list[str]:
    """Return a warning for each of the first images that look the same as another one, and how many more there are."""
    done = image_set.cells.filter(status=Cell.Status.DONE)
    pairs = alike(done.only("index", "label", "covariates"))
    told = [
        f"{later.label!r} looks the same as {first.label!r}: ratings of them say nothing about what differs"
        for later, first in pairs[:_NAMED]
    ]
    if len(pairs) > _NAMED:
        told.append(f"{len(pairs) - _NAMED} more images look the same as another one")
    return told
