"""Rows of means, totals and the like: left out with a note where they are no ratings."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.reading.layout import COLUMN
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import is_summary, plain
from survey.analysis.reading.values import parse_numbers, parse_ratings

_STATISTICS: Final = {
    "median": {"median"},
    "min": {"min", "minimum"},
    "max": {"max", "maximum"},
    "sum": {"sum", "total", "totals", "summe", "gesamt", "somme", "suma", "grand_total", "total_general"},
    "count": {"n", "count", "anzahl"},
    "std": {"sd", "std", "stdev", "stddev", "std_dev", "standard_deviation", "standardabweichung"},
}
_MANY: Final = 6
_ROUNDING: Final = 0.051
"""How far a printed mean may be from the mean: one decimal."""


def without_sums(table: pd.DataFrame, options: ReadOptions, notes: dict[str, str]) -> pd.DataFrame:
    """Return a long table without rows that are called Mean, Total ... and hold no ratings.

    A row of such a name is left out where its other name is empty, where its value is not on the scale, or where the
    values are those of its name for the other rows; a participant who is called Mean and rates like anybody stays.
    """
    out = np.zeros(len(table), bool)
    for role, other in (("participant", "item"), ("item", "participant")):
        names = pd.Series(table[role].unique())
        for name in names[[is_summary(str(name)) for name in names]]:
            mine = (table[role] == name).to_numpy(bool)
            if mine.all():
                continue
            if _is_sum(table, mine & ~out, other, options):
                out |= mine
                rows = table.index[mine].unique()
                where = f"row {rows[0]}" if len(rows) == 1 else f"{mine.sum()} values"
                column = f" (column {name!r})" if COLUMN in table.columns and len(rows) > 1 else ""
                notes[f"summary_{role}"] = (
                    f"{name!r} sums up the others and is no {role}: {where}{column} left out"
                )
    return table[~out] if out.any() else table


def _is_sum(table: pd.DataFrame, mine: NDArray[np.bool_], other: str, options: ReadOptions) -> bool:
    rows = table[mine]
    if not len(rows):
        return False
    if (rows[other].str.strip() == "").any():
        return True
    parsed = parse_ratings(rows["rating"], options)
    if parsed.bad.any():
        return True
    name = plain(str(rows["item" if other == "participant" else "participant"].iloc[0]))
    statistic = next((key for key, words in _STATISTICS.items() if name in words), "mean")
    rest = table[~mine]
    values, _ = parse_numbers(rest["rating"], options)
    groups = pd.Series(values).groupby(rest[other].to_numpy(object))
    printed = pd.Series(parsed.number, index=rows[other].to_numpy(object)).dropna()
    # Whole numbers that are few may be anybody's ratings.
    if len(printed) < 2 or (len(printed) < _MANY and (printed == printed.round()).all()):
        return False
    expected = groups.agg(statistic).reindex(printed.index)
    return bool((np.abs(expected - printed) <= _ROUNDING).all())
