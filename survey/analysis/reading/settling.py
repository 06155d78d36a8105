"""Which column is what, where names leave it open and the cells tell."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from survey.analysis.reading.columns import Columns
from survey.analysis.reading.header import Named
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import REQUIRED, SYNONYMS, holds_no_ratings, plain, rank
from survey.analysis.reading.values import parse_numbers, parse_ratings

_WEAK: Final = 3
_PEOPLE: Final = frozenset({"id", "name", "code", "nick", "nr", "no", "number", "initials"})
"""Names that a participant's column may have, where nothing else can be it."""

_MAYBE_QUESTION: Final = frozenset(
    {
        "scale",
        "skala",
        "echelle",
        "escala",
        "metric",
        "measure",
        "prompt",
        "variable",
        "construct",
        "category",
        "task",
    }
)
_FEW: Final = 20
_PAIRS: Final = 3
"""So many pairs of names must agree before two columns are taken to say the same."""


def settle(named: Named, columns: Columns, options: ReadOptions, notes: dict[str, str]) -> None:
    """Give roles by what the columns hold; changes ``columns``, and notes say what was guessed."""
    if named.matrix:
        return
    frame = named.frame
    _drop_empty(frame, columns, options)
    _drop_rated(frame, columns, options)
    _settle_rivals(frame, columns, notes)
    if options.wide in ("auto", "no") and not named.groups:
        _by_elimination(frame, columns, options, notes)


def question_of_repeats(table: pd.DataFrame) -> str | None:
    """Return the column that can only be the question: it alone tells a participant's ratings of an item apart."""
    keys = [name for name in ("participant", "item", "phase", "repeat") if name in table.columns]
    if "question" in table.columns or not table.duplicated(keys).any():
        return None
    for name in table.columns:
        if not _asks(str(name)) or not 2 <= table[name].nunique() <= _FEW:
            continue
        worded = not table[name].str.strip().str.fullmatch(r"[+-]?\d+(?:[.,]\d+)?|").any()
        if worded and not table.duplicated([*keys, name]).any():
            return str(name)
    return None


def _asks(name: str) -> bool:
    """Whether a column's name says that it holds questions, such as ``item_question`` or ``question_text``."""
    return bool(set(plain(name).split("_")) & (_MAYBE_QUESTION | set(SYNONYMS["question"])))


def _drop_empty(frame: pd.DataFrame, columns: Columns, options: ReadOptions) -> None:
    """Take the role from a weak name, such as Email, whose column says nothing: one value, or none."""
    for role in ("participant", "item"):
        name = columns.one(role)
        if role in options.columns or name is None or rank(name, role) < _WEAK or len(frame) < 2:
            continue
        if frame[name].nunique() < 2:
            del columns.of[role]


def _drop_rated(frame: pd.DataFrame, columns: Columns, options: ReadOptions) -> None:
    """Take the role from a column ``word`` or ``face`` of a wide table that holds ratings as its neighbours do."""
    name, person = columns.one("item"), columns.one("participant")
    if person is not None and not frame[person].is_unique:
        return
    if name is None or "item" in options.columns or "rating" in columns.of or rank(name, "item") < _WEAK:
        return
    others = [
        other
        for other in map(str, frame.columns)
        if other not in columns.known() and not holds_no_ratings(other)
    ]
    if all(_rated(frame[other], options) for other in (name, *others)) and others:
        del columns.of["item"]


def _settle_rivals(frame: pd.DataFrame, columns: Columns, notes: dict[str, str]) -> None:
    """Choose between columns that stand for each other one to one, such as ``video_ID`` and ``video_name``."""
    for role, names in list(columns.rivals.items()):
        if role not in ("participant", "item"):
            continue
        # Rows that are none of ratings, such as a person's registration, may have one of them only.
        named = frame[names][(frame[names] != "").all(axis=1)].drop_duplicates()
        if len(named) < _PAIRS or any(named[name].nunique() != len(named) for name in names):
            continue
        # Names say more than numbers.
        chosen = max(
            names, key=lambda name: (not frame[name].str.isdigit().all(), frame[name].str.len().sum())
        )
        columns.of[role] = [chosen]
        del columns.rivals[role]
        notes[f"{role}_columns"] = (
            f"columns {', '.join(map(repr, names))} say the same {role}s: {chosen!r} names them"
        )


def _by_elimination(
    frame: pd.DataFrame, columns: Columns, options: ReadOptions, notes: dict[str, str]
) -> None:
    """Find the one required column of a long table that is missing, where a single column can be it."""
    missing = [role for role in REQUIRED if role not in columns.of]
    if len(missing) != 1 or missing[0] in options.columns:
        return
    (role,) = missing
    means = columns.of.get("mean", [])
    others = [
        name for name in map(str, frame.columns) if name and (name not in columns.known() or name in means)
    ]
    if role == "rating":
        found = [name for name in others if not holds_no_ratings(name) or name in means]
        found = [name for name in found if _rated(frame[name], options) and _varies(frame, columns, name)]
    else:
        known = columns.of["item" if role == "participant" else "participant"][0]
        found = [
            name
            for name in others
            if not holds_no_ratings(name) or (role == "participant" and plain(name) in _PEOPLE)
        ]
        crossing = [name for name in found if _crosses(frame, known, name)]
        if len(found) > 1:
            # Several columns are left, so that none is taken unasked.
            columns.hints[role] = crossing
            return
        found = crossing
    if len(found) != 1:
        return
    columns.of[role] = found
    if found == means:
        del columns.of["mean"]
    notes["guessed_columns"] = (
        f"column {found[0]!r} is taken as the {role}, as no other can be it; if it is not, say so by --columns"
    )


def _rated(column: pd.Series, options: ReadOptions) -> bool:
    parsed = parse_ratings(column.unique(), options)
    return not parsed.bad.any() and not bool(np.isnan(parsed.number).all())


def _varies(frame: pd.DataFrame, columns: Columns, name: str) -> bool:
    """Whether a column says more than one thing of an item, so that it is no property of it."""
    item = frame[columns.of["item"][0]]
    return not frame[columns.of["participant"][0]].eq("").all() and bool(
        (frame[name].groupby(item).nunique() > 1).any()
    )


def _crosses(frame: pd.DataFrame, known: str, name: str) -> bool:
    """Whether two columns name participants and items: each pair once, and both come again."""
    texts = frame[name].str.strip()
    number, bad = parse_numbers(texts, ReadOptions())
    fractions = bool((~bad & ~np.isnan(number) & (number != np.rint(number))).any())
    return (
        not fractions
        and not (texts == "").any()
        and not frame.duplicated([known, name]).any()
        and bool(frame[name].duplicated().any())
        and bool((frame[name].groupby(frame[known]).nunique() > 1).any())
    )
