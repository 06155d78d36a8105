"""Rows of means, totals and the like: left out with a note where they are no ratings."""

from __future__ import annotations

from collections.abc import Mapping
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
PRINTED: Final = 0.051
"""How far a printed mean may be from the mean: one decimal."""


def without_sums(table: pd.DataFrame, options: ReadOptions, notes: dict[str, str]) -> pd.DataFrame:
    """Return a long table without rows that are called Mean, Total ... and hold no ratings.

    A row of such a name, or of none, is left out where its other name is empty, where its values are not on the scale, or
    where they are those of its name for the other rows. Where one is left out, so are the others whose names nobody has,
    such as ``SD``. A participant who is called Max and rates like anybody stays.
    """
    out = np.zeros(len(table), bool)
    for role, other in (("participant", "item"), ("item", "participant")):
        named = {str(name): plain(str(name)) for name in table[role].unique()}
        doubtful = {name for name, word in named.items() if not name.strip() or word in MAYBE_NAMES}
        called = [name for name in named if not name.strip() or is_summary(name)]
        of = {name: (table[role] == name).to_numpy(bool) & ~out for name in called}
        of = {name: mine for name, mine in of.items() if mine.any() and not mine.all()}
        if not of:
            continue
        sums = [name for name in of if _is_sum(table, of, name, name in doubtful, other, options)]
        if set(sums) - doubtful:
            sums = [name for name in of if name in sums or name not in doubtful]
        for name in of:
            if name in sums:
                out |= of[name]
            elif name not in doubtful:
                notes[f"kept_{role}"] = f"{name!r} is kept as {_ONE[role]}: it does not sum up the others"
        if sums:
            notes[f"summary_{role}"] = "; ".join(_left_out(table, of[name], name, role) for name in sums)
    return table[~out] if out.any() else table


def _left_out(table: pd.DataFrame, mine: NDArray[np.bool_], name: str, role: str) -> str:
    rows = table.index[mine].unique()
    where = f"row {rows[0]}" if len(rows) == 1 else f"{mine.sum()} values"
    column = f" (column {name!r})" if COLUMN in table.columns and len(rows) > 1 else ""
    called = repr(name) if name.strip() else f"{_ONE[role]} without a name"
    return f"{called} sums up the others and is no {role}: {where}{column} left out"


def _is_sum(
    table: pd.DataFrame,
    of: Mapping[str, NDArray[np.bool_]],
    name: str,
    doubtful: bool,
    other: str,
    options: ReadOptions,
) -> bool:
    """Whether the rows of a name sum up the others. of: the rows of each name that may be a statistic's."""
    rows, known = table[of[name]], plain(name)
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
    certain = [mine for one, mine in of.items() if plain(one) not in MAYBE_NAMES and one.strip()]
    # The others are those without any statistic; but Max may be one of them.
    return any(
        _sums_up(table[~np.any([of[name], *left], axis=0)], printed, known, other, options)
        for left in (certain, list(of.values()))
    )


def _sums_up(rest: pd.DataFrame, printed: pd.Series, word: str, other: str, options: ReadOptions) -> bool:
    groups = pd.Series(parse_numbers(rest["rating"], options)[0]).groupby(rest[other].to_numpy(object))
    statistic = next((key for key, words in STATISTIC_WORDS.items() if word in words), "mean")
    expected = [groups.std(ddof=ddof) for ddof in (0, 1)] if statistic == "std" else [groups.agg(statistic)]
    return any(bool((np.abs(found.reindex(printed.index) - printed) <= PRINTED).all()) for found in expected)
