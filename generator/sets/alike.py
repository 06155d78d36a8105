"""Images of a set that people cannot tell apart."""

from __future__ import annotations

from generator.models import Cell, ImageSet

#: So many are named; of the others, their number is told.
_NAMED = 5


def alike(image_set: ImageSet) -> list[tuple[str, str]]:
    """Return (label, label of the first image that looks the same) of each finished image that has such a one."""
    done = image_set.cells.filter(status=Cell.Status.DONE)
    rows = list(done.values_list("index", "label", "covariates__near_duplicate_of"))
    labels = {index: label for index, label, _ in rows}
    return [(label, labels[first]) for _, label, first in rows if first in labels]


def alike_in_words(image_set: ImageSet) -> list[str]:
    """Return a warning for each of the first images that look the same as another one, and how many more there are."""
    pairs = alike(image_set)
    told = [
        f"{later!r} looks the same as {first!r}: ratings of them say nothing about what differs"
        for later, first in pairs[:_NAMED]
    ]
    if len(pairs) > _NAMED:
        told.append(f"{len(pairs) - _NAMED} more images look the same as another one")
    return told
