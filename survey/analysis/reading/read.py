"""Any ratings file as checked ratings: the one reader that everything else uses."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from survey.analysis.reading.assignments import assigned
from survey.analysis.reading.columns import listed
from survey.analysis.reading.decoding import decode, read_bytes
from survey.analysis.reading.dialect import split
from survey.analysis.reading.header import Named, name_columns
from survey.analysis.reading.html import html_cells, is_html
from survey.analysis.reading.interchange import (
    PARQUET,
    json_table,
    json_value,
    name_matrix,
    parquet_table,
    rating_files,
    with_unrated,
)
from survey.analysis.reading.interpret import Notes, interpret
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.people import join_people, with_person
from survey.analysis.reading.sheets import WORKBOOKS, choose_sheet, sheet_cells, sheet_names
from survey.analysis.table import Ratings, TableError
from survey.analysis.terms import IMAGES

_DEFAULT: Final = ReadOptions()


def read_ratings(path: str | Path, options: ReadOptions = _DEFAULT) -> Ratings:
    """Read a ratings file of any form.

    Returns:
        The checked ratings; their notes say all that was read in another way than literally.

    Raises:
        TableError: the file holds no ratings, or what it holds cannot be told; the message is one line with the place
            and the fix.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path, options)
    data = read_bytes(path)
    if data.startswith(WORKBOOKS):
        return _read_workbook(path, data, options)
    if options.sheet is not None:
        raise TableError(f"{path}: --sheet: the file is no workbook")
    notes: Notes = {}
    ratings = interpret(table_of(path, data, options, notes), str(path), options, notes)
    return with_unrated(path, ratings) if ratings.terms is IMAGES else ratings


def table_of(path: Path, data: bytes, options: ReadOptions, notes: Notes) -> Named:
    """Return the table of a file that is no workbook, of its bytes."""
    if data.startswith(PARQUET):
        return parquet_table(path, data)
    text = decode(path, data, options.encoding, notes)
    value = json_value(path, text)
    if value is None:
        value = assigned(text)
    if value is not None:
        return json_table(path, value, notes)
    if is_html(text):
        return name_columns(html_cells(text, str(path), notes), str(path), options, notes)
    if re.match(r"\s*\\(?:begin|documentclass|toprule)", text):
        raise TableError(f"{path}: a LaTeX table, not a table of cells: save the data as CSV, XLSX or ODS")
    named = name_columns(split(text, str(path), notes), str(path), options, notes)
    return name_matrix(path, named, notes) if named.matrix else named


def _read_folder(folder: Path, options: ReadOptions) -> Ratings:
    """Read the file of a folder that holds its ratings, or one file for each participant."""
    files = rating_files(folder)
    read: dict[Path, Ratings] = {}
    refused: dict[Path, TableError] = {}
    for path in files:
        try:
            read[path] = read_ratings(path, options)
        except TableError as error:
            refused[path] = error
    if len(files) == 1 and refused:
        raise refused[files[0]]
    if not read:
        read = {path: found for path in files if (found := _of_one_person(path, options)) is not None}
    if len(read) > 1 and (
        joined := join_people({path.stem: read[path] for path in read}, "files", str(folder))
    ):
        left = [path.name for path in files if path not in read]
        return replace(joined, notes=joined.notes | ({"files": f"not read: {listed(left)}"} if left else {}))
    if len(read) != 1:
        shown = ", ".join(path.name for path in read or files)
        raise TableError(
            f"{folder}: a folder with {'several' if read else 'no'} files of ratings ({shown}): name the file"
        )
    ((path, ratings),) = read.items()
    return replace(ratings, notes={"file": f"{path.relative_to(folder)} of the folder"} | ratings.notes)


def _of_one_person(path: Path, options: ReadOptions) -> Ratings | None:
    """Read a file of items and ratings whose name is the participant's; None for any other file."""
    data, notes = read_bytes(path), Notes()
    if data.startswith(WORKBOOKS):
        return None
    try:
        named = with_person(table_of(path, data, options, notes), path.stem, str(path), options)
        return None if named is None else interpret(named, str(path), options, notes)
    except TableError:
        return None


def _read_workbook(path: Path, data: bytes, options: ReadOptions) -> Ratings:
    """Read the sheet of ratings: the one that is asked for, or the only one that holds ratings."""
    read: dict[str, Ratings] = {}
    people: dict[str, Ratings] = {}
    refused: dict[str, TableError] = {}
    names = choose_sheet(path, sheet_names(path, data), options.sheet)
    if len(own := [name for name in names if name.strip().casefold() == "ratings"]) == 1:
        names = [*own, *(name for name in names if name not in own)]
    for name in names:
        notes: Notes = {}
        source = f"{path}, sheet {name!r}" if len(names) > 1 else str(path)
        cells = sheet_cells(path, data, name, notes)
        if not len(cells.frame):
            continue
        try:
            named = name_columns(cells, source, options, notes)
            alone = with_person(named, name, source, options)
            if alone is not None and len(names) > 1:
                people[name] = interpret(alone, source, options, dict(notes))
            read[name] = interpret(named, source, options, notes)
        except TableError as error:
            refused[name] = error
        if own and name in read:
            break
    several = read if len(read) > 1 else people if not read else {}
    if len(several) > 1 and (joined := join_people(several, "sheets", str(path))):
        return joined
    if len(read) > 1:
        raise TableError(
            f"{path}: sheets {listed(list(read))} hold ratings: say which by --sheet {next(iter(read))!r}"
        )
    if not read and not refused:
        raise TableError(f"{path}: the workbook is empty")
    if not read:
        raise next(iter(refused.values()))
    ((name, ratings),) = read.items()
    if len(names) == 1:
        return ratings
    return replace(ratings, notes={"sheet": f"sheet {name!r} of {len(names)}"} | ratings.notes)
