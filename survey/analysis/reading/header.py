"""Where a table begins and what its columns are called: preambles, headers, identifier lines, rows that are no ratings."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from survey.analysis.reading.cells import Cells
from survey.analysis.reading.missing import MISSING
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import REQUIRED, role_of
from survey.analysis.reading.wording import clean
from survey.analysis.table import TableError

_LOOKED_AT: Final = 60
_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_FOOTNOTE: Final = re.compile(
    r"\s*(?:\*|†|(?:notes?|sources?|legend|anmerkung(?:en)?|quellen?|remarques?|nota|fuente)\b)",
    re.IGNORECASE,
)
_RESPONSES: Final = frozenset(
    {
        "response",
        "open-ended response",
        "antwort",
        "offene antwort",
        "réponse",
        "réponse ouverte",
        "respuesta",
        "respuesta abierta",
    }
)
"""What SurveyMonkey writes under a question with one answer."""


@dataclass(frozen=True)
class Named:
    """A table with named columns.

    Attributes:
        frame: text cells; columns by their unique names, the index the row's number in the file.
        groups: where the header has two lines, the upper one's name for each column.
        numbered: whether the file has no header and columns are named by their number.
        matrix: whether the file is a bare matrix of numbers.
    """

    frame: pd.DataFrame
    groups: tuple[str, ...] = ()
    numbered: bool = False
    matrix: bool = False


def name_columns(cells: Cells, source: str, options: ReadOptions, notes: dict[str, str]) -> Named:
    """Find the header, name the columns and leave out rows that are none of the table; notes say which.

    Raises:
        TableError: no header can be found, two columns have one name, or a row has more cells than the header.
    """
    if not options.header:
        return _numbered(cells, source)
    top = [cells.row(place) for place in range(min(_LOOKED_AT, len(cells.frame)))]
    place = _find(top, options)
    if place is None:
        raise TableError(f"{source}: no table in it: a header must name the columns {', '.join(REQUIRED)}")
    if _is_bare(top, place):
        _refuse_row_numbers(cells.body(0).frame[0].tolist(), source)
        return _numbered(cells, source, matrix=True)
    if _is_data([row for row in top[place:] if any(row)]):
        raise TableError(
            f"{source}: row {cells.frame.index[place]} has no column names ({', '.join(top[place][:6])}): for a file without "
            "a header give --header none and --columns participant=1,item=2,rating=3"
        )
    if skipped := [row for row in top[:place] if any(row)]:
        notes["preamble"] = (
            f"{_count(len(skipped), 'line')} before the header left out: {_shorten(' '.join(skipped[0]).strip())}"
        )
    names, body = _trim(top[place], cells.body(place + 1), source, cells.frame.index[place], notes)
    body = _without_identifiers(body, notes)
    body = _without_footnotes(_without_rules(_without_comments(body, notes)), notes)
    groups: tuple[str, ...] = ()
    if second := _second_line(names, body):
        groups, names = _fill(names), second
        body = body.body(1)
        notes["header"] = "the header has two lines"
    else:
        body = _without_labels(body, notes)
    body = _without_headers(names, body, source, notes)
    _note_short(names, body, notes)
    if groups:
        frame = body.frame.set_axis(range(len(names)), axis=1)
        unique = [
            f"{group} {name}".strip() if group and group != name else name
            for group, name in zip(groups, names, strict=True)
        ]
    else:
        unique, frame = names, body.frame
    frame = frame.set_axis(_unique(unique, source), axis=1)
    return Named(_read_once(frame, notes), groups)


def _find(top: list[list[str]], options: ReadOptions) -> int | None:
    """Return the header's place: the first row with two known names, else the first that is as wide as the table."""
    wanted = {part.strip() for text in options.columns.values() for part in (text, *text.split("+"))}
    for place, row in enumerate(top):
        known = len({role_of(cell) for cell in row if cell} - {None})
        known = max(known, len(wanted & set(row)) + 1 if wanted & set(row) else 0)
        if known >= 2:
            return place
    widths = [sum(map(bool, row)) for row in top]
    filled = [width for width in widths if width > 1]
    if not filled:
        return next((place for place, width in enumerate(widths) if width), None)
    usual = Counter(filled).most_common(1)[0][0]
    place = next(place for place, width in enumerate(widths) if width > 1 and width >= usual - 1)
    names = [name for name in top[place] if name]
    # Names that stand there twice are told apart by the line above.
    return place - 1 if place and len(set(names)) < len(names) and widths[place - 1] else place


def _is_bare(top: list[list[str]], place: int) -> bool:
    """Whether the table is a bare matrix of numbers and missing codes, at least two by two."""
    rows = [row for row in top[place:] if any(row)]
    cells = [clean(cell) for row in rows for cell in row]
    if len(rows) < 2 or max(map(len, rows)) < 2 or not any(map(_NUMBER.fullmatch, cells)):
        return False
    # R writes an empty cell above the names of the rows.
    first = [clean(cell) for cell in rows[0][1 if not rows[0][0] else 0 :]]
    running = _counts_up(first)
    return not running and all(_NUMBER.fullmatch(cell) or cell.casefold() in MISSING for cell in cells)


def _counts_up(names: list[str]) -> bool:
    return names in ([str(n + start) for n in range(len(names))] for start in (0, 1))


def _is_data(rows: list[list[str]]) -> bool:
    """Whether the row that should be a header is a row of data: text and numbers where the next rows have them."""
    kinds = [[bool(_NUMBER.fullmatch(clean(cell))) if cell else None for cell in row] for row in rows[:3]]
    first = [cell for cell in rows[0] if cell]
    numbers = [clean(cell) for cell in first if _NUMBER.fullmatch(clean(cell))]
    if any(map(role_of, first)) or not numbers or len(numbers) == len(first):
        return False
    if len(rows) == 1:
        return len(first) == 3 and kinds[0][-1] is True
    # Participants may be called 1, 2, 3.
    named = (
        len(set(numbers)) == len(numbers)
        and len(numbers) >= len(first) - 1
        and all(map(str.isdigit, numbers))
    )
    return kinds[0] == kinds[1] and (len(first) <= 3 or not named)


def _refuse_row_numbers(first: list[str], source: str) -> None:
    """Raise TableError where a bare matrix begins with a column that counts its rows."""
    if len(first) > 2 and _counts_up([clean(cell) for cell in first]):
        raise TableError(
            f"{source}: a matrix without a header whose first column counts the rows: are these ratings? If they number "
            "the rows, add --header none --wide items --columns item=1 (or participant=1 with --wide participants)"
        )


def _numbered(cells: Cells, source: str, *, matrix: bool = False) -> Named:
    body = _without_comments(cells.body(0), {})
    if not len(body.frame):
        raise TableError(f"{source}: the file is empty")
    frame = body.frame.loc[:, [bool((body.frame[name] != "").any()) for name in body.frame.columns]]
    return Named(
        frame.set_axis([str(n) for n in range(1, frame.shape[1] + 1)], axis=1), numbered=True, matrix=matrix
    )


def _trim(
    names: list[str], body: Cells, source: str, row: object, notes: dict[str, str]
) -> tuple[list[str], Cells]:
    """Match the header's names with the columns: row names without a name, and empty columns at the end."""
    width = max((place + 1 for place, name in enumerate(names) if name), default=0)
    frame = body.frame
    used = [bool((frame[name] != "").any()) for name in frame.columns]
    last = max((place + 1 for place, use in enumerate(used) if use), default=0)
    if last <= width:
        return names[:width], Cells(frame.iloc[:, :width], body.lengths)
    above = "" in names[1:width] or (len(frame) > 2 and all(frame.iloc[0, : width - 1] == ""))
    if above and all(frame.iloc[0, width:last] != ""):
        # The last group of a header of two lines: its name stands over its first column only.
        return [*names[:width], *[""] * (last - width)], Cells(frame.iloc[:, :last], body.lengths)
    extra = frame.iloc[:, width:last]
    full = (extra != "").any(axis=1)
    if last == width + 1 and full.mean() > 0.9 and _has_row_names(names, frame[0]):
        # R's write.table names no column for the names of rows.
        notes["row_names"] = "rows have one cell more than the header: the first holds their names"
        return ["", *names[:width]], Cells(frame.iloc[:, :last], body.lengths)
    number = full.index[full][0]
    cells = [str(cell) for cell in frame.loc[number] if cell != ""]
    comma = "; a decimal comma in a file with commas?" if full.mean() > 0.5 else ""
    raise TableError(
        f"{source}: row {number} has more cells than the header in row {row} ({', '.join(names[:width][:20])}): "
        f"{_shorten(', '.join(cells))}{comma}"
    )


def _has_row_names(names: list[str], first: pd.Series) -> bool:
    """Whether the first column can be the names of rows: running numbers, in a wide table any names."""
    running = [str(n) for n in range(1, len(first) + 1)]
    if {role_of(name) for name in names} >= set(REQUIRED):
        return len(first) > 1 and first.tolist() == running
    return bool(names[0]) and first.is_unique


def _without_identifiers(body: Cells, notes: dict[str, str]) -> Cells:
    """Leave out the two lines that Qualtrics writes under its header: the questions' texts and identifiers."""
    for place in range(min(2, len(body.frame))):
        if any('"ImportId"' in cell or "'ImportId'" in cell for cell in body.row(place)):
            notes["identifier_lines"] = (
                f"{_count(place + 1, 'line')} under the header left out: texts and identifiers of Qualtrics"
            )
            return body.without(np.arange(len(body.frame)) <= place)
    return body


def _without_comments(body: Cells, notes: dict[str, str]) -> Cells:
    if not len(body.frame):
        return body
    first = body.frame[0].str.lstrip()
    rest = (
        (body.frame.iloc[:, 1:] != "").any(axis=1).to_numpy(bool)
        if body.width > 1
        else np.zeros(len(first), bool)
    )
    out = first.str.startswith(("#", "%", "//")).to_numpy(bool) & ~rest
    if not out.any():
        return body
    notes["comments"] = f"{_count(int(out.sum()), 'comment line')} left out (row {body.frame.index[out][0]})"
    return body.without(out)


def _without_footnotes(body: Cells, notes: dict[str, str]) -> Cells:
    """Leave out the last rows that hold one text alone: those that follow a blank row, or are called a note."""
    frame = body.frame
    if body.width < 2 or len(frame) < 2:
        return body
    alone = (frame.iloc[:, 1:] == "").all(axis=1).to_numpy(bool) & (frame[0] != "").to_numpy(bool)
    end = len(frame)
    while end > 1 and alone[end - 1]:
        end -= 1
    labels = frame.index.to_numpy(np.int64)
    found = [
        place
        for place in range(end, len(frame))
        if labels[place] - labels[place - 1] > 1 or _FOOTNOTE.match(frame[0].iloc[place])
    ]
    if not found:
        return body
    out = np.arange(len(frame)) >= found[0]
    notes["footnotes"] = (
        f"{_count(int(out.sum()), 'line')} under the table left out: {_shorten(frame[0].iloc[found[0]].strip())}"
    )
    return body.without(out)


def _without_rules(body: Cells) -> Cells:
    """Leave out the lines of dashes that tables in Markdown have between header and body."""
    rule = np.ones(len(body.frame), bool)
    for name in body.frame.columns:
        rule &= body.frame[name].str.fullmatch(r"\s*[:+=|-]*|\s*:?[-=+|]{2,}:?\s*").to_numpy(bool)
    return body.without(rule) if rule.any() else body


def _without_labels(body: Cells, notes: dict[str, str]) -> Cells:
    """Leave out a second line of labels: text where all other rows have numbers, or ``Response`` under each question."""
    if len(body.frame) < 2:
        return body
    first = [clean(cell) for cell in body.row(0)]
    filled = [cell for cell in first if cell]
    if not filled or any(map(_NUMBER.fullmatch, filled)):
        return body
    rest = body.frame.iloc[1:]
    labels = [
        cell
        for cell, name in zip(first, rest.columns, strict=True)
        if cell and cell.casefold() not in MISSING and _is_numeric(rest[name])
    ]
    if len(set(labels)) < 2 and not ("" in first and {cell.casefold() for cell in filled} <= _RESPONSES):
        return body
    notes["label_line"] = (
        f"the line under the header left out: labels of the columns ({_shorten(', '.join(filled))})"
    )
    return body.body(1)


def _is_numeric(column: pd.Series) -> bool:
    cells = [clean(str(cell)) for cell in column.unique()]
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    return bool(numbers) and all(_NUMBER.fullmatch(cell) or cell.casefold() in MISSING for cell in cells)


def _second_line(names: list[str], body: Cells) -> list[str]:
    """Return the names of a header's second line: text under a first line with gaps, or [] where there is none."""
    if len(body.frame) < 2 or sum(map(bool, names)) < 2:
        return []
    second = body.row(0)
    gaps = [place for place, name in enumerate(names) if not name and place > 1]
    repeats = len([n for n in names if n]) != len({n for n in names if n})
    if not gaps and not repeats:
        return []
    if any(_NUMBER.fullmatch(clean(cell)) for cell in second if cell) or not all(
        second[place] for place in gaps
    ):
        return []
    return [low or high for low, high in zip(second, names, strict=True)]


def _fill(names: list[str]) -> tuple[str, ...]:
    """Return the upper line's names, each carried to the right over its gaps."""
    filled: list[str] = []
    for name in names:
        filled.append(name or (filled[-1] if filled else ""))
    return tuple(filled)


def _without_headers(names: list[str], body: Cells, source: str, notes: dict[str, str]) -> Cells:
    """Leave out headers in the middle, where files were joined; refuse one with other columns in their place."""
    frame = body.frame
    if not len(frame):
        return body
    key = max(range(len(names)), key=lambda place: len(names[place]))
    near = (frame.iloc[:, key].str.strip() == names[key]).to_numpy(bool)
    other = np.zeros(len(frame), bool)
    roles = {role_of(name) for name in names} & set(REQUIRED)
    for column in range(body.width):
        other |= frame.iloc[:, column].str.strip().isin([name for name in names if name]).to_numpy(bool)
    out = np.zeros(len(frame), bool)
    for place in map(int, np.flatnonzero(near | other)):
        row = body.row(place)
        if row == names:
            out[place] = True
        elif len(roles) > 1 and sorted(row) == sorted(names):
            raise TableError(
                f"{source}: row {frame.index[place]} is a header with its columns in another order: {', '.join(row)}"
            )
    if not out.any():
        return body
    notes["headers"] = f"the header again in {_rows(frame.index[out])}: files joined into one; left out"
    return body.without(out)


def _note_short(names: list[str], body: Cells, notes: dict[str, str]) -> None:
    if body.lengths is None:
        return
    short = body.lengths < len(names)
    if short.any() and not short.all():
        notes["short_rows"] = (
            f"{_count(int(short.sum()), 'row')} with fewer cells than the header ({_rows(body.frame.index[short])})"
        )


def _unique(names: list[str], source: str) -> list[str]:
    named = [
        "" if not name and place == 0 else name or f"column {place + 1}" for place, name in enumerate(names)
    ]
    doubled = sorted({name for name in named if named.count(name) > 1})
    if doubled:
        raise TableError(f"{source}: column {doubled[0]!r} is there twice; rename one")
    return named


def _read_once(frame: pd.DataFrame, notes: dict[str, str]) -> pd.DataFrame:
    """Read a file that was joined to itself once: each part repeats the first row for row."""
    for parts in (2, 3, 4):
        rows = len(frame) // parts
        if rows < 4 or rows * parts != len(frame):
            continue
        first = frame.iloc[:rows]
        if frame.iloc[rows].tolist() != first.iloc[0].tolist() or first.duplicated().any():
            continue
        if all(
            frame.iloc[k * rows : (k + 1) * rows].reset_index(drop=True).equals(first.reset_index(drop=True))
            for k in range(1, parts)
        ):
            times = {2: "twice", 3: "three times", 4: "four times"}[parts]
            notes["file_repeated"] = (
                f"the file holds the same {rows} rows {times}, in the same order, as if joined to itself: they are read once"
            )
            return first
    return frame


def _rows(labels: pd.Index) -> str:
    shown = ", ".join(str(label) for label in labels[:5])
    more = f" and {len(labels) - 5} more" if len(labels) > 5 else ""
    return f"row{'s' if len(labels) > 1 else ''} {shown}{more}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
