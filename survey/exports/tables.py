"""Tables as bytes: CSV, JSON and Parquet. The same table gives the same bytes."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

# Spreadsheet programs read a cell that starts with one of these as a formula (OWASP, "CSV injection").
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
# Rows of a piece.
_ROWS: Final = 50_000
_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return `table` as CSV: UTF-8, RFC 4180 quoting, lines ending in LF, empty for missing.

    Floats are written in full (the shortest digits that read back as the same number), and times in ISO 8601 UTC.
    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    return b"".join(csv_parts(table))


def csv_parts(table: pd.DataFrame) -> Iterator[bytes]:
    """Return the same in pieces, so that a long table is never in memory as text."""
    for start in range(0, max(len(table), 1), _ROWS):
        part = neutralised(_plain_times(table.iloc[start : start + _ROWS]))
        text: str = part.to_csv(index=False, header=start == 0, lineterminator="\n")
        yield text.encode()


def parquet_bytes(table: pd.DataFrame, stamp: Mapping[str, Any]) -> bytes:
    """Return `table` as Parquet, with the stamp as JSON in the file's metadata key `nstsite`. Times keep their type."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({"nstsite": json.dumps(clean(stamp), sort_keys=True)})
    buffer = io.BytesIO()
    pq.write_table(arrow, buffer, compression="zstd")
    return buffer.getvalue()


def json_bytes(value: Any) -> bytes:
    """Return `value` as indented UTF-8 JSON. Tables become lists of records, one a line; NaN becomes null."""
    return (_json(value, "\n") + "\n").encode()


def json_parts(table: pd.DataFrame) -> Iterator[bytes]:
    """Return what `json_bytes` does of a table with rows, in pieces."""
    for start in range(0, len(table), _ROWS):
        rows = ",\n  ".join(map(_encode, records(table.iloc[start : start + _ROWS])))
        yield f"{',' if start else '['}\n  {rows}".encode()
    yield b"\n]\n"


def _json(value: Any, line: str) -> str:
    """Return `value` as JSON, with `line` at the start of each line."""
    inner = line + "  "
    if isinstance(value, Mapping) and value:
        parts = [f"{_encode(str(key))}: {_json(item, inner)}" for key, item in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{line}}}"
    rows = clean(value)
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        return f"[{inner}{f',{inner}'.join(map(_encode, rows))}{line}]"
    return _encode(rows)


# Python's encoder with `indent` takes twenty times as long.
_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def neutralised(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy whose text cells and column names cannot run as formulas in a spreadsheet."""
    result = table.rename(columns=neutral)
    for name in result.columns:
        column = result[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            # As text: two categories that differ only by the apostrophe would collide.
            column = column.astype("object")
        if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
            result[name] = column.map(neutral, na_action="ignore")
    return result


def neutral(value: Any) -> Any:
    """Return `value`, with an apostrophe before text that begins like a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the table's rows as dictionaries of Python values, with None for missing values."""
    plain = _plain_times(table)
    names = [str(name) for name in plain.columns]
    columns = [_plain_values(plain.iloc[:, i]) for i in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain_values(column: pd.Series[Any]) -> list[Any]:
    """Return a column's values, each converted by `clean`."""
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


def _plain_times(table: pd.DataFrame) -> pd.DataFrame:
    times = {
        name: table[name].dt.tz_convert("UTC").dt.strftime(_TIME)
        for name in table.columns
        if isinstance(table[name].dtype, pd.DatetimeTZDtype)
    }
    return table.assign(**times)
