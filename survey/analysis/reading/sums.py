"""Rows of means, totals and the like: left out with a note where they are no ratings."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.reading.layout import COLUMN
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import MAYBE_NAMES, STATISTIC_WORDS, is_summary, plain
from survey.analysis.reading.values import parse_numbers, parse_ratings

_ONE: Final = {"participant": "a participant", "item": "an item"}
_MANY: Final = 6
_ROUNDING: Final = 0.051
"""How far a printed mean may be from the mean: one decimal."""


def without_sums(table: pd.DataFrame, options: ReadOptions, notes: dict[str, str]) -> pd.DataFrame:
    """Return a long table without rows that are called Mean, Total ... and hold no ratings.

    A row of such a name, or of none, is left out where its other name is empty, where its values are not on the scale, or
    where they are those of its name for the other rows. A participant who is called Max and rates like anybody stays.
    """
    out = np.zeros(len(table), bool)
    for role, other in (("participant", "item"), ("item", "participant")):
        for name in table[role].unique():
            if str(name).strip() and not is_summary(str(name)):
                continue
            mine = (table[role] == name).to_numpy(bool)
            if mine.all() or not (mine & ~out).any():
                continue
            if not _is_sum(table, mine & ~out, str(name), other, options):
                if plain(str(name)) not in MAYBE_NAMES | {""}:
                    notes[f"kept_{role}"] = (
                        f"{str(name)!r} is kept as {_ONE[role]}: it does not sum up the others"
                    )
            else:
                out |= mine
                rows = table.index[mine].unique()
                where = f"row {rows[0]}" if len(rows) == 1 else f"{mine.sum()} values"
                column = f" (column {name!r})" if COLUMN in table.columns and len(rows) > 1 else ""
                called = repr(str(name)) if str(name).strip() else f"{_ONE[role]} without a name"
                notes[f"summary_{role}"] = (
                    f"{called} sums up the others and is no {role}: {where}{column} left out"
                )
    return table[~out] if out.any() else table


def _is_sum(
    table: pd.DataFrame, mine: NDArray[np.bool_], name: str, other: str, options: ReadOptions
) -> bool:
    rows, rest = table[mine], table[~mine]
    known = plain(name)
    doubtful = not known or known in MAYBE_NAMES
    if known and (rows[other].str.strip() == "").any():
        return True
    off_scale = bool(parse_ratings(rows["rating"], options).bad.any())
    if off_scale and not doubtful:
        return True
    values, bad = parse_numbers(rows["rating"], options)
    printed = pd.Series(values, index=rows[other].to_numpy(object)).dropna()
    if not doubtful and not len(printed):
        return True
    if bad.any() or len(printed) < 2:
        return False
    # Whole numbers that are few may be the ratings of somebody called Max.
    if doubtful and not off_scale and len(printed) < _MANY and (printed == printed.round()).all():
        return False
    groups = pd.Series(parse_numbers(rest["rating"], options)[0]).groupby(rest[other].to_numpy(object))
    statistic = next((key for key, words in STATISTIC_WORDS.items() if known in words), "mean")
    expected = groups.agg(statistic).reindex(printed.index)
    return bool((np.abs(expected - printed) <= _ROUNDING).all())
