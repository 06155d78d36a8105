"""How people saw the images, from what they told of their screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from survey.analysis.table import main_phase
from survey.analysis.viewing import Viewing, pixels_per_degree, viewing

_NUMBERS: Final = ("pixels_per_mm", "calibrated_dpr", "distance_cm", "pixels_per_degree")
COLUMNS: Final = (*_NUMBERS[:3], "distance_by", _NUMBERS[3])


def viewing_columns(said: Sequence[Mapping[str, Any] | None]) -> dict[str, pd.Series[Any]]:
    """Return the columns of the participants' table about their screens; none where nobody was asked."""
    if not any(said):
        return {}
    rows = [_row(each or {}) for each in said]
    return {
        name: pd.Series([row[name] for row in rows], dtype="float64" if name in _NUMBERS else "object")
        for name in COLUMNS
    }


def _row(said: Mapping[str, Any]) -> dict[str, Any]:
    pixels, distance = said.get("pixels_per_mm"), said.get("distance_cm")
    return {
        "pixels_per_mm": pixels,
        "calibrated_dpr": said.get("dpr"),
        "distance_cm": distance,
        "distance_by": said.get("distance_by"),
        "pixels_per_degree": None
        if pixels is None or distance is None
        else round(pixels_per_degree(distance, pixels), 3),
    }


def viewing_of(participants: pd.DataFrame, ratings: pd.DataFrame | None = None) -> Viewing | None:
    """Return how people saw the images of a study, those left out apart; None where it is not known of anybody."""
    if "pixels_per_degree" not in participants:
        return None
    people = participants[participants["excluded"].isna()]
    return viewing(people, None if ratings is None else main_phase(ratings))
