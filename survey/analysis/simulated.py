"""Ratings that a program made: how a table marks them, and the sentence that every result of them begins with."""

from __future__ import annotations

from typing import Final

import pandas as pd

COLUMN: Final = "simulated"
#: What a table of scores is marked by: a column with how many of each item's participants are a program.
SCORED: Final = "simulated_participants"
_TRUTH: Final = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False, "": False}


def flags(column: pd.Series) -> pd.Series | None:
    """Return a column as true and false, empty as false; None where it holds anything else."""
    if column.dtype == bool:
        return column
    codes, values = pd.factorize(column)
    known = [_TRUTH.get(str(value).strip().lower()) for value in values]
    if None in known:
        return None
    # An empty cell has the code -1: the last of these.
    return pd.Series(
        [[*known, False][code] for code in codes], index=column.index, name=column.name, dtype=bool
    )


def tells_of_people(table: pd.DataFrame) -> bool:
    """Return whether a table's column marks people: true or false, and the same in all rows of each."""
    marked = flags(table[COLUMN])
    return marked is not None and bool(
        (marked.groupby(table["participant"].to_numpy(object)).nunique() == 1).all()
    )


def simulated_people(table: pd.DataFrame) -> int:
    """Return how many participants of a checked table are a program."""
    if COLUMN not in table.columns:
        return 0
    return int(table.loc[table[COLUMN], "participant"].nunique())


def marked(scores: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return items' scores, with the column `SCORED` where a program gave any rating of a checked table."""
    if not simulated_people(table):
        return scores
    return marked_by_counts(scores, table[table[COLUMN]].groupby("item")["participant"].nunique())


def marked_by_counts(scores: pd.DataFrame, programs: pd.Series) -> pd.DataFrame:
    """Return items' scores with the column `SCORED`, from the number of programs that rated each item."""
    return scores.assign(**{SCORED: scores["item"].map(programs).fillna(0).astype("int64")})


def told_of_scores(scores: pd.DataFrame) -> str:
    """Return the sentence about a table of scores as it was read; "" where it has no mark of a program."""
    if SCORED not in scores.columns:
        return ""
    found = pd.to_numeric(scores[SCORED], errors="coerce") > 0
    if not found.any():
        return ""
    if found.all():
        return "Simulated: a program gave ratings behind each of these scores. They are not the opinions of people alone."
    return (
        f"Partly simulated: a program gave ratings behind {int(found.sum())} of {len(found)} of these scores. "
        "They are not the opinions of people alone."
    )


def told(simulated: int, people: int, *, answers: str = "ratings") -> str:
    """Return the sentence about ``simulated`` of so many people; "" where there are none."""
    if not simulated:
        return ""
    if simulated == people:
        return f"Simulated: a program made these {answers}. They are not the opinions of people."
    return (
        f"Partly simulated: a program made the {answers} of {simulated} of {people} participants. "
        "Results of all together are not the opinions of people."
    )


def told_of(table: pd.DataFrame, *, answers: str = "ratings") -> str:
    """Return the sentence about a checked table; "" where no row is marked."""
    return told(simulated_people(table), table["participant"].nunique(), answers=answers)
