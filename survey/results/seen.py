"""How people saw the images, from what they told of their screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from survey.analysis.table import main_phase
from survey.analysis.viewing import Viewing, pixels_per_degree, viewing
from survey.models import Exclusion, Study

_NUMBERS: Final = ("pixels_per_mm", "calibrated_dpr", "distance_cm", "pixels_per_degree")
#: More people are drawn as their quantiles.
MOST_POINTS: Final = 500
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


@dataclass(frozen=True)
class Seen:
    """How people saw the images: what is known of all, and each person's CSS pixels per degree, or as many quantiles of them."""

    viewing: Viewing
    pixels: list[float]


def seen_of(participants: pd.DataFrame, ratings: pd.DataFrame | None = None) -> Seen | None:
    """Return how people saw the images, and what a drawing of it needs; None where it is not known of anybody."""
    found = viewing_of(participants, ratings)
    if found is None:
        return None
    people = participants[participants["excluded"].isna()]["pixels_per_degree"].dropna().astype(float)
    values = np.sort(people.to_numpy())
    if len(values) > MOST_POINTS:
        values = np.quantile(values, np.linspace(0, 1, MOST_POINTS))
    return Seen(found, [float(value) for value in values])


def screens_of(study: Study) -> pd.DataFrame:
    """Return of a study's participants what `seen_of` needs, without counting their ratings."""
    out = set(Exclusion.in_force(study).values_list("participant__code", flat=True))
    people = list(study.participants.filter(is_preview=False).order_by("pk").values_list("code", "viewing"))
    table = pd.DataFrame({"participant": [code for code, _ in people]}, dtype="object")
    excluded = pd.Series(["yes" if code in out else None for code, _ in people], dtype="object")
    return table.assign(excluded=excluded, **viewing_columns([said for _, said in people]))


def viewing_of(participants: pd.DataFrame, ratings: pd.DataFrame | None = None) -> Viewing | None:
    """Return how people saw the images of a study, those left out apart; None where it is not known of anybody."""
    if "pixels_per_degree" not in participants:
        return None
    people = participants[participants["excluded"].isna()]
    return viewing(people, None if ratings is None else main_phase(ratings))
