"""Times of an answer in milliseconds: plain numbers, numbers with a unit, clock times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.reading.missing import MISSING
from survey.analysis.reading.roles import plain
from survey.analysis.reading.wording import clean

_UNITS: Final = {
    "ms": 1.0, "msec": 1.0, "msecs": 1.0, "millisecond": 1.0, "milliseconds": 1.0, "millis": 1.0,
    "s": 1e3, "sec": 1e3, "secs": 1e3, "second": 1e3, "seconds": 1e3, "sek": 1e3, "sekunden": 1e3,
    "m": 6e4, "min": 6e4, "mins": 6e4, "minute": 6e4, "minutes": 6e4,
    "us": 1e-3, "µs": 1e-3, "μs": 1e-3,
}  # fmt: skip
_NUMBER: Final = r"\d+(?:[.,]\d+)?"
_WITH_UNIT: Final = re.compile(rf"({_NUMBER})\s*([a-zµμ]+)\.?")
_CLOCK: Final = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")


_THOUSANDS: Final = re.compile(r"\d{1,2}[.,]\d{3}")
_FASTEST: Final = 100
"""Nobody answers in less milliseconds."""

_IN_MILLISECONDS: Final = (frozenset({"trial_type", "trial_index"}), frozenset({"zone_type"}))
"""Columns that tell the programs which write milliseconds without saying so: jsPsych, Gorilla."""


def milliseconds(
    column: pd.Series, name: str, others: Iterable[str] = ()
) -> tuple[NDArray[np.float64], dict[str, str]]:
    """Return a column's times in milliseconds, NaN for missing and unreadable ones, and notes.

    A plain number is in the unit that the column's name ends with (``rt_ms``, ``rt (s)``); without a unit anywhere it
    cannot be judged. ``others`` are the names of the other columns: jsPsych and Gorilla, which they tell, write
    milliseconds.
    """
    codes, texts = pd.factorize(column)
    cleaned = [clean(str(text)) for text in texts]
    unit = _unit_of(name)
    if unit is None and any(program <= {plain(other) for other in others} for program in _IN_MILLISECONDS):
        unit = 1.0
    thousands = unit == 1.0 and _has_thousands(cleaned)
    if thousands:
        cleaned = [re.sub(r"[.,]", "", text) if _THOUSANDS.fullmatch(text) else text for text in cleaned]
    values = np.array([_one(text, unit) for text in cleaned], np.float64)
    missing = np.array([text.casefold() in MISSING for text in cleaned], bool)
    notes = {}
    bad = np.isnan(values) & ~missing
    if bad.any():
        count = int(np.isin(codes, np.flatnonzero(bad)).sum())
        example = cleaned[int(np.flatnonzero(bad)[0])]
        notes["rt_ms"] = (
            f"{count} times of column {name!r} cannot be judged, such as {example!r}: write milliseconds, or a number with "
            "its unit"
        )
    elif any(
        not re.fullmatch(_NUMBER, text) for text, gone in zip(cleaned, missing, strict=True) if not gone
    ):
        example = next(
            t for t, v in zip(cleaned, values, strict=True) if not re.fullmatch(_NUMBER, t) and v == v
        )
        notes["rt_ms"] = (
            f"times with units in column {name!r} are read as milliseconds: {example!r} is {values[cleaned.index(example)]:g}"
        )
    elif thousands:
        notes["rt_ms"] = (
            f"times of column {name!r} are read with separators of thousands: {str(texts[0])!r} is {values[0]:g}"
        )
    elif unit not in (1.0, None):
        notes["rt_ms"] = f"times of column {name!r} are read as milliseconds"
    return np.r_[values, np.nan][codes], notes


def _has_thousands(texts: list[str]) -> bool:
    """Whether times such as ``1,234`` stand for 1234 ms: read with a decimal comma nobody could be so fast."""
    found = [text for text in texts if _THOUSANDS.fullmatch(text)]
    whole = all(re.fullmatch(r"\d*", text) or text in found or text.casefold() in MISSING for text in texts)
    return bool(found) and whole and max(map(_to_float, found)) < _FASTEST


def _unit_of(name: str) -> float | None:
    if name == "rt_ms":
        return 1.0
    words = plain(name).split("_")
    return next((_UNITS[word] for word in reversed(words) if word in _UNITS and word != "m"), None)


def _one(text: str, unit: float | None) -> float:
    low = text.casefold()
    if re.fullmatch(_NUMBER, low):
        return np.nan if unit is None else _to_float(low) * unit
    if found := _WITH_UNIT.fullmatch(low):
        return _to_float(found[1]) * _UNITS[found[2]] if found[2] in _UNITS else np.nan
    if found := _CLOCK.fullmatch(low):
        return (int(found[1] or 0) * 3600 + int(found[2]) * 60 + _to_float(found[3])) * 1e3
    if re.fullmatch(rf"{_NUMBER}e[+-]?\d+", low):
        return np.nan if unit is None else float(low.replace(",", ".")) * unit
    return np.nan


def _to_float(text: str) -> float:
    return float(text.replace(",", "."))
