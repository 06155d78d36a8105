"""A table that describes items: which file, content, style and condition, and any factors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pandas as pd

from survey.analysis.reading.columns import refuse_rivals, resolve
from survey.analysis.reading.decoding import decode, read_bytes
from survey.analysis.reading.dialect import split
from survey.analysis.reading.header import name_columns
from survey.analysis.reading.names import tidy_names
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import role_of
from survey.analysis.table import TableError

_ROLES: Final = ("content", "style", "condition")
_WHOLE: Final = re.compile(r"[+-]?(?:0|[1-9]\d{0,14})")
_DECIMAL: Final = re.compile(r"[+-]?(?:0|[1-9]\d*)?[.,]\d+(?:[eE][+-]?\d+)?|[+-]?[1-9](?:\.\d+)?[eE][+-]?\d+")


def read_items(path: Path, notes: dict[str, str]) -> pd.DataFrame:
    """Read a table of items as ratings files are read.

    Returns:
        Text in Unicode NFC; columns ``item`` (what the file's column ``file``, ``item`` or a synonym says), ``content``,
        ``style`` and ``condition`` where they are there, then all others under their own names. The index holds the
        row's number in the file.

    Raises:
        TableError: the file cannot be read, or a row has not as many cells as the header.
    """
    options = ReadOptions()
    cells = split(decode(path, read_bytes(path), None, notes), str(path), notes)
    if cells.lengths is not None:
        _refuse_ragged(cells.frame, cells.lengths.tolist(), path)
    frame = name_columns(cells, str(path), options, notes).frame
    names = [str(name) for name in frame.columns]
    columns = resolve(names, str(path), options)
    table: dict[str, pd.Series] = {}
    named: list[str] = [name for name in ("file", "item") if name in names]
    if not named:
        refuse_rivals(columns, str(path), ["item"])
        named = columns.of.get("item", [])
    for name in named:
        text = tidy_names(frame[name], "item", {})
        table["item"] = text.where(table["item"] == "", table["item"]) if "item" in table else text
    table |= {role: tidy_names(frame[found], role, notes) for role in _ROLES if (found := columns.one(role))}
    used = {*named, *(name for role in _ROLES for name in columns.of.get(role, []))}
    table |= {name: tidy_names(frame[name], name, {}) for name in names if name not in used and name}
    return pd.DataFrame(table, index=frame.index)


def factor_value(text: str) -> int | float | str:
    """Return a factor's level as a number where it is one: ``0.5`` and ``0,5``, never ``007``."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text.replace(",", ".")) if _DECIMAL.fullmatch(text) else text


def _refuse_ragged(frame: pd.DataFrame, lengths: list[int], path: Path) -> None:
    filled = [place for place in range(len(frame)) if (frame.iloc[place] != "").any()]
    header = next((place for place in filled if "item" in map(role_of, frame.iloc[place])), filled[0])
    for place in filled[filled.index(header) + 1 :]:
        if lengths[place] != lengths[header]:
            raise TableError(
                f"{path}, line {frame.index[place]}: not as many values as the header has columns"
            )
