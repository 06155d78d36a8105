"""All tables in one XLSX workbook, one sheet each."""

from __future__ import annotations

import math
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import IO, Any, Final

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from survey.analysis.report.report import stamp_rows
from survey.exports.columns import times_as_text, written
from survey.exports.folder import COMPRESSION, pieces_of_file
from survey.exports.tables import clean

_ROWS: Final = 1_048_575
"""Rows that a sheet holds below its header (ECMA-376)."""


# Rows turned into Python values at a time.
_CHUNK: Final = 10_000
# Number of texts that determine a column's width, and its largest width in characters.
_LOOKED_AT: Final = 500
_WIDEST: Final = 60
# Smaller numbers would show as 0.000.
_SMALL: Final = 0.0005


# Characters that a cell holds (ECMA-376).
_LONGEST: Final = 32_767
_MISSING: Final = "/>"


# XlsxWriter has no option for it.
xlsxwriter.workbook.ZipFile = partial(zipfile.ZipFile, compresslevel=COMPRESSION)


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
    return b"".join(workbook_parts(tables, stamp))


def workbook_parts(tables: Mapping[str, pd.DataFrame], stamp: Mapping[str, Any]) -> Iterator[bytes]:
    """Return the same in pieces, made on disk."""
    with tempfile.TemporaryFile() as file:
        _write_workbook(file, tables, stamp)
        yield from pieces_of_file(file)


def stamp_of(title: str, said_simulated: str, stamp: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stamp of a study's workbook: its title, what is said where a program made the ratings, and the analysis."""
    return {"study": title, **({"note": said_simulated} if said_simulated else {}), **stamp}


def _write_workbook(file: IO[bytes], tables: Mapping[str, pd.DataFrame], stamp: Mapping[str, Any]) -> None:
    # A sheet of 100,000 ratings would take half a gigabyte.
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
        # The time of writing would make every file differ.
        workbook.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
        formats = _Formats(
            workbook.add_format({"bold": True, "bottom": 1}),
            workbook.add_format({"num_format": "0.000"}),
            workbook.add_format({"num_format": "0.00E+00"}),
        )
        workbook.add_worksheet("stamp", _Sheet).write_table(_stamp_table(stamp), formats)
        for name, table in tables.items():
            for part, start in enumerate(range(0, max(len(table), 1), _ROWS), 1):
                sheet = name if part == 1 else f"{name} {part}"
                workbook.add_worksheet(sheet[:31], _Sheet).write_table(
                    table.iloc[start : start + _ROWS], formats
                )


class _Sheet(Worksheet):  # type: ignore[misc]  # XlsxWriter has no types
    """A sheet that writes the rows of a table itself.

    Cell by cell XlsxWriter takes five times as long, and writes text between `<r>` and `</r>` as XML.
    """

    def write_table(self, table: pd.DataFrame, formats: _Formats) -> None:
        """Write a table: a header that stays, rows, widths and filters."""
        for column, heading in enumerate(table.columns):
            self.write_string(0, column, str(heading), formats.heading)
        if len(table):
            # What is written below goes to the file behind the header.
            self._write_single_row(1)
            self._check_dimensions(len(table), len(table.columns) - 1)
            self._write_rows(table, formats)
            self.autofilter(0, 0, len(table), len(table.columns) - 1)
        looked_at = table.iloc[:_LOOKED_AT]
        for place, (name, values) in enumerate(looked_at.items()):
            self.set_column(place, place, _width(str(name), values))
        self.freeze_panes(1, 0)

    def _write_rows(self, table: pd.DataFrame, formats: _Formats) -> None:
        # A column without any value has no cells.
        filled = [(place, column) for place, (_, column) in enumerate(table.items()) if column.notna().any()]
        cells = "".join(f'<c r="{xl_col_to_name(place)}%s"%s' for place, _ in filled)
        row = f'<row r="%s">{cells}</row>'
        columns = [(column, self._writer(column, formats)) for _, column in filled]
        for start in range(0, len(table), _CHUNK):
            end = min(start + _CHUNK, len(table))
            # The first row of the sheet is the header, and rows count from 1.
            lines = [str(number) for number in range(start + 2, end + 2)]
            texts = [
                side for column, write in columns for side in (lines, written(column.iloc[start:end], write))
            ]
            self.row_data_fh.writelines(row % values for values in zip(lines, *texts, strict=True))

    def _writer(self, column: pd.Series[Any], formats: _Formats) -> Callable[[Any], str]:
        """Return what writes a column's values as the rest of a cell, behind its address."""
        has_fractions = _has_fractions(column)
        styles: dict[Any, str] = {}

        def number(value: float) -> str:
            if not has_fractions:
                return f"><v>{value!r}</v></c>"
            form = formats.of_number(value)
            if form not in styles:
                styles[form] = f' s="{form._get_xf_index()}"'
            return f"{styles[form]}><v>{value!r}</v></c>"

        def write(value: Any) -> str:
            # Most values first, by their type: this runs for every other cell.
            kind = type(value)
            if kind is float and math.isfinite(value):
                return number(value)
            if kind is str:
                return f' t="inlineStr"><is>{self._text(value)}</is></c>'
            value = clean(value)
            if value is None:
                return _MISSING
            if isinstance(value, bool):
                return f' t="b"><v>{value:d}</v></c>'
            if isinstance(value, str):
                return f' t="inlineStr"><is>{self._text(value)}</is></c>'
            return number(value)

        return write

    def _text(self, value: str) -> str:
        fits = value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
        space = ' xml:space="preserve"' if fits != fits.strip() else ""
        return f"<t{space}>{self._escape_data(self._escape_control_characters(fits))}</t>"


def _stamp_table(stamp: Mapping[str, Any]) -> pd.DataFrame:
    rows = stamp_rows(stamp)
    values = [
        stamp[key] if isinstance(stamp[key], bool | int | float) else "; ".join(lines) for key, lines in rows
    ]
    return pd.DataFrame({"entry": [key for key, _ in rows], "value": pd.Series(values, dtype=object)})


def _has_fractions(column: pd.Series[Any]) -> bool:
    """Return whether any number of a column is not whole."""
    if pd.api.types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        return bool((numbers[np.isfinite(numbers)] % 1 != 0).any())
    if column.dtype != object:
        return False
    return any(isinstance(value, float) and math.isfinite(value) and value % 1 != 0 for value in column)


def _width(heading: str, column: pd.Series[Any]) -> int:
    """Return a column's width in characters: that of its longest text plus the filter's arrow."""
    values = times_as_text(column) if isinstance(column.dtype, pd.DatetimeTZDtype) else column
    # What is missing is shorter than the least width, whatever it is called here.
    shown = (f"{value:.3f}" if isinstance(value, float) else str(value) for value in values.tolist())
    return min(max(len(heading) + 3, *(len(text) + 1 for text in shown), 6), _WIDEST)
