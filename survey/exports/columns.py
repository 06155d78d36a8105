"""A table's columns as lists of text, for the formats that are written line by line.

Writing a cell costs more than anything else in a long table, so a value that repeats is written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def written(column: pd.Series[Any], write: Callable[[Any], str]) -> list[str]:
    """Return `write(value)` of each value of a column, with None for what is missing.

    Times are written as ISO 8601 UTC. A value of another type than its equals (1, 1.0 and True) keeps its type.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = times_as_text(column)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _spread(column.cat.codes.to_numpy(), column.cat.categories.tolist(), write)
    if column.dtype == np.float64:
        # By their bits: 0.0 and -0.0 are equal, but not written alike.
        codes, bits = pd.factorize(column.to_numpy().view(np.int64))
        return _spread(codes, bits.view(np.float64).tolist(), write)
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) != "string":
        return [write(value) for value in column.where(column.notna(), None)]
    codes, distinct = pd.factorize(column)
    return _spread(codes, distinct.tolist(), write)


def _spread(codes: np.ndarray, distinct: list[Any], write: Callable[[Any], str]) -> list[str]:
    # The code of what is missing is -1: the last one.
    # Only NaN is unlike itself.
    texts = [*(write(None if value != value else value) for value in distinct), write(None)]
    spread: list[str] = np.array(texts, dtype=object)[codes].tolist()
    return spread


def times_as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return times in ISO 8601 UTC with six decimals, None where one is missing."""
    times = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    texts = np.char.add(np.datetime_as_string(times, unit="us"), "Z").astype(object)
    texts[np.isnat(times)] = None
    return pd.Series(texts, index=column.index, name=column.name, dtype=object)
