"""Image sets that an earlier release made from the same plan, whose preset has another version since."""

from __future__ import annotations

import json
from typing import Any

from generator.models import ImageSet
from generator.nst.recipes.recipe import Recipe
from generator.plans.plan import Plan

# What names a preset or a place, and not how its images are made.
_NAMES = {"preset", "network"}


def made_otherwise(plan: Plan) -> list[str]:
    """Return a warning for each image set whose plan has the same text and whose recipes differ.

    Nothing is said where a set of the present recipes exists as well.
    """
    told = []
    for image_set in ImageSet.objects.filter(plan_sha256=plan.sha256):
        changes = _changes(image_set, plan)
        if not changes:
            return []
        settings = ", ".join(f"{key} = {json.dumps(value)}" for key, value in changes.items())
        told.append(
            f'image set "{image_set.slug}" was made from this plan by an earlier version of its preset; '
            f"to continue that set, write {settings} under [recipe]"
        )
    return told


def _changes(image_set: ImageSet, plan: Plan) -> dict[str, Any]:
    """Return the settings of a set's recipes that are not those of the plan's cells of the same label."""
    wanted = {cell.label: cell.recipe.to_dict() for cell in plan.cells}
    defaults = Recipe().to_dict()
    return {
        key: made.get(key, defaults[key])
        for label, made in image_set.cells.order_by("index").values_list("label", "recipe")
        for key, value in wanted.get(label, {}).items()
        if key not in _NAMES and made.get(key, defaults[key]) != value
    }
