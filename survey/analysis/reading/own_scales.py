"""Questions on scales of their own: as the user says, or as a file of this program says in ``question_scale``."""

from __future__ import annotations

from typing import Final

import pandas as pd

from survey.analysis.reading.columns import listed
from survey.analysis.reading.names import without_apostrophe
from survey.analysis.reading.options import ReadOptions
from survey.analysis.scale import Scale, parse_scale
from survey.analysis.table import TableError

COLUMN: Final = "question_scale"


def scales_of(table: pd.DataFrame, options: ReadOptions, source: str) -> dict[str, Scale]:
    """Return {question: its scale}, "" for the only question; empty where one scale is meant for all.

    Args:
        table: a long table of text.
        options: what the user says comes before what the file says.
        source: what to call the file in an error message.

    Raises:
        TableError: the user's questions are not those of the file.
    """
    if options.scales:
        return _named(table, options, source)
    if options.scale is not None or options.labels or COLUMN not in table.columns:
        return {}
    asked = table["question"].str.strip() if "question" in table.columns else pd.Series("", index=table.index)
    said = without_apostrophe(table[COLUMN].str.strip())
    pairs = pd.DataFrame({"question": asked, COLUMN: said}).drop_duplicates()
    if pairs["question"].duplicated().any():
        return {}
    try:
        return {question: parse_scale(text) for question, text in pairs.itertuples(index=False, name=None)}
    except ValueError:
        return {}


def _named(table: pd.DataFrame, options: ReadOptions, source: str) -> dict[str, Scale]:
    if "question" not in table.columns:
        raise TableError(f"{source}: --scale names questions, and the file has one: add --scale LOW:HIGH")
    found = sorted(table["question"].str.strip().unique())
    unknown = [name for name in options.scales if name not in found]
    without = [name for name in found if name not in options.scales]
    if unknown:
        raise TableError(f"{source}: --scale: no question {unknown[0]!r}; found: {listed(found)}")
    if without:
        raise TableError(
            f"{source}: --scale: question {without[0]!r} has no scale: add {without[0]}=LOW:HIGH"
        )
    return dict(options.scales)
