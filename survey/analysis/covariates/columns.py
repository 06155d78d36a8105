"""Which columns of a tidy table are covariates, and the images' values of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from survey.analysis.effects.reml import Floats, Ints
from survey.analysis.table import NOT_FACTORS, main_phase
from survey.analysis.terms import IMAGES, Terms

#: Numbers that say which image it is, not what it is like.
_NAMES: Final = frozenset({"seed", "version", "near_duplicate_of", "content", "style", "condition"})
FEWEST_VALUES: Final = 3


@dataclass(frozen=True)
class Panel:
    """One question's ratings, several of one image by one person as their mean, and the images' covariates.

    Attributes:
        rating, participant, item: one entry for each person and image, shape (rows,); codes from 0.
        items: names. people: how many.
        content: code of each item's content, shape (items,); None where they have none, or all the same.
        values: covariate -> each item's value, NaN where unknown, shape (items,).
        terms: what items and contents are called.
    """

    rating: Floats
    participant: Ints
    item: Ints
    items: list[str]
    people: int
    content: Ints | None
    values: dict[str, Floats]
    terms: Terms = IMAGES


def covariate_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of numbers that describe the images but have no levels.

    Each item has one value, and there are three values or more. A column with two images or more at most of its values
    has levels: it is a factor.
    """
    items = table.drop_duplicates("item")
    # The place of the first row of each row's item.
    code = pd.factorize(table["item"])[0]
    first = np.unique(code, return_index=True)[1][code]
    found = []
    for name in table.columns:
        if name in NOT_FACTORS or name in _NAMES:
            continue
        values = _numbers(items[name])
        counts = values.value_counts()
        if len(counts) < FEWEST_VALUES or int((counts == 1).sum()) * 2 < len(counts):
            continue
        column = _numbers(table[name]).to_numpy(np.float64)
        if np.array_equal(column, column[first], equal_nan=True):
            found.append(str(name))
    return found


def _numbers(column: pd.Series) -> pd.Series:
    """Return a column as finite numbers; all missing where it holds anything else."""
    if pd.api.types.is_bool_dtype(column):
        return pd.Series(np.nan, index=column.index)
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.astype("float64")
        return numbers.where(np.isfinite(numbers))
    numbers = pd.to_numeric(column.astype("object"), errors="coerce").astype("float64")
    if (numbers.isna() & column.notna() & (column.astype("str").str.strip() != "")).any():
        return pd.Series(np.nan, index=column.index)
    return numbers.where(np.isfinite(numbers))


def panel_of(table: pd.DataFrame, terms: Terms = IMAGES) -> Panel | None:
    """Return one question's ratings beside the covariates of the images; None where they have none."""
    main = main_phase(table)
    names = covariate_columns(main)
    if not names:
        return None
    columns = ["participant", "item", *(["content"] if "content" in main.columns else [])]
    rows = main[columns].astype("object").assign(rating=main["rating"].astype("float64"))
    items = main.drop_duplicates("item").assign(item=lambda t: t["item"].astype("str")).set_index("item")
    items = items.sort_index()
    means = (
        rows.assign(item=rows["item"].astype("str"), participant=rows["participant"].astype("str"))
        .groupby(["participant", "item"], sort=True)["rating"]
        .mean()
        .reset_index()
    )
    content = None
    if "content" in items.columns and items["content"].notna().all() and items["content"].nunique() > 1:
        content = pd.factorize(items["content"].astype("str"), sort=True)[0].astype(np.int64)
    people = pd.factorize(means["participant"], sort=True)
    return Panel(
        means["rating"].to_numpy(np.float64),
        people[0].astype(np.int64),
        items.index.get_indexer(pd.Index(means["item"])).astype(np.int64),
        list(items.index),
        len(people[1]),
        content,
        {name: _numbers(items[name]).to_numpy(np.float64) for name in names},
        terms,
    )
