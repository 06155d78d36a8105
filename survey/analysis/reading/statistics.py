"""Tables that hold no single rating: means of items, or how often each category was chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.labels import ACR, DCR
from survey.analysis.reading.columns import Columns, listed
from survey.analysis.reading.header import Named
from survey.analysis.reading.names import tidy_names
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import is_summary, plain, role_of
from survey.analysis.reading.values import clean, parse_numbers
from survey.analysis.scale import Scale
from survey.analysis.table import TableError

_CATEGORY: Final = re.compile(
    r"^(.*?)[\s_.\-(\[]*(-?\d+(?:\.\d+)?)[)\]]?(?:[\s_\-]*(?:stars?|points?|votes?))?$"
)
_COUNTED: Final = frozenset({"n", "count", "counts", "freq", "frequency", "num", "nb", "number", "anzahl"})
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


def refuse_means(
    named: Named, columns: Columns, source: str, options: ReadOptions, notes: dict[str, str]
) -> None:
    """Raise StatisticsOnly for a table of means; return for any other.

    Raises:
        TableError: the means are those of participants.
    """
    if "mean" not in columns.of and "rating" in columns.of and {"sd", "n"} & set(columns.of):
        columns.of["mean"] = columns.of["rating"]
    if "mean" not in columns.of and "participant" not in columns.of and "mean" not in options.columns:
        named = _turned(named, columns)
        _several_means(named, columns, source, options, notes)
    if "mean" not in columns.of:
        return
    if "participant" not in columns.of:
        means = _means(named, columns, options, notes)
        raise StatisticsOnly(f"{source}: a table of means; raw ratings are needed", means)
    if "item" not in columns.of:
        raise TableError(
            f"{source}: a table of participants' statistics; raw ratings are needed; found: "
            f"{listed([str(name) for name in named.frame.columns])}"
        )


def _turned(named: Named, columns: Columns) -> Named:
    """Return a table whose rows are MOS, SD ... with a row for each item instead; any other as it is."""
    frame = named.frame
    first = frame.columns[0]
    if not 1 <= len(frame) <= 6 or frame.shape[1] <= 3 or not frame[first].map(is_summary).all():
        return named
    turned = frame.set_index(first).T.rename_axis("item").reset_index()
    columns.of.clear()
    columns.of["item"] = ["item"]
    for name in turned.columns[1:]:
        if (role := role_of(str(name))) in ("mean", "sd", "n"):
            columns.of.setdefault(role, [name])
    return Named(turned.set_axis(range(1, len(turned) + 1)))


def _several_means(
    named: Named, columns: Columns, source: str, options: ReadOptions, notes: dict[str, str]
) -> None:
    """Raise StatisticsOnly where several columns are called means, such as ``appeal_mean`` and ``realism_mean``."""
    found = {
        str(name): re.sub(r"_?(?:mean|mos|avg|average)_?", "", plain(str(name)))
        for name in named.frame.columns
    }
    found = {name: rest for name, rest in found.items() if rest and rest != plain(name)}
    if not found or "mean" in columns.of:
        return
    parts = []
    for name, rest in found.items():
        own = Columns(of={**columns.of, "mean": [name]}, numbers=columns.numbers)
        deviation = re.compile(rf"{rest}_?(?:std|sd|stdev)|(?:std|sd|stdev)_?{rest}")
        if sd := [str(other) for other in named.frame.columns if deviation.fullmatch(plain(str(other)))]:
            own.of["sd"] = sd[:1]
        table = _means(named, own, options, notes).table
        parts.append(table.assign(item=table["item"] + ", " + rest))
    means = MeansTable(pd.concat(parts, ignore_index=True), options.used_scale, notes)
    raise StatisticsOnly(
        f"{source}: a table of means of {listed(list(found.values()))}; raw ratings are needed", means
    )


def _means(named: Named, columns: Columns, options: ReadOptions, notes: dict[str, str]) -> MeansTable:
    frame = named.frame
    item = _items(named, columns, set(), notes)
    mean = frame[columns.of["mean"][0]].map(clean)
    value, bad = parse_numbers(mean, options)
    table = pd.DataFrame({"item": item, "mean": mean, "value": value})
    for role in ("sd", "n"):
        table[role] = np.nan
        if name := columns.one(role):
            table[role] = parse_numbers(frame[name], options)[0]
        elif role in columns.numbers:
            table[role] = float(columns.numbers[role])
    if bad.any():
        notes["means"] = (
            f"{int(bad.sum())} rows without a number as their mean are left out, such as {mean[bad].iloc[0]!r}"
        )
    kept = table[~np.isnan(value)]
    scale = options.used_scale
    return MeansTable(kept.reset_index(drop=True), scale, notes)


def _counts(
    named: Named, columns: Columns, source: str, options: ReadOptions, notes: dict[str, str]
) -> CountsTable | None:
    scale = options.used_scale
    found = _category_columns([str(name) for name in named.frame.columns], scale)
    if found is None:
        return None
    names, certain = found
    numbers = np.column_stack([parse_numbers(named.frame[name], options)[0] for name in names])
    numbers = np.nan_to_num(numbers)
    if (numbers < 0).any() or (numbers != np.rint(numbers)).any():
        if certain:
            raise TableError(
                f"{source}: columns {listed(names)} are shares, not counts: counts for each category are needed"
            )
        return None
    total = parse_numbers(named.frame[columns.of["n"][0]], options)[0] if "n" in columns.of else None
    adds_up = total is not None and bool((numbers.sum(axis=1) == total).all())
    beyond = bool(((numbers < scale.low) | (numbers > scale.high)).any())
    if not (certain or adds_up or beyond or options.wide == "no"):
        raise TableError(
            f"{source}: columns {listed(names)} may be counts of each category or {len(names)} participants: add --wide no for "
            "counts, --wide items for participants"
        )
    item = _items(named, columns, set(names), notes)
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


def _items(named: Named, columns: Columns, used: set[str], notes: dict[str, str]) -> pd.Series:
    """Return the names of the rows: the item's column, or all columns of text together where that is not unique."""
    frame = named.frame
    texts = [
        name
        for name in frame.columns
        if name not in used and not is_summary(str(name)) and not frame[name].map(_is_number).all()
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


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?|", clean(text)))
