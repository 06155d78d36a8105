"""How fast images were made lately, from the account that each of them keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from generator.models import Cell
from generator.nst.recipes.recipe import Recipe
from generator.plans import sizes

#: Images that count.
COUNTED: Final = 20
# Of how many of the last ones those are taken.
_LOOKED_BACK: Final = 100


def speed_of(cells: Iterable[Cell]) -> float | None:
    """Return the evaluations of a pixel in a second that finished cells took, on the whole; None for no cells."""
    work = seconds = 0.0
    for cell in cells:
        spent, evaluations = cell.provenance.get("seconds"), cell.provenance.get("evaluations")
        if spent and evaluations:
            recipe, content = Recipe.from_dict(cell.recipe), (cell.content.width, cell.content.height)
            work += evaluations * pixel_evaluations(recipe, content) / sum(sizes.budgets(recipe, content))
            seconds += spent
    return work / seconds if seconds else None


def pixel_evaluations(recipe: Recipe, content: sizes.Size) -> int:
    """Return how often all pixels of all levels are evaluated at most for a content of this size (width, height)."""
    levels, budgets = sizes.levels(recipe, content), sizes.budgets(recipe, content)
    return sum(width * height * budget for (width, height), budget in zip(levels, budgets, strict=True))


def recent_speed(recipe: Recipe) -> float | None:
    """Return the speed of the last images that the recipe's network and method made, on the device of the newest of them."""
    made = Cell.objects.filter(status=Cell.Status.DONE).order_by("-made_at")
    last = list(made.values_list("pk", flat=True)[:_LOOKED_BACK])
    alike = [
        cell
        for cell in Cell.objects.filter(pk__in=last).select_related("content").order_by("-made_at")
        if cell.provenance.get("weights", {}).get("network") == recipe.network
        and cell.recipe.get("method") == recipe.method
    ]
    devices = [cell.provenance.get("device", {}).get("name") for cell in alike]
    return speed_of([cell for cell, name in zip(alike, devices, strict=True) if name == devices[0]][:COUNTED])
