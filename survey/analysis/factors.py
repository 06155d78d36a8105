"""The factors of the items among the columns of a tidy table, and the two for a plot of two factors."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from survey.analysis.table import NOT_FACTORS

MAX_LEVELS = 20


def factor_columns(table: pd.DataFrame) -> list[str]:
    """Return columns with one value for each item and 2 to 20 values in all, fewer than there are items."""
    _, first, item = np.unique(pd.factorize(table["item"])[0], return_index=True, return_inverse=True)
    found = []
    for name in table.columns:
        if name in NOT_FACTORS or (name == "group" and splits_people(table)):
            continue
        # -1 where there is no value.
        level = pd.factorize(table[name])[0]
        of_item = level[first]
        levels = np.unique(of_item[of_item >= 0]).size
        if 2 <= levels <= MAX_LEVELS and levels < first.size and (of_item[item] == level).all():
            found.append(str(name))
    return found


def splits_people(table: pd.DataFrame) -> bool:
    """Return whether the column ``group`` parts the participants: each is in one of two groups or more.

    Otherwise it tells items apart, as any other column may. So it does in a table of items.
    """
    if not {"group", "participant"} <= {*table.columns}:
        return False
    pairs = table[["participant", "group"]].dropna().drop_duplicates()
    pairs = pairs[pairs["group"] != ""]
    return pairs["group"].nunique() > 1 and not pairs["participant"].duplicated().any()


def factor_plane(table: pd.DataFrame) -> tuple[str, str] | None:
    """Return the two factors whose crossing is the fullest, then the largest; None where no two cross.

    Two factors cross when neither determines the other.
    """
    items = table.drop_duplicates("item")
    best: tuple[float, int, tuple[str, str]] | None = None
    for down, across in combinations(factor_columns(table), 2):
        cells = len(items[[down, across]].drop_duplicates())
        rows, columns = items[down].nunique(), items[across].nunique()
        if cells <= max(rows, columns):
            continue
        candidate = (cells / (rows * columns), cells)
        if best is None or candidate > best[:2]:
            best = (*candidate, (down, across))
    return best[2] if best else None
