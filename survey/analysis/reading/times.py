"""Times of an answer in milliseconds: plain numbers, numbers with a unit, clock times."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.reading.roles import plain
from survey.analysis.reading.values import MISSING, clean

_UNITS: Final = {
    "ms": 1.0, "msec": 1.0, "msecs": 1.0, "millisecond": 1.0, "milliseconds": 1.0, "millis": 1.0,
    "s": 1e3, "sec": 1e3, "secs": 1e3, "second": 1e3, "seconds": 1e3, "sek": 1e3, "sekunden": 1e3,
    "m": 6e4, "min": 6e4, "mins": 6e4, "minute": 6e4, "minutes": 6e4,
    "us": 1e-3, "µs": 1e-3, "μs": 1e-3,
}  # fmt: skip
_NUMBER: Final = r"\d+(?:[.,]\d+)?"
_WITH_UNIT: Final = re.compile(rf"({_NUMBER})\s*([a-zµμ]+)\.?")
_CLOCK: Final = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")


def milliseconds(column: pd.Series, name: str) -> tuple[NDArray[np.float64], dict[str, str]]:
    """Return a column's times in milliseconds, NaN for missing and unreadable ones, and notes.

    A plain number is in the unit that the column's name ends with (``rt_ms``, ``rt (s)``); without a unit anywhere it
    cannot be judged.
    """
    codes, texts = pd.factorize(column)
    cleaned = [clean(str(text)) for text in texts]
    unit = _unit_of(name)
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
    elif unit not in (1.0, None):
        notes["rt_ms"] = f"times of column {name!r} are read as milliseconds"
    return np.r_[values, np.nan][codes], notes


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
