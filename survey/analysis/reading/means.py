"""Tables of means of items."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from survey.analysis.reading.columns import Columns, listed
from survey.analysis.reading.counts import long_counts
from survey.analysis.reading.header import Named
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import is_summary, plain, role_of
from survey.analysis.reading.statistics import MeansTable, StatisticsOnly, items_of, joined, without_summaries
from survey.analysis.reading.values import parse_numbers
from survey.analysis.reading.wording import clean
from survey.analysis.table import TableError

_SPREAD: Final = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*(?:±|\+/?-|\(|\[)\s*(\d+(?:[.,]\d+)?)\s*[)\]]?")

_SD_WORDS: Final = frozenset({"sd", "std", "stdev", "s", "standardabweichung", "deviation"})


def refuse_means(
    named: Named, columns: Columns, source: str, options: ReadOptions, notes: dict[str, str]
) -> None:
    """Raise StatisticsOnly for a table of means; return for any other.

    Raises:
        TableError: the means are those of participants.
    """
    named = _with_spread_apart(named, columns, notes)
    if counts := long_counts(named, columns, options, notes):
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
    named = without_summaries(named, columns, columns.of["mean"][:1], notes)
    frame = named.frame
    item = items_of(named, columns, set(), notes)
    mean = frame[columns.of["mean"][0]].map(clean)
    value, bad = parse_numbers(mean, options)
    table = pd.DataFrame({"item": item, "mean": mean, "value": value})
    for role in ("sd", "n"):
        table[role] = np.nan
        if name := columns.one(role):
            table[role] = parse_numbers(joined(frame[name]) if role == "n" else frame[name], options)[0]
        elif role in columns.numbers:
            table[role] = float(columns.numbers[role])
    if bad.any():
        notes["means"] = (
            f"{int(bad.sum())} rows without a number as their mean are left out, such as {mean[bad].iloc[0]!r}"
        )
    kept = table[~np.isnan(value)]
    scale = options.used_scale
    return MeansTable(kept.reset_index(drop=True), scale, notes)
