"""All tables in one XLSX workbook, a sheet each."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import xlsxwriter

from survey.analysis.report.report import stamp_rows
from survey.exports.tables import records

_ROWS: Final = 1_048_575
"""Rows that a sheet holds below its header (ECMA-376)."""


def workbook_bytes(tables: Mapping[str, pd.DataFrame], stamp: Mapping[str, Any]) -> bytes:
    """Return a workbook with the stamp first, then one sheet for each table, header frozen and filterable.

    No cell is a formula or a link, whatever its text. A table longer than a sheet continues on the next.
    """
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, options) as workbook:
        # The moment of writing would make every file differ.
        workbook.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
        bold = workbook.add_format({"bold": True, "bottom": 1})
        _write(workbook, "stamp", _stamp_table(stamp), bold)
        for name, table in tables.items():
            for part, start in enumerate(range(0, max(len(table), 1), _ROWS), 1):
                sheet = name if part == 1 else f"{name} {part}"
                _write(workbook, sheet, table.iloc[start : start + _ROWS], bold)
    return buffer.getvalue()


def _stamp_table(stamp: Mapping[str, Any]) -> pd.DataFrame:
    rows = stamp_rows(stamp)
    return pd.DataFrame({"entry": [key for key, _ in rows], "value": ["; ".join(lines) for _, lines in rows]})


def _write(workbook: Any, name: str, table: pd.DataFrame, bold: Any) -> None:
    sheet = workbook.add_worksheet(name[:31])
    rows = records(table)
    for column, heading in enumerate(table.columns):
        sheet.write_string(0, column, str(heading), bold)
        sheet.set_column(column, column, min(max(len(str(heading)) + 2, 9), 60))
    for line, row in enumerate(rows, 1):
        for column, value in enumerate(row.values()):
            if isinstance(value, bool | str):
                sheet.write_string(line, column, str(value))
            elif value is not None:
                sheet.write_number(line, column, value)
    sheet.freeze_panes(1, 0)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(table.columns) - 1)
