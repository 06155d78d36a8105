"""Tables of counts: how often each category was chosen."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.labels import ACR, DCR
from survey.analysis.reading.columns import Columns, listed
from survey.analysis.reading.header import Named
from survey.analysis.reading.names import tidy_names
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import plain
from survey.analysis.reading.statistics import (
    CountsTable,
    StatisticsOnly,
    items_of,
    joined,
    without_summaries,
)
from survey.analysis.reading.values import parse_numbers, parse_ratings
from survey.analysis.reading.wording import clean
from survey.analysis.scale import Scale
from survey.analysis.table import TableError

_CATEGORY: Final = re.compile(
    r"^(.*?)[\s_.\-(\[]*(-?\d+(?:\.\d+)?)[)\]]?(?:[\s_\-]*(?:stars?|points?|votes?))?$"
)

_PERCENTAGE: Final = re.compile(r"\d+(?:[.,]\d+)?\s*%")

_PERCENT: Final = 100

_FEWEST: Final = 3
"""So many columns of counts are a scale's categories."""

_ROUNDING: Final = 0.02
"""How far shares of a row may miss 1 in sum."""

_COUNTED: Final = frozenset(
    {
        "n",
        "count",
        "counts",
        "freq",
        "frequency",
        "num",
        "nb",
        "number",
        "anzahl",
        "effectif",
        "frecuencia",
        "haufigkeit",
    }
)

_MAYBE_COUNTED: Final = frozenset(
    {
        "",
        "c",
        "cat",
        "category",
        "rating",
        "ratings",
        "score",
        "scores",
        "star",
        "stars",
        "mos",
        "vote",
        "votes",
    }
)


def refuse_counts(
    named: Named, columns: Columns, source: str, options: ReadOptions, notes: dict[str, str]
) -> None:
    """Raise StatisticsOnly for a table of counts; return for any other.

    Raises:
        TableError: columns 1 to 5 may be counts as well as five participants.
    """
    if "participant" in columns.of or options.wide in ("items", "participants") or named.matrix:
        return
    if counts := _counts(named, columns, source, options, notes):
        raise StatisticsOnly(f"{source}: a table of counts for each category; raw ratings are needed", counts)


def long_counts(
    named: Named, columns: Columns, options: ReadOptions, notes: dict[str, str]
) -> CountsTable | None:
    """Return the counts of a table with a row for each item and category: ``item``, ``rating``, ``count``."""
    frame, values = named.frame, options.used_scale.categories
    item, rating, count = (columns.one(role) for role in ("item", "rating", "n"))
    count = count or next((name for name in map(str, frame.columns) if plain(name) in _COUNTED), None)
    if item is None or rating is None or count is None or values is None or "participant" in columns.of:
        return None
    number, bad = parse_numbers(joined(frame[count]), options)
    number = np.nan_to_num(number)
    parsed = parse_ratings(frame[rating], options)
    if bad.any() or (number != np.rint(number)).any() or (number < 0).any() or np.isnan(parsed.number).any():
        return None
    if frame.duplicated([item, rating]).any() or not frame[item].duplicated().any():
        return None
    cells = pd.DataFrame(
        {
            "item": tidy_names(frame[item].rename("item"), "item", notes),
            "value": parsed.number,
            "count": number,
        }
    )
    table = cells.pivot_table("count", "item", "value", aggfunc="sum", fill_value=0, sort=False)
    counts = table.reindex(columns=list(map(float, values)), fill_value=0).to_numpy(np.int64)
    return CountsTable(table.index.to_numpy(object), counts, options.used_scale, notes | parsed.notes)


def _counts(
    named: Named, columns: Columns, source: str, options: ReadOptions, notes: dict[str, str]
) -> CountsTable | None:
    scale = options.used_scale
    heads = [str(name) for name in named.frame.columns]
    found = _category_columns(heads, scale)
    if found is None:
        _refuse_other_categories(heads, scale, source)
        return None
    names, certain = found
    named = without_summaries(named, columns, names, notes)
    parsed = [parse_numbers(joined(named.frame[name]), options) for name in names]
    numbers = np.nan_to_num(np.column_stack([number for number, _ in parsed]))
    bad = np.column_stack([cells for _, cells in parsed])
    if _are_shares(named.frame[names], numbers, bad) or (certain and (numbers != np.rint(numbers)).any()):
        raise TableError(
            f"{source}: columns {listed(names)} are shares, not counts: counts for each category are needed"
        )
    if bad.any() or (numbers < 0).any() or (numbers != np.rint(numbers)).any():
        if certain:
            raise TableError(
                f"{source}: columns {listed(names)}: {_first_bad(named, names, bad, numbers)} is no count"
            )
        return None
    total = parse_numbers(joined(named.frame[columns.of["n"][0]]), options)[0] if "n" in columns.of else None
    adds_up = total is not None and bool((numbers.sum(axis=1) == total).all())
    beyond = bool(((numbers < scale.low) | (numbers > scale.high)).any())
    if not (certain or adds_up or beyond or options.wide == "no"):
        raise TableError(
            f"{source}: columns {listed(names)} may be counts of each category or {len(names)} participants: add --wide no for "
            "counts, --wide items for participants"
        )
    if total is None and len(numbers) > 1 and (numbers.sum(axis=1) == _PERCENT).all():
        notes["percent"] = (
            "the counts of every row add up to 100: if they are percentages, the intervals are wrong; counts are needed"
        )
    item = items_of(named, columns, set(names), notes)
    return CountsTable(item.to_numpy(object), numbers.astype(np.int64), scale, notes)


def _category_columns(names: list[str], scale: Scale) -> tuple[list[str], bool] | None:
    """Return the columns of the categories from low to high, and whether their names say that they are counts."""
    values = scale.categories
    if values is None:
        return None
    groups: dict[str, dict[float, str]] = {}
    for name in names:
        if match := _CATEGORY.match(name.strip()):
            groups.setdefault(plain(match[1]), {})[float(match[2])] = name
    whole = [prefix for prefix, found in groups.items() if set(found) == set(map(float, values))]
    for prefix, found in groups.items():
        # A1 to A5, B1 to B5 ... are questions of a questionnaire.
        if whole == [prefix] and prefix in _COUNTED | _MAYBE_COUNTED:
            return [found[float(value)] for value in values], prefix in _COUNTED
    for labels in (*ACR.values(), *DCR.values()):
        by_label = {plain(name): name for name in names}
        if len(values) == len(labels) and all(plain(label) in by_label for label in labels):
            return [by_label[plain(label)] for label in labels], True
    return None


def _refuse_other_categories(names: list[str], scale: Scale, source: str) -> None:
    """Raise TableError for ``n1`` to ``n7`` where the scale has not seven categories."""
    found = [
        match for name in names if (match := _CATEGORY.match(name.strip())) and plain(match[1]) in _COUNTED
    ]
    values = sorted({float(match[2]) for match in found})
    if (
        len(found) != len(values)
        or len(values) < _FEWEST
        or values != list(np.arange(len(values)) + values[0])
    ):
        return
    ends = f"{values[0]:g}:{values[-1]:g}"
    raise TableError(
        f"{source}: columns {listed([match[0] for match in found])} may be counts of {len(values)} categories, and ratings are "
        f"{scale.describe()}: add --scale {ends}; if they are participants, add --wide items"
    )


def _are_shares(cells: pd.DataFrame, numbers: NDArray[np.float64], bad: NDArray[np.bool_]) -> bool:
    """Whether the columns of all categories hold percentages, or fractions that add up to 1 or 100 in each row."""
    texts = cells.to_numpy(object)[bad]
    if len(texts) and all(_PERCENTAGE.fullmatch(clean(str(text))) for text in texts):
        return True
    sums = numbers.sum(axis=1)
    whole = bool((numbers == np.rint(numbers)).all())
    near = [bool((np.abs(sums - one) <= _ROUNDING * one).all()) for one in (1, _PERCENT)]
    return not bad.any() and not whole and any(near)


def _first_bad(named: Named, names: list[str], bad: NDArray[np.bool_], numbers: NDArray[np.float64]) -> str:
    row, column = np.argwhere(bad | (numbers < 0) | (numbers != np.rint(numbers)))[0]
    return f"row {named.frame.index[row]}: {named.frame[names[column]].iloc[row]!r}"
