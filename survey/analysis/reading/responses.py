"""Rows that a program itself marks as no answers of participants, or as doubtful ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.reading.columns import Columns
from survey.analysis.reading.header import Named
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import plain
from survey.analysis.reading.values import parse_numbers
from survey.analysis.table import TableError

_TRIALS: Final = frozenset({"survey preview", "survey test", "spam", "preview"})
"""Qualtrics: answers of the survey's authors, of its test data, and of robots."""

_TRIAL_CODES: Final = frozenset({"1", "2", "8", "9"})
"""The same where answers were exported as numbers."""

_DOUBTFUL: Final = {
    "assignment_status": ({"rejected"}, "rejected"),
    "finished": ({"false", "0", "no"}, "not finished"),
}


def without_trials(named: Named, notes: dict[str, str]) -> Named:
    """Leave out answers that Qualtrics marks as a preview or as spam; notes tell, and count doubtful ones that stay."""
    frame = named.frame
    names = {plain(str(name)): name for name in frame.columns}
    for key, (words, what) in _DOUBTFUL.items():
        if key in names and (count := int(frame[names[key]].str.strip().str.casefold().isin(words).sum())):
            rows = "1 row is" if count == 1 else f"{count} rows are"
            notes[f"marked_{key}"] = f"{rows} marked as {what} (column {names[key]!r}), and counted"
    if not {"status", "recorded_date", "response_id"} <= set(names):
        return named
    status = frame[names["status"]].str.strip().str.casefold()
    coded = bool(status.isin([*map(str, range(18)), ""]).all())
    out = status.isin(_TRIAL_CODES if coded else _TRIALS).to_numpy(bool)
    if not out.any():
        return named
    shown = ", ".join(map(repr, frame[names["status"]][out].unique()[:3]))
    notes["trial_runs"] = (
        f"{int(out.sum())} {'row' if out.sum() == 1 else 'rows'} of trial runs or spam left out (column 'Status': {shown})"
    )
    return replace(named, frame=frame[~out])


def refuse_weights(frame: pd.DataFrame, columns: Columns, source: str, options: ReadOptions) -> None:
    """Raise TableError where a column of a long table says how often each rating was given."""
    count = columns.one("n")
    if count is None:
        return
    keys = [
        columns.of[role][0] for role in ("participant", "item", "question", "repeat") if role in columns.of
    ]
    number, bad = parse_numbers(frame[count], options)
    if bad.any() or not _counts(number) or not frame.duplicated(keys).any():
        return
    if not frame.duplicated([*keys, columns.of["rating"][0]]).any():
        raise TableError(
            f"{source}: column {count!r} seems to say how often each rating was given: write a row for each rating, or leave "
            f"out column {columns.of['participant'][0]!r} for a table of counts; if it says something else, rename it"
        )


def _counts(number: NDArray[np.float64]) -> bool:
    return bool(
        np.isfinite(number).all()
        and (number == np.rint(number)).all()
        and (number >= 0).all()
        and (number > 1).any()
    )
