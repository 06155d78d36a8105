"""Rows that rate an item again: exact copies, and second ratings."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

_USE = (
    "all count in the item's statistics, whose intervals count participants; alpha uses the first, ICC, Friedman and "
    "Wilcoxon use their mean"
)


def repeat_notes(table: pd.DataFrame, rows: Callable[[pd.Series], str]) -> dict[str, str]:
    """Return notes on rows whose participant rated the item (for the question and in the phase) in an earlier row.

    Args:
        table: one row for each rating.
        rows: says which rows a mask names.
    """
    keys = ["participant", "item"] + [name for name in ("question", "phase") if name in table.columns]
    repeated = table.duplicated(keys)
    if not repeated.any():
        return {}
    several = table[table.duplicated(keys, keep=False)]
    copied = (
        several.duplicated().reindex(table.index, fill_value=False)
        if table.index.is_unique
        else _copied(table)
    )
    again = repeated & ~copied
    notes = {}
    if copied.any():
        notes["identical_rows"] = (
            f"{_count(copied)} equal to an earlier row in every column ({rows(copied)}): sent or copied twice, or the same "
            f"rating given again; {_USE}"
        )
    if again.any():
        people = table["participant"][again].nunique()
        who = "1 participant rates" if people == 1 else f"{people} participants rate"
        row = "1 row repeats" if again.sum() == 1 else f"{int(again.sum())} rows repeat"
        notes["repeated_rows"] = f"{row} a participant and item ({rows(again)}): {who} an item again; {_USE}"
    return notes


def _copied(table: pd.DataFrame) -> pd.Series:
    """Return which rows equal an earlier one, also for wide tables, whose row numbers are not unique."""
    return pd.Series(table.duplicated().to_numpy(), index=table.index)


def _count(mask: pd.Series) -> str:
    return "1 row is" if mask.sum() == 1 else f"{int(mask.sum())} rows are"
