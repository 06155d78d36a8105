"""Text as a table of cells: the delimiter and quotes are found out, quotes that are no pairs are refused."""

from __future__ import annotations

import csv
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import Final

import numpy as np
import pandas as pd

from survey.analysis.reading.cells import Cells
from survey.analysis.reading.roles import role_of
from survey.analysis.table import TableError

_USUAL: Final = ",;\t|"
_RARE: Final = " ^~:!&#$%/*\x1f\x01§¦·¬"
_SAMPLE: Final = 200
_SEP_LINE: Final = re.compile(r'^"?sep=(\\t|.)"?$', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How cells are parted: ``quote`` encloses a cell that holds the delimiter, ``escape`` precedes a quote inside."""

    delimiter: str
    quote: str = '"'
    escape: str | None = None

    def rows(self, text: str, *, strict: bool = False) -> Iterator[list[str]]:
        """Yield the rows of the text; with ``strict``, csv.Error for a quote that is no pair."""
        return csv.reader(
            StringIO(text),
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            doublequote=self.escape is None,
            skipinitialspace=True,
            strict=strict,
        )


def split(text: str, source: str, notes: dict[str, str]) -> Cells:
    """Return the cells of a delimited text; notes get a delimiter that is none of the usual ones.

    Raises:
        TableError: the text is empty, or a quoted cell does not end as one.
    """
    first = text.lstrip("\n").partition("\n")[0].strip()
    if not text.strip():
        raise TableError(
            f"{source}: the file is empty; the first line must name the columns participant, item, rating"
        )
    if found := _SEP_LINE.match(first):
        # The line stays as an empty row, so that row numbers are those of the file.
        dialect = Dialect({"\\t": "\t"}.get(found[1], found[1]), _quote(text))
        text = text.replace(first, "", 1)
    else:
        dialect = detect(text)
    dialect, lengths = _measure(text, dialect, source)
    if dialect.delimiter not in _USUAL:
        notes["delimiter"] = f"cells are parted by {dialect.delimiter!r}"
    frame = pd.read_csv(
        StringIO(text),
        sep=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        doublequote=dialect.escape is None,
        skipinitialspace=True,
        header=None,
        names=range(int(lengths.max())),
        index_col=False,
        dtype="str",
        keep_default_na=False,
        na_filter=False,
        skip_blank_lines=False,
        low_memory=False,
    )
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return Cells(frame, lengths[: len(frame)])


def detect(text: str) -> Dialect:
    """Return the dialect that parts the first rows best: known column names, then equally long rows, then many."""
    sample = "\n".join(islice((line for line in StringIO(text) if line.strip()), _SAMPLE)).replace(
        "\n\n", "\n"
    )
    quote = _quote(sample)
    best = max((Dialect(char, quote) for char in _USUAL), key=lambda dialect: _fit(sample, dialect))
    if _fit(sample, best)[2] < 2 or _fit(sample, best)[1] < 0.5:
        others = max((Dialect(char, quote) for char in _RARE), key=lambda dialect: _fit(sample, dialect))
        if _fit(sample, others)[:2] > (_fit(sample, best)[0], 0.9) and _fit(sample, others)[2] >= 2:
            return others
    return best


def _quote(text: str) -> str:
    """Single quotes only where most cells stand in them and none in double ones."""
    singles = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\n]|$)", text[:20_000]))
    return "'" if singles > 2 and '"' not in text[:20_000] and singles > text[:20_000].count("\n") else '"'


def _fit(sample: str, dialect: Dialect) -> tuple[int, float, int]:
    """How well a dialect parts the sample: known names in one row, share of rows of the usual length, that length."""
    rows = [[cell.strip() for cell in row] for row in dialect.rows(sample)]
    if dialect.delimiter == " ":
        rows = [row[:-1] if row and not row[-1] else row for row in rows]
    lengths = Counter(len(row) for row in rows if len(row) > 1)
    if not lengths:
        return 0, 0.0, 1
    usual, often = max(lengths.items(), key=lambda pair: (pair[1], pair[0]))
    known = max(
        (len({role_of(cell) for cell in row if cell} - {None}) for row in rows[:30] if len(row) > 1),
        default=0,
    )
    return known, often / len(rows), usual


def _measure(text: str, dialect: Dialect, source: str) -> tuple[Dialect, np.typing.NDArray[np.int64]]:
    """Return the dialect (with an escape where the text has one) and how many cells each row has."""
    if dialect.quote not in text and dialect.delimiter != " ":
        counts = array(
            "q", (line.count(dialect.delimiter) + bool(line.strip("\n")) for line in StringIO(text))
        )
        return dialect, np.maximum(np.frombuffer(counts, np.int64), 1)
    try:
        return dialect, _scan(text, dialect, source)
    except TableError:
        if f"\\{dialect.quote}" not in text:
            raise
        dialect = Dialect(dialect.delimiter, dialect.quote, "\\")
        return dialect, _scan(text, dialect, source)


def _scan(text: str, dialect: Dialect, source: str) -> np.typing.NDArray[np.int64]:
    lengths = array("q")
    lines = text.split("\n")
    reader = dialect.rows(text, strict=True)
    long: list[tuple[int, int]] = []
    end = 0
    try:
        for row in reader:
            start, end = end, reader.line_num  # type: ignore[attr-defined]
            lengths.append(max(len(row), 1))
            if end - start > 1:
                long.append((start, end))
    except csv.Error as error:
        line = _open_quote(lines, end, dialect)
        raise TableError(
            f"{source}: line {line}: the quoted cell that begins here does not end as one ({error}): remove the stray "
            "quotation mark, or double it inside a quoted cell"
        ) from None
    usual = Counter(lengths).most_common(1)[0][0]
    for start, end in long:
        if usual > 1 and all(line.count(dialect.delimiter) == usual - 1 for line in lines[start:end]):
            line = _open_quote(lines[:end], start, dialect)
            raise TableError(
                f"{source}: line {line}: the quoted cell that begins here takes in the table's next {end - line} "
                f"line{'s' if end - line > 1 else ''}: remove the stray quotation mark"
            )
    return np.frombuffer(lengths, np.int64)


def _open_quote(lines: list[str], start: int, dialect: Dialect) -> int:
    """Return the line, from 1, on which the first quoted cell after line ``start`` begins that does not end on its line."""
    for number in range(start, len(lines)):
        if lines[number].count(dialect.quote) % 2:
            return number + 1
    return start + 1
