"""All tables in one XLSX workbook, one sheet each."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd
import xlsxwriter

from survey.analysis.report.report import stamp_rows
from survey.exports.tables import records

_ROWS: Final = 1_048_575
"""Rows that a sheet holds below its header (ECMA-376)."""


# Rows turned into Python values at a time.
_CHUNK: Final = 5000
# Number of texts that determine a column's width, and its largest width in characters.
_LOOKED_AT: Final = 500
_WIDEST: Final = 60
# Smaller numbers would show as 0.000.
_SMALL: Final = 0.0005


@dataclass(frozen=True)
class _Formats:
    """The workbook's formats."""

    heading: Any
    decimals: Any
    power: Any

    def of_number(self, value: float) -> Any:
        """Return the format of a number in a column with fractions."""
        return self.power if 0 < abs(value) < _SMALL else self.decimals


def workbook_bytes(tables: Mapping[str, pd.DataFrame], stamp: Mapping[str, Any]) -> bytes:
    """Return a workbook with the stamp first, then one sheet for each table, with a frozen header and filters.

    Numbers and truth values keep their types. Numbers are stored in full. They are shown with three decimals, or with
    none in a column of whole numbers; very small ones are shown as powers of ten. No cell is a formula or a link,
    whatever its text. A table longer than a sheet continues on the next.
    """
    buffer = io.BytesIO()
    options = {
        # A sheet of 100,000 ratings would take half a gigabyte.
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, options) as workbook:
        # The time of writing would make every file differ.
        workbook.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
        formats = _Formats(
            workbook.add_format({"bold": True, "bottom": 1}),
            workbook.add_format({"num_format": "0.000"}),
            workbook.add_format({"num_format": "0.00E+00"}),
        )
        _write(workbook, "stamp", _stamp_table(stamp), formats)
        for name, table in tables.items():
            for part, start in enumerate(range(0, max(len(table), 1), _ROWS), 1):
                sheet = name if part == 1 else f"{name} {part}"
                _write(workbook, sheet, table.iloc[start : start + _ROWS], formats)
    return buffer.getvalue()


def _stamp_table(stamp: Mapping[str, Any]) -> pd.DataFrame:
    rows = stamp_rows(stamp)
    values = [
        stamp[key] if isinstance(stamp[key], bool | int | float) else "; ".join(lines) for key, lines in rows
    ]
    return pd.DataFrame({"entry": [key for key, _ in rows], "value": pd.Series(values, dtype=object)})


def _write(workbook: Any, name: str, table: pd.DataFrame, formats: _Formats) -> None:
    """Write a sheet row by row: the workbook keeps no row in memory but the one being written."""
    sheet = workbook.add_worksheet(name[:31])
    for column, heading in enumerate(table.columns):
        sheet.write_string(0, column, str(heading), formats.heading)
    has_fractions = [_has_fractions(values) for _, values in table.items()]
    for start in range(0, len(table), _CHUNK):
        for line, row in enumerate(records(table.iloc[start : start + _CHUNK]), start + 1):
            for column, value in enumerate(row.values()):
                if isinstance(value, bool):
                    sheet.write_boolean(line, column, value)
                elif isinstance(value, str):
                    sheet.write_string(line, column, value)
                elif value is not None:
                    number_format = formats.of_number(value) if has_fractions[column] else None
                    sheet.write_number(line, column, value, number_format)
    looked_at = records(table.iloc[:_LOOKED_AT])
    for column, heading in enumerate(map(str, table.columns)):
        sheet.set_column(column, column, _width(heading, [row[heading] for row in looked_at]))
    sheet.freeze_panes(1, 0)
    if len(table):
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)


def _has_fractions(column: pd.Series[Any]) -> bool:
    """Return whether any number of a column is not whole."""
    if pd.api.types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        return bool((numbers[np.isfinite(numbers)] % 1 != 0).any())
    if column.dtype != object:
        return False
    return any(isinstance(value, float) and math.isfinite(value) and value % 1 != 0 for value in column)


def _width(heading: str, values: Sequence[Any]) -> int:
    """Return a column's width in characters: that of its longest text plus the filter's arrow."""
    shown = (f"{value:.3f}" if isinstance(value, float) else str(value) for value in values)
    return min(max(len(heading) + 3, *(len(text) + 1 for text in shown), 6), _WIDEST)
