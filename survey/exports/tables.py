"""Tables as bytes: CSV, JSON and Parquet. The same table gives the same bytes."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from survey.exports.columns import times_as_text, written
from survey.exports.folder import Files

# Spreadsheet programs read a cell that starts with one of these as a formula (OWASP, "CSV injection").
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
# Rows of a piece.
_ROWS: Final = 10_000
# Characters of a piece.
_PIECE: Final = 2**20


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return `table` as CSV: UTF-8, RFC 4180 quoting, lines ending in LF, empty for missing.

    Floats are written in full (the shortest digits that read back as the same number), and times in ISO 8601 UTC.
    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    return b"".join(csv_parts(table))


def csv_parts(table: pd.DataFrame) -> Iterator[bytes]:
    """Return the same in pieces, so that a long table is never in memory as text."""
    for start in range(0, max(len(table), 1), _ROWS):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if start == 0:
            writer.writerow(map(neutral, table.columns))
        writer.writerows(_lines(table.iloc[start : start + _ROWS], _csv_cell))
        yield text.getvalue().encode()


def csv_of(tables: Mapping[str, pd.DataFrame]) -> Files:
    """Return each table as a CSV file."""
    return Files({f"{name}.csv": partial(csv_parts, table) for name, table in tables.items()})


def _lines(table: pd.DataFrame, write: Callable[[Any], str]) -> Iterator[tuple[str, ...]]:
    return zip(*(written(column, write) for _, column in table.items()), strict=True)


def _csv_cell(value: Any) -> str:
    return "" if value is None else neutral(value) if isinstance(value, str) else str(value)


def parquet_bytes(table: pd.DataFrame, stamp: Mapping[str, Any]) -> bytes:
    """Return `table` as Parquet, with the stamp as JSON in the file's metadata key `nstsite`. Times keep their type."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({"nstsite": json.dumps(clean(stamp), sort_keys=True)})
    buffer = io.BytesIO()
    pq.write_table(arrow, buffer, compression="zstd")
    return buffer.getvalue()


def json_bytes(value: Any) -> bytes:
    """Return `value` as indented UTF-8 JSON. Tables become lists of records, one a line; NaN becomes null."""
    return b"".join(json_parts(value))


def json_parts(value: Any) -> Iterator[bytes]:
    """Return the same in pieces, so that a long table is never in memory as text."""
    waiting, size = [], 0
    for text in _json(value, "\n"):
        waiting.append(text)
        size += len(text)
        if size > _PIECE:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    yield ("".join(waiting) + "\n").encode()


def _json(value: Any, line: str) -> Iterator[str]:
    """Return `value` as JSON in short texts, with `line` at the start of each line."""
    inner = line + "  "
    if isinstance(value, Mapping) and value:
        for number, (key, item) in enumerate(value.items()):
            yield f"{',' if number else '{'}{inner}{_encode(str(key))}: "
            yield from _json(item, inner)
        yield f"{line}}}"
    elif (rows := _json_rows(value)) is not None:
        for number, row in enumerate(rows):
            yield f"{',' if number else '['}{inner}{row}"
        yield f"{line}]"
    else:
        yield _encode(clean(value))


def _json_rows(value: Any) -> Iterator[str] | None:
    """Return each row of a table, or of a list of dictionaries, as JSON; None for anything else or without rows."""
    if isinstance(value, pd.DataFrame) and len(value):
        return _json_records(value)
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        return (_encode(clean(row)) for row in value)
    return None


def _json_records(table: pd.DataFrame) -> Iterator[str]:
    names = (_encode(str(name)).replace("%", "%%") for name in table.columns)
    template = f"{{{', '.join(f'{name}: %s' for name in names)}}}"
    for start in range(0, len(table), _ROWS):
        for row in _lines(table.iloc[start : start + _ROWS], _json_cell):
            yield template % row


def _json_cell(value: Any) -> str:
    # As the encoder writes it, which takes a generator and a list for one number.
    kind = type(value)
    if kind is int or (kind is float and math.isfinite(value)):
        return repr(value)
    if kind is list:
        return f"[{', '.join(map(_json_cell, value))}]"
    return _encode(clean(value))


# Python's encoder with `indent` takes twenty times as long.
_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def neutral(value: Any) -> Any:
    """Return `value`, with an apostrophe before text that begins like a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the table's rows as dictionaries of Python values, with None for missing values."""
    names = [str(name) for name in table.columns]
    columns = [plain_values(column) for _, column in table.items()]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def plain_values(column: pd.Series[Any]) -> list[Any]:
    """Return a column's values, each converted by `clean`, and times as text."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = times_as_text(column)
    values: list[Any] = column.astype("object").where(column.notna(), None).tolist()
    return [value if type(value) in _PLAIN else clean(value) for value in values]


# Types of most values, which need no conversion.
_PLAIN: Final = (str, int, bool, type(None))


def clean(value: Any) -> Any:
    """Return `value` in JSON types: NumPy scalars unwrapped, NaN and infinities as None, tables as records."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.DataFrame):
        return records(value)
    if isinstance(value, Mapping):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [clean(item) for item in value]
    return value
