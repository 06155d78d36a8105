"""A table of text as checked ratings: its columns, its scales, its values."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.factors import splits_people
from survey.analysis.reading.columns import Columns, listed, refuse_rivals, renamed, resolve
from survey.analysis.reading.counts import refuse_counts
from survey.analysis.reading.header import Named
from survey.analysis.reading.layout import (
    COLUMN,
    asked_by_name,
    is_wide,
    long_table,
    rating_columns,
    shaped_alike,
    wide_table,
)
from survey.analysis.reading.means import refuse_means
from survey.analysis.reading.names import tidy_names, without_apostrophe
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.own_scales import scales_of
from survey.analysis.reading.packed import with_choices, with_lists, with_numbers, with_objects
from survey.analysis.reading.responses import refuse_weights, without_trials
from survey.analysis.reading.roles import NUMBERS, REQUIRED, STATISTICS, TEXT
from survey.analysis.reading.settling import question_of_repeats, settle
from survey.analysis.reading.sums import without_sums
from survey.analysis.reading.times import milliseconds
from survey.analysis.reading.values import hint_of_range, parse_numbers, parse_ratings
from survey.analysis.simulated import COLUMN as SIMULATED
from survey.analysis.simulated import SCORED, tells_of_people, told_of_scores
from survey.analysis.table import NOT_FACTORS, Ratings, TableError, check
from survey.analysis.terms import IMAGES, ITEMS

Notes = dict[str, str]
_SHOWN: Final = 5
_FLAGS: Final = ("0", "1", "-1", "")
"""Answers of a check box, of which some are no ratings."""

_FEW: Final = 20
_SEVERAL: Final = 3
_OFTEN: Final = 0.2


def interpret(named: Named, source: str, options: ReadOptions, notes: Notes) -> Ratings:
    """Return the ratings that a table of text holds; errors as of ``read.read_ratings``."""
    table, columns = as_long(named, source, options, notes)
    scales = scales_of(table, options, source)
    if len(set(scales.values())) == 1 and not options.scales:
        options, scales = replace(options, scale=next(iter(scales.values()))), {}
    elif scales:
        options = replace(options, scales=scales)
    table = without_sums(table[~_is_blank(table, options, notes)], options, notes)
    table = _of_ratings(table, options, notes)
    if table.empty:
        raise TableError(f"{source}: no ratings")
    for name in (*REQUIRED[:2], *TEXT):
        if name in table.columns:
            table = table.assign(**{name: tidy_names(table[name], name, notes)})
            if name in REQUIRED:
                _refuse_empty(table[name], source)
    if "phase" in table.columns:
        table = table.assign(phase=table["phase"].str.lower())
    table = table.assign(
        rating=_numbers_of_questions(table, source, options, notes),
        **_optional(table, columns, options, notes),
    )
    if SIMULATED in table.columns and not tells_of_people(table):
        table = table.rename(columns={SIMULATED: f"factor_{SIMULATED}"})
    table, unused = _with_item_columns(table.drop(columns=[COLUMN], errors="ignore"), options, notes)
    # `check` names rows as a spreadsheet does: label 0 is row 2. It needs all columns to tell copies from repeats.
    ratings = check(table.set_axis(table.index - 2), source=source, scale=options.used_scale, scales=scales)
    terms = IMAGES if "image_sha256" in unused else ITEMS
    return replace(
        ratings, table=ratings.table.drop(columns=unused), notes=notes | ratings.notes, terms=terms
    )


def _is_blank(table: pd.DataFrame, options: ReadOptions, notes: Notes) -> NDArray[np.bool_]:
    """Return which rows say nothing: no rating, and no participant or item; notes count those that are not all empty."""
    codes, texts = pd.factorize(table["rating"])
    parsed = parse_ratings(texts, options)
    unrated = (np.isnan(parsed.number) & ~parsed.bad)[codes]
    empty = {name: (table[name].str.strip() == "").to_numpy(bool) for name in REQUIRED}
    out = unrated & (empty["participant"] | empty["item"])
    some = out & ~(empty["participant"] & empty["item"] & empty["rating"])
    if some.any():
        notes["nameless_rows"] = (
            f"{int(some.sum())} rows without a rating and without a participant or item left out"
        )
    return out


def _of_ratings(table: pd.DataFrame, options: ReadOptions, notes: Notes) -> pd.DataFrame:
    """Return the rows of the questions that have ratings as answers; a note names the others.

    Exports of rating programs have rows for other things, too: sizes of windows, times, remarks.
    """
    if "question" not in table.columns:
        return table
    codes, texts = pd.factorize(table["rating"])
    parsed = parse_ratings(texts, options)
    answers = pd.DataFrame({"good": ~np.isnan(parsed.number[codes]), "bad": parsed.bad[codes]})
    sums = answers.groupby(table["question"].to_numpy(object)).sum()
    sums["flag"] = table["rating"].isin(_FLAGS).groupby(table["question"].to_numpy(object)).all()
    others = list(
        sums.index[(sums["bad"] > _OFTEN * (sums["good"] + sums["bad"])) | (sums["flag"] & (sums["bad"] > 0))]
    )
    if not others or not ((sums["bad"] == 0) & (sums["good"] > 0)).any():
        return table
    out = table["question"].isin(others)
    example = table["rating"][out & parsed.bad[codes]].iloc[0]
    notes["other_answers"] = (
        f"{int(out.sum())} rows whose answers are no ratings, such as {str(example)[:40]!r}, left out: {listed(list(map(str, others)))}"
    )
    return table[~out]


def as_long(named: Named, source: str, options: ReadOptions, notes: Notes) -> tuple[pd.DataFrame, Columns]:
    """Return one row of text for each rating cell, under the tidy table's column names, and the file's columns."""
    named = without_trials(with_numbers(with_lists(named, notes), notes), notes)
    names = [str(name) for name in named.frame.columns]
    columns = Columns() if named.matrix and not options.columns else resolve(names, source, options)
    named = with_choices(named, columns, options, notes)
    settle(named, columns, options, notes)
    complete = all(role in columns.of for role in REQUIRED)
    if complete and options.wide in ("auto", "no"):
        refuse_weights(named.frame, columns, source, options)
        for role in set(STATISTICS) - set(options.columns):
            columns.of.pop(role, None)  # A factor or covariate may be called so.
        table = long_table(named, columns, source, options, notes)
    else:
        table = _not_plainly_long(named, columns, source, options, notes)
    table = with_objects(table, notes)
    if (name := question_of_repeats(table)) is not None:
        table = table.rename(columns={name: "question"})
        columns.of["question"] = [name]
    if text := renamed(columns, set(columns.of) & (set(table.columns) | {"rating"})):
        notes["columns"] = text
    return table, columns


def _not_plainly_long(
    named: Named, columns: Columns, source: str, options: ReadOptions, notes: Notes
) -> pd.DataFrame:
    guessed = columns.of.pop("rating", []) if "rating" not in options.columns else []
    programs = told_of_scores(named.frame)
    of_scores = {"simulated": programs} | notes if programs else notes
    refuse_counts(_unmarked(named), columns, source, options, of_scores)
    remarks: Notes = {}
    chosen = columns.of.get("rating")
    ratings = (
        list(named.frame.columns)
        if named.matrix
        else chosen or rating_columns(named.frame, columns, options, remarks)
    )
    if (
        guessed
        and not shaped_alike([name for name in ratings if name not in guessed])
        and options.wide == "auto"
    ):
        ratings = []
    if is_wide(named, columns, ratings, options):
        refuse_rivals(columns, source, [role for role in ("participant", "item") if role in columns.of])
        notes |= remarks
        return wide_table(named, columns, ratings, source, options, notes)
    if guessed:
        columns.of["rating"] = guessed
    elif asked_by_name(columns, ratings):
        columns.of["rating"] = ratings
    if "participant" not in columns.of or "item" not in columns.of:
        refuse_means(_unmarked(named), columns, source, options, of_scores)
        _refuse_off_scale(named, columns, source, options)
    return long_table(named, columns, source, options, notes)


def _unmarked(named: Named) -> Named:
    """Return a table of scores without the column that tells how many are a program's: it is no score."""
    return replace(named, frame=named.frame.drop(columns=[SCORED], errors="ignore"))


def _refuse_off_scale(named: Named, columns: Columns, source: str, options: ReadOptions) -> None:
    """Raise TableError for what looks like a wide table of another scale."""
    numeric: dict[str, NDArray[np.float64]] = {}
    for name in named.frame.columns:
        number, bad = parse_numbers(named.frame[name], options)
        if name and name not in columns.known() and not bad.any() and np.isfinite(number).any():
            numeric[name] = number
    if not shaped_alike(list(numeric)):
        return
    low = min(np.nanmin(number) for number in numeric.values())
    high = max(np.nanmax(number) for number in numeric.values())
    if not (options.used_scale.contains(low) and options.used_scale.contains(high)):
        raise TableError(
            f"{source}: columns {listed(list(numeric)[:4])} ... hold numbers from {low:g} to {high:g}, and ratings are "
            f"{options.used_scale.describe()}: name another scale by --scale LOW:HIGH, and codes of missing ratings by --missing"
        )


def _refuse_empty(column: pd.Series, source: str) -> None:
    empty = column == ""
    if empty.any():
        raise TableError(f"{source}: row {column.index[empty][0]}: {column.name} is empty")


def _numbers_of_questions(
    table: pd.DataFrame, source: str, options: ReadOptions, notes: Notes
) -> NDArray[np.float64]:
    if not options.scales:
        return _numbers(table, source, options, notes)
    if not (known := table["question"].isin(list(options.scales))).all():
        raise TableError(f"{source}: question {table['question'][~known].iloc[0]!r} has no scale")
    result = np.full(len(table), np.nan)
    for question, scale in options.scales.items():
        mine = (table["question"] == question).to_numpy(bool)
        result[mine] = _numbers(table[mine], source, replace(options, scale=scale, scales={}), notes)
    return result


def _numbers(table: pd.DataFrame, source: str, options: ReadOptions, notes: Notes) -> NDArray[np.float64]:
    """Return the rating column as numbers, NaN for missing ones; refuse any other text."""
    codes, texts = pd.factorize(table["rating"])
    parsed = parse_ratings(texts, options)
    notes |= parsed.notes
    bad = parsed.bad[codes]
    if bad.any():
        raise TableError(
            f"{source}: {_bad_rating(table, bad, str(texts[codes[bad][0]]), parsed.wrong, options)}"
        )
    return parsed.number[codes]


def _bad_rating(
    table: pd.DataFrame, bad: NDArray[np.bool_], text: str, wrong: Notes, options: ReadOptions
) -> str:
    rows = table.index[bad]
    place = f"row {rows[0]}"
    if COLUMN in table.columns:
        place += f", column {table[COLUMN].to_numpy(object)[bad][0]!r}"
    number, not_number = parse_numbers(table["rating"], options)
    shown = text.strip() if not not_number[bad][0] else repr(text.strip())
    scale = options.used_scale
    fault = (
        f"is not a whole number from {scale.low:g} to {scale.high:g}"
        if scale.step == 1
        else f"is not on the scale {scale.describe()}"
    )
    labels = list(dict.fromkeys(rows))
    listed_rows = ", ".join(map(str, labels[:_SHOWN])) + (
        f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    )
    more = (
        f" ({int(bad.sum())} such ratings: row{'s' if len(labels) > 1 else ''} {listed_rows})"
        if bad.sum() > 1
        else ""
    )
    if text in wrong:
        return f"{place}: rating {shown} {wrong[text]}{more}"
    hint = hint_of_range(number, scale) if not not_number[bad][0] else _hint_of_text(text)
    return f"{place}: rating {shown} {fault}{more}{hint}{_hint_of_column(table, bad)}"


def _hint_of_column(table: pd.DataFrame, bad: NDArray[np.bool_]) -> str:
    """Return a hint where one of many columns alone holds what is no rating: it may be an age or another question."""
    if COLUMN not in table.columns or table[COLUMN].nunique() < _SEVERAL:
        return ""
    names = table[COLUMN].to_numpy(object)[bad]
    if len(set(names)) > 1:
        return ""
    return f"; if column {names[0]!r} holds no ratings, name those that do by --columns rating=A+B"


def _hint_of_text(text: str) -> str:
    code = text.strip()
    option = f"--missing={shlex.quote(_in_quotes(code) if ',' in code else code)}"
    return f"; if it means a missing rating, add {option}; for labels of your own give --labels, lowest first"


def _in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _optional(
    table: pd.DataFrame, columns: Columns, options: ReadOptions, notes: Notes
) -> dict[str, NDArray[Any]]:
    """Return the columns of numbers that a rating may have: repeat, position, expected answer, time."""
    found: dict[str, NDArray[Any]] = {}
    for name in NUMBERS:
        if name not in table.columns:
            continue
        if name == "rt_ms":
            found[name], remarks = milliseconds(table[name], columns.one(name) or name, table.columns)
            notes |= remarks
            continue
        number, bad = parse_numbers(table[name], options)
        if name == "repeat" and bad.any():
            # Presentations may have names, too: they are counted in the order of these.
            found[name] = table[name].astype(object).where(table[name].str.strip() != "", None).to_numpy()
            continue
        whole = not bad.any() and bool(np.all(number == np.rint(number)))
        found[name] = number.astype(np.int64) if whole else number
        if bad.any():
            notes[name] = (
                f"{int(bad.sum())} values of column {name!r} are no numbers and count as missing, such as {table[name][bad].iloc[0]!r}"
            )
    return found


def _with_item_columns(
    table: pd.DataFrame, options: ReadOptions, notes: Notes
) -> tuple[pd.DataFrame, list[str]]:
    """Read the further columns that say something of the items, and people's group; return the table and its unused columns.

    Notes list the unused columns, and those that tell apart rows in which a participant rates an item again.
    """
    items = table["item"].nunique()
    kept: dict[str, pd.Series] = {}
    unused = []
    others = [name for name in table.columns if name not in (*REQUIRED, *TEXT, *NUMBERS, SIMULATED)]
    for name in others:
        levels = table[["item", name]].drop_duplicates()
        if name == "group" and (splits_people(table) or not table[name].str.strip().any()):
            texts = table[name].str.strip()
            kept[name] = texts.astype(object).where(~texts.isin([""]), None)
        elif len(levels) == items and levels[name].nunique() >= 2 and name not in NOT_FACTORS:
            kept[name] = _values(table[name], options)
        elif name not in NOT_FACTORS:
            unused.append(name)
    if unused:
        notes["unused_columns"] = f"columns not used: {listed(unused)}"
    keys = [name for name in ("participant", "item", "question", "phase", "repeat") if name in table.columns]
    if unused and table.duplicated(keys).any():
        apart = [
            name
            for name in unused
            if table[name].nunique() <= _FEW and not table.duplicated([*keys, name]).any()
        ]
        if apart:
            notes["told_apart"] = (
                f"participants rate an item again, once for each value of column {apart[0]!r}: if these are different items, "
                f"questions or people, add --columns item=ITEM+{apart[0]}, question={apart[0]} or participant=PARTICIPANT+{apart[0]}"
            )
    return table.assign(**kept), [name for name in others if name not in kept]


def _values(column: pd.Series, options: ReadOptions) -> pd.Series:
    """Return a column as numbers where all are, leading zeros aside; else as text."""
    texts = without_apostrophe(column.str.strip())
    number, bad = parse_numbers(texts, options)
    if bad.any() or np.isnan(number).all() or texts.str.match(r"^[+-]?0\d").any():
        return texts.astype(object).where(~texts.isin([""]), None)
    return pd.Series(number, index=column.index)
