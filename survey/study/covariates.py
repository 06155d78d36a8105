"""Covariates of a study's images. A study may be published before its images are measured; they follow then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from generator.models import ImageSet
from generator.sets.folder import PREFIX
from survey.models import Stimulus


def covariates_of(measured: Mapping[str, Any]) -> dict[str, float]:
    """Return what a study takes of a cell's covariates: the numbers."""
    return {key: value for key, value in measured.items() if isinstance(value, int | float)}


def measured_in(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the covariates in a row of items.csv, by column, as `generator.sets.folder` writes them."""
    return {
        column: value
        for column, value in row.items()
        if column.startswith(PREFIX) and isinstance(value, int | float)
    }


def fill_in(stimuli: QuerySet[Stimulus]) -> int:
    """Give stimuli without covariates those that their cells have by now; return how many got some."""
    lacking = (
        stimuli.filter(covariates={}, cell__isnull=False)
        .select_related("cell")
        .only("pk", "cell__covariates")
    )
    filled = []
    for stimulus in lacking:
        assert stimulus.cell is not None  # noqa: S101 - filtered
        stimulus.covariates = covariates_of(stimulus.cell.covariates)
        if stimulus.covariates:
            filled.append(stimulus)
    return Stimulus.objects.bulk_update(filled, ["covariates"], batch_size=200) if filled else 0


def on_described(sender: object, image_set: ImageSet, **_: Any) -> None:
    """Fill in the covariates of every study of a set whose images were measured."""
    fill_in(Stimulus.objects.filter(cell__image_set=image_set))
