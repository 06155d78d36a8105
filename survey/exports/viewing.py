"""How people saw the images, in sentences: for the methods paragraph and the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from survey.analysis.viewing import ARM_CM, Viewing
from survey.results.seen import viewing_of


def viewing_words(
    definition: Mapping[str, Any], participants: pd.DataFrame, ratings: pd.DataFrame | None = None
) -> str:
    """Say how large a window had to be and how people saw the images; empty where nothing was asked."""
    found = viewing_of(participants, ratings)
    seen = [] if found is None else [_method(participants), *_sizes(found)]
    return " ".join(part for part in (_door(definition), *seen) if part)


def viewing_sentences(found: Viewing) -> list[str]:
    """Return what is known of how people saw the images, and whether it goes with their ratings."""
    return [*_sizes(found), *_link(found)]


def _sizes(found: Viewing) -> list[str]:
    interval = f"95 % interval {found.interval[0]:.3g} to {found.interval[1]:.3g}, " if found.interval else ""
    low, high = found.quartiles
    said = [
        f"Of {found.known} of {found.asked} people it is known how large they saw the images: the median is {found.median:.3g} CSS pixels "
        f"per degree of visual angle ({interval}half of them between {low:.3g} and {high:.3g})."
    ]
    if found.degrees is not None:
        said.append(f"The median image was {found.degrees:.3g}° wide.")
    return said


def _link(found: Viewing) -> list[str]:
    if found.rho is None or found.rho_interval is None:
        return []
    low, high = found.rho_interval
    way = "higher" if low > 0 else "lower" if high < 0 else ""
    link = (
        f"People who saw the images smaller rated them {way}"
        if way
        else "Whether people saw the images larger or smaller says nothing clear about how high they rated"
    )
    return [f"{link} (Spearman’s ρ = {_signed(found.rho)}, 95 % interval {_signed(low)} to {_signed(high)})."]


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _method(participants: pd.DataFrame) -> str:
    arms = int((participants["distance_by"] == "arm").sum())
    arm = f"; an arm’s length, said by {arms}, was taken as {ARM_CM:g} cm" if arms else ""
    return (
        "Participants matched an outline with a bank card (ISO/IEC 7810 ID-1) and said how far their eyes were from the screen"
        f"{arm}."
    )


def _door(definition: Mapping[str, Any]) -> str:
    viewing = definition.get("viewing") or {}
    sides = [
        f"{viewing[key]} CSS pixels {word}"
        for key, word in (("min_width", "wide"), ("min_height", "high"))
        if viewing.get(key)
    ]
    if not sides:
        return ""
    return f"Only windows at least {' and '.join(sides)} could take part; images were covered while a window was smaller."
