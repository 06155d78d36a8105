"""Sheets of XLSX, XLSM, XLSB, XLS and ODS workbooks as cells."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from contextlib import suppress
from functools import reduce
from pathlib import Path
from typing import Any, Final

from survey.analysis.reading.cells import Cells, cells_of
from survey.analysis.table import TableError

WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""How files begin that may be a workbook: ZIP (XLSX, XLSB, ODS) and OLE (XLS)."""

_EXACT: Final = 10**15
"""Spreadsheets keep 15 digits of a number."""

_MAX_CELLS: Final = 100_000_000
"""Of one sheet, empty ones included: the reader keeps 24 bytes for each cell from the first value to the last."""

_CHUNK: Final = 1 << 20

# A cell that holds something. An empty one, which has a format only, closes itself.
_FILLED: Final = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"(?:[^>]*[^>/])?>')


def sheet_names(path: Path, data: bytes) -> list[str]:
    """Return the names of a workbook's sheets; TableError where it is none, or a sheet would take all memory."""
    names = list(_workbook(path, data).sheet_names)
    _refuse_far_cells(path, data)
    return names


def sheet_cells(path: Path, data: bytes, name: str, notes: dict[str, str]) -> Cells:
    """Return the cells of one sheet as text; notes get numbers whose last digits the workbook has lost."""
    book = _workbook(path, data)
    try:
        rows: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except Exception as error:  # As below: of a sheet's own part.
        raise _unreadable(path, error, f"its sheet {name!r} is none that") from None
    lost = next((v for row in rows for v in row if type(v) in (int, float) and abs(v) >= _EXACT), None)
    if lost is not None:
        notes["long_numbers"] = (
            f"a number of more than 15 digits ({lost:.0f}) is stored as a number: the workbook keeps 15 digits, so names "
            "that differ in later ones are one; store them as text"
        )
    return cells_of([[_text(value) for value in row] for row in rows])


def choose_sheet(path: Path, names: list[str], wanted: str | None) -> list[str]:
    """Return the sheets that may be meant: the wanted one, or all.

    Raises:
        TableError: no sheet has the wanted name.
    """
    if wanted is None:
        return names
    if wanted in names:
        return [wanted]
    same = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    if len(same) == 1:
        return same
    if wanted.isdigit() and 1 <= int(wanted) <= len(names):
        return [names[int(wanted) - 1]]
    raise TableError(f"{path}: --sheet: no sheet {wanted!r}; there are {', '.join(map(repr, names[:20]))}")


def _refuse_far_cells(path: Path, data: bytes) -> None:
    """Refuse an XLSX workbook in which a value far from the others would take all memory.

    Raises:
        TableError: it has such a value.
    """
    if not data.startswith(WORKBOOKS[0]):
        return
    # Of a damaged file the reader says what is wrong.
    damage = suppress(zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError)
    with damage, zipfile.ZipFile(io.BytesIO(data)) as book:
        for part in book.namelist():
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", part):
                continue
            column, row = _last_filled(book, part)
            if _number(column) * row > _MAX_CELLS:
                raise TableError(
                    f"{path}: a sheet holds values as far as column {column} and row {row}: clear the cells far from the "
                    "table, or copy the table to a new sheet"
                )


def _last_filled(book: zipfile.ZipFile, part: str) -> tuple[str, int]:
    """Return the last column and the last row of a sheet in which a cell holds something."""
    columns, row, rest = {"A"}, 1, b""
    with book.open(part) as xml:
        while chunk := xml.read(_CHUNK):
            text, _, rest = (rest + chunk).rpartition(b"<")
            rest = b"<" + rest
            if cells := _FILLED.findall(text):  # They come row by row.
                columns |= {letters.decode() for letters in {letters for letters, _ in cells}}
                row = int(cells[-1][1])
    return max(columns, key=_number), row


def _number(column: str) -> int:
    """Return 1 for column A, 27 for AA."""
    return reduce(lambda number, letter: number * 26 + ord(letter) - ord("@"), column, 0)


def _workbook(path: Path, data: bytes) -> Any:
    # Imported here: few files are workbooks.
    import python_calamine

    try:
        return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except python_calamine.PasswordError:
        raise TableError(f"{path}: the workbook has a password: save it without one") from None
    except Exception as error:  # The reader reports damage by many types.
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception, what: str = "not a workbook that") -> TableError:
    return TableError(f"{path}: {what} can be read ({error}): save it as XLSX, ODS or CSV")


def _text(value: Any) -> str:
    """Return a cell as a person would write it: 4.0 is 4, a date is in ISO 8601."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e18 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, dt.timedelta):
        return f"{value.total_seconds():g} s"
    return str(value)
