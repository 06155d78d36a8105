"""Tables that hold no single rating: what is common to means of items and to counts of categories."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.reading.columns import Columns
from survey.analysis.reading.header import Named
from survey.analysis.reading.names import tidy_names
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import MAYBE_NAMES, STATISTIC_WORDS, is_summary, plain
from survey.analysis.reading.sums import PRINTED
from survey.analysis.reading.values import parse_numbers
from survey.analysis.reading.wording import clean
from survey.analysis.scale import Scale
from survey.analysis.table import TableError

_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}(?:[,. '\u2019]\d{3})+")


@dataclass(frozen=True)
class MeansTable:
    """Means of items as they were printed.

    Attributes:
        table: ``item``, ``mean`` (text, as printed), ``value`` (the mean as a number), ``sd`` and ``n`` (NaN where the
            file does not say), one row an item.
        scale: the scale of the ratings.
        notes: what was read in another way than literally.
    """

    table: pd.DataFrame
    scale: Scale
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CountsTable:
    """How often each item got each category.

    Attributes:
        items: names, shape (items,). counts: shape (items, categories).
        scale: the scale of the ratings.
        notes: what was read in another way than literally.
    """

    items: NDArray[np.object_]
    counts: NDArray[np.int64]
    scale: Scale
    notes: dict[str, str] = field(default_factory=dict)


class StatisticsOnly(TableError):
    """A file of statistics, not of ratings; ``found`` is what it holds."""

    def __init__(self, message: str, found: MeansTable | CountsTable) -> None:
        super().__init__(message)
        self.found = found


def joined(column: pd.Series) -> pd.Series:
    """Return a column of whole numbers without the separators of thousands."""
    texts = column.map(clean)
    if not texts.str.fullmatch(rf"\d*|{_THOUSANDS.pattern}").all():
        return column
    return texts.str.replace(r"\D", "", regex=True)


def without_summaries(named: Named, columns: Columns, used: list[str], notes: dict[str, str]) -> Named:
    """Leave out rows that are called Total, Average ... instead of an item, and rows without a name.

    Names that an item may have, too, such as Max, are left out where their numbers are those of the others.
    """
    frame = named.frame
    name = columns.one("item") or next(
        (text for text in frame.columns if text not in used and not frame[text].map(is_number).all()), None
    )
    if name is None:
        return named
    called = frame[name].map(lambda text: plain(text) if is_summary(text) else None if text.strip() else "")
    numbers = frame[used].apply(lambda column: parse_numbers(joined(column), ReadOptions())[0])
    rest = numbers[called.isna()]
    out = np.zeros(len(frame), bool)
    for place, word in enumerate(called):
        if word is None or word != word:
            continue
        statistic = next((key for key, words in STATISTIC_WORDS.items() if word in words), "mean")
        same = np.abs(rest.agg(statistic) - numbers.iloc[place]) <= PRINTED
        out[place] = word not in MAYBE_NAMES or bool(len(rest) and same.all())
    if not out.any() or out.all():
        return named
    shown = ", ".join(
        repr(text) if text.strip() else "a row without a name" for text in frame[name][out].unique()[:4]
    )
    rows = ", ".join(str(row) for row in frame.index[out][:4])
    notes["summary_item"] = f"{shown} sums up the others and is no item: row {rows} left out"
    return replace(named, frame=frame[~out])


def items_of(named: Named, columns: Columns, used: set[str], notes: dict[str, str]) -> pd.Series:
    """Return the names of the rows: the item's column, or all columns of text together where that is not unique."""
    frame = named.frame
    texts = [
        name
        for name in frame.columns
        if name not in used and not is_summary(str(name)) and not frame[name].map(is_number).all()
    ]
    chosen = columns.one("item")
    names = [chosen] if chosen is not None else texts[:1]
    if not names or (not frame[names[0]].is_unique and len(texts) > 1):
        names = list(dict.fromkeys([*names, *texts]))
    if not names:
        notes["row_names"] = "no column names the items: each row is one, named by its number"
        return pd.Series([f"row {label}" for label in frame.index], index=frame.index, dtype="str")
    joined = frame[names[0]]
    for name in names[1:]:
        joined = joined + ", " + frame[name]
    return tidy_names(joined.rename("item"), "item", notes)


def is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?|", clean(text)))
