"""How the columns of a ratings file were understood, for somebody who checks it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from survey.analysis.reading.columns import Columns, resolve
from survey.analysis.reading.decoding import read_bytes
from survey.analysis.reading.header import Named, name_columns
from survey.analysis.reading.interpret import as_long
from survey.analysis.reading.layout import COLUMN
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.read import table_of
from survey.analysis.reading.sheets import WORKBOOKS, choose_sheet, sheet_cells, sheet_names
from survey.analysis.simulated import COLUMN as SIMULATED
from survey.analysis.table import TableError

ROWS: Final = 8
"""Rows that are shown."""

_RATINGS_OF: Final = {
    "participant": "ratings of one participant",
    "item": "ratings of one item",
    "question": "ratings for one question",
}


@dataclass(frozen=True)
class Preview:
    """What a file looks like to the reader.

    Attributes:
        columns: (name, what it was read as) of each column; "" for a column whose meaning was not found.
        rows: the first rows, cells as text.
        length: number of rows.
        sheets: names of the sheets, of a workbook.
    """

    columns: list[tuple[str, str]]
    rows: list[list[str]]
    length: int
    sheets: list[str]


def preview(path: Path, options: ReadOptions, kept: Collection[str] = ()) -> Preview:
    """Return how a file was understood, also where its ratings cannot be read.

    Args:
        path: the file.
        options: how to read it.
        kept: the columns of the ratings as read; a column of the file among them describes the items.

    Raises:
        TableError: no columns can be found in it.
    """
    data = read_bytes(path)
    if not data.startswith(WORKBOOKS):
        named = table_of(path, data, options, {})
        return _shown(named, _roles(named, options, kept) or _found(named, options), [])
    sheets = sheet_names(path, data)
    fault: TableError | None = None
    first: Named | None = None
    for name in choose_sheet(path, sheets, options.sheet):
        try:
            named = name_columns(sheet_cells(path, data, name, {}), str(path), options, {})
        except TableError as error:
            fault = fault or error
            continue
        if roles := _roles(named, options, kept):
            return _shown(named, roles, sheets)
        first = first or named
    if first is None:
        raise fault or TableError(f"{path}: the workbook is empty")
    return _shown(first, _found(first, options), sheets)


def _shown(named: Named, roles: dict[str, str], sheets: list[str]) -> Preview:
    head = named.frame.head(ROWS)
    rows = [[str(cell) for cell in row] for row in head.itertuples(index=False, name=None)]
    return Preview(
        [(str(name), roles.get(str(name), "")) for name in named.frame.columns],
        rows,
        len(named.frame),
        sheets,
    )


def _found(named: Named, options: ReadOptions) -> dict[str, str]:
    """Return the columns that have a role by their names alone."""
    try:
        columns = resolve([str(name) for name in named.frame.columns], "", options)
    except TableError:
        return {}
    return {name: role for role, names in columns.of.items() for name in names}


def _roles(named: Named, options: ReadOptions, kept: Collection[str]) -> dict[str, str]:
    """Return what each column of a table of ratings was read as; nothing for another table."""
    try:
        table, columns = as_long(named, "", options, {})
    except TableError:
        return {}
    names = [str(name) for name in named.frame.columns]
    roles = {name: "about the items" if name in kept else "not used" for name in names}
    if SIMULATED in kept:
        roles[SIMULATED] = "whether a program answered"
    roles |= {
        name: role
        for role, given in columns.of.items()
        for name in given
        if role in table.columns or role == "rating"
    }
    if COLUMN in table.columns:
        one_of = next((role for role in _RATINGS_OF if _same_in_each_column(table, role)), "question")
        roles |= dict.fromkeys(map(str, table[COLUMN].unique()), _RATINGS_OF[one_of])
        roles |= _row_names(named, table, columns)
    return roles


def _same_in_each_column(table: pd.DataFrame, role: str) -> bool:
    return role in table.columns and bool((table.groupby(COLUMN)[role].nunique() == 1).all())


def _row_names(named: Named, table: pd.DataFrame, columns: Columns) -> dict[str, str]:
    """Return the column that names the rows of a wide table, where it was found by its place and not by its name."""
    rated = set(table[COLUMN])
    for role in ("item", "participant"):
        values = list(table[role].drop_duplicates())
        for name in named.frame.columns:
            free = name not in rated and name not in columns.known()
            if free and list(named.frame[name].drop_duplicates()) == values:
                return {str(name): role}
    return {}
