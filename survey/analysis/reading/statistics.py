"""Tables that hold no single rating: means of items, or how often each category was chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.labels import ACR, DCR
from survey.analysis.reading.columns import Columns, listed
from survey.analysis.reading.header import Named
from survey.analysis.reading.names import tidy_names
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import MAYBE_NAMES, STATISTIC_WORDS, is_summary, plain, role_of
from survey.analysis.reading.values import parse_numbers, parse_ratings
from survey.analysis.reading.wording import clean
from survey.analysis.scale import Scale
from survey.analysis.table import TableError

_CATEGORY: Final = re.compile(
    r"^(.*?)[\s_.\-(\[]*(-?\d+(?:\.\d+)?)[)\]]?(?:[\s_\-]*(?:stars?|points?|votes?))?$"
)
_SPREAD: Final = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*(?:±|\+/?-|\(|\[)\s*(\d+(?:[.,]\d+)?)\s*[)\]]?")
_SD_WORDS: Final = frozenset({"sd", "std", "stdev", "s", "standardabweichung", "deviation"})
_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}(?:[,. '\u2019]\d{3})+")
_PERCENTAGE: Final = re.compile(r"\d+(?:[.,]\d+)?\s*%")
_PERCENT: Final = 100
_FEWEST: Final = 3
"""So many columns of counts are a scale's categories."""
_ROUNDING: Final = 0.02
"""How far shares of a row may miss 1 in sum."""
_PRINTED: Final = 0.051
"""How far a printed mean may be from the mean: one decimal."""

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
        "haeufigkeit",
        "häufigkeit",
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
    named = _with_spread_apart(named, columns, notes)
    if counts := _long_counts(named, columns, options, notes):
        raise StatisticsOnly(f"{source}: a table of counts for each category; raw ratings are needed", counts)
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


def _with_spread_apart(named: Named, columns: Columns, notes: dict[str, str]) -> Named:
    """Part a column of cells such as ``3.4 ± 0.8`` or ``3.4 (0.8)`` into the mean and what stands behind it.

    It is the SD where the column's name says so. Else it may be a standard error or half an interval: it is not used.
    """
    for name in map(str, named.frame.columns):
        found = [_SPREAD.fullmatch(clean(cell)) for cell in named.frame[name] if cell.strip()]
        if not found or not all(found) or columns.one("item") == name:
            continue
        parts = named.frame[name].map(clean).str.extract(_SPREAD, expand=True).fillna("")
        words = set(plain(name).split("_"))
        frame = named.frame.drop(columns=[name]).assign(**{name: parts[0]})
        for role in [role for role, names in columns.of.items() if name in names]:
            del columns.of[role]
        columns.of["mean"] = [name]
        if "sd" not in columns.of and words & _SD_WORDS:
            frame[f"{name}, SD"] = parts[1]
            columns.of["sd"] = [f"{name}, SD"]
            notes["spread"] = f"column {name!r} holds means and SDs"
        else:
            notes["spread"] = (
                f"column {name!r}: what stands behind the means is not used, as it may be an SD, a standard error or half "
                "an interval; for an SD write a column of its own, called SD"
            )
        return replace(named, frame=frame)
    return named


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
    named = _without_summaries(named, columns, columns.of["mean"][:1], notes)
    frame = named.frame
    item = _items(named, columns, set(), notes)
    mean = frame[columns.of["mean"][0]].map(clean)
    value, bad = parse_numbers(mean, options)
    table = pd.DataFrame({"item": item, "mean": mean, "value": value})
    for role in ("sd", "n"):
        table[role] = np.nan
        if name := columns.one(role):
            table[role] = parse_numbers(_joined(frame[name]) if role == "n" else frame[name], options)[0]
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
    heads = [str(name) for name in named.frame.columns]
    found = _category_columns(heads, scale)
    if found is None:
        _refuse_other_categories(heads, scale, source)
        return None
    names, certain = found
    named = _without_summaries(named, columns, names, notes)
    parsed = [parse_numbers(_joined(named.frame[name]), options) for name in names]
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
    total = parse_numbers(_joined(named.frame[columns.of["n"][0]]), options)[0] if "n" in columns.of else None
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
    item = _items(named, columns, set(names), notes)
    return CountsTable(item.to_numpy(object), numbers.astype(np.int64), scale, notes)


def _long_counts(
    named: Named, columns: Columns, options: ReadOptions, notes: dict[str, str]
) -> CountsTable | None:
    """Return the counts of a table with a row for each item and category: ``item``, ``rating``, ``count``."""
    frame, values = named.frame, options.used_scale.categories
    item, rating, count = (columns.one(role) for role in ("item", "rating", "n"))
    count = count or next((name for name in map(str, frame.columns) if plain(name) in _COUNTED), None)
    if item is None or rating is None or count is None or values is None or "participant" in columns.of:
        return None
    number, bad = parse_numbers(_joined(frame[count]), options)
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


def _joined(column: pd.Series) -> pd.Series:
    """Return a column of whole numbers without the separators of thousands."""
    texts = column.map(clean)
    if not texts.str.fullmatch(rf"\d*|{_THOUSANDS.pattern}").all():
        return column
    return texts.str.replace(r"\D", "", regex=True)


def _without_summaries(named: Named, columns: Columns, used: list[str], notes: dict[str, str]) -> Named:
    """Leave out rows that are called Total, Average ... instead of an item, and rows without a name.

    Names that an item may have, too, such as Max, are left out where their numbers are those of the others.
    """
    frame = named.frame
    name = columns.one("item") or next(
        (text for text in frame.columns if text not in used and not frame[text].map(_is_number).all()), None
    )
    if name is None:
        return named
    called = frame[name].map(lambda text: plain(text) if is_summary(text) else None if text.strip() else "")
    numbers = frame[used].apply(lambda column: parse_numbers(_joined(column), ReadOptions())[0])
    rest = numbers[called.isna()]
    out = np.zeros(len(frame), bool)
    for place, word in enumerate(called):
        if word is None or word != word:
            continue
        statistic = next((key for key, words in STATISTIC_WORDS.items() if word in words), "mean")
        same = np.abs(rest.agg(statistic) - numbers.iloc[place]) <= _PRINTED
        out[place] = word not in MAYBE_NAMES or bool(len(rest) and same.all())
    if not out.any() or out.all():
        return named
    shown = ", ".join(
        repr(text) if text.strip() else "a row without a name" for text in frame[name][out].unique()[:4]
    )
    rows = ", ".join(str(row) for row in frame.index[out][:4])
    notes["summary_item"] = f"{shown} sums up the others and is no item: row {rows} left out"
    return replace(named, frame=frame[~out])


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
