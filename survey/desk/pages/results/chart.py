"""The column of the scores table that draws each image's mean, interval and votes, as numbers for an SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import pandas as pd

from survey.analysis.items.mos import count_columns
from survey.analysis.scale import Scale, number_text

WIDTH: Final = 320
_MARGIN: Final = 26
_MAX_RADIUS: Final = 13
# More ticks than these do not fit.
_MAX_TICKS: Final = 11


@dataclass(frozen=True)
class Tick:
    """A tick of the axis: where it is, its value, and its label where the scale has one."""

    x: float
    value: str
    label: str


@dataclass(frozen=True)
class Bar:
    """One row's drawing. disks: (x, radius) of each category that was chosen; low and high are None without interval."""

    mean: float
    low: float | None
    high: float | None
    disks: list[tuple[float, float]]
    words: str


def axis(scale: Scale, labels: Sequence[str]) -> list[Tick]:
    """Return the ticks of a scale; `labels` are those of its categories, of its two ends, or none."""
    values = list(scale.categories or ()) or [scale.low, (scale.low + scale.high) / 2, scale.high]
    named = [*labels] if len(labels) == len(values) else [""] * len(values)
    if len(labels) == 2:
        # A label that says no more than the value does not stand twice.
        low, high = (
            "" if label == number_text(end) else label
            for label, end in zip(labels, (scale.low, scale.high), strict=True)
        )
        named = [low, *[""] * (len(values) - 2), high]
    # Long labels would run into each other: only the ends keep theirs.
    if any(len(label) > _longest(len(values)) for label in named):
        named = [named[0], *[""] * (len(named) - 2), named[-1]]
    ticks = [Tick(_x(value, scale), f"{value:g}", name) for value, name in zip(values, named, strict=True)]
    return ticks if len(ticks) <= _MAX_TICKS else [ticks[0], ticks[len(ticks) // 2], ticks[-1]]


def bar(row: Mapping[Any, Any], scale: Scale) -> Bar | None:
    """Return the drawing of a row of the MOS table; None without a rating."""
    if not row["n"]:
        return None
    counted = zip(scale.categories or (), count_columns(scale), strict=False)
    disks = [
        (_x(value, scale), round(_MAX_RADIUS * sqrt(row[name] / row["n"]), 2))
        for value, name in counted
        if row[name]
    ]
    has_interval = not pd.isna(row["ci_low"])
    low, high = (
        (_x(max(row["ci_low"], scale.low), scale), _x(min(row["ci_high"], scale.high), scale))
        if has_interval
        else (None, None)
    )
    votes = ", ".join(
        f"{row[name]} rated {value:g}"
        for value, name in zip(scale.categories or (), count_columns(scale), strict=False)
    )
    words = f"mean {row['mos']:.2f}"
    if has_interval:
        words += f", 95 % interval {row['ci_low']:.2f} to {row['ci_high']:.2f}"
    return Bar(_x(row["mos"], scale), low, high, disks, f"{words}; {votes}" if votes else words)


def _x(value: float, scale: Scale) -> float:
    return round(_MARGIN + (value - scale.low) / (scale.high - scale.low) * (WIDTH - 2 * _MARGIN), 1)


def _longest(ticks: int) -> int:
    return 2 * (WIDTH // ticks) // 13
