"""An image set as a folder: images with readable names, and a CSV of their factors."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from generator.files.store import write_atomically
from generator.models import Cell, ImageSet

ITEMS_FILE: Final = "items.csv"
_FIRST: Final = ("file", "content", "style", "condition")
_LONGEST: Final = 100
#: Of the columns of covariates, so that they are taken for no factor.
PREFIX: Final = "covariate_"
#: The table in an archive of images.
TABLE: Final = "images.csv"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class FolderError(Exception):
    """A folder that cannot be written to; the one-line message gives the location and the fix."""


def readable_name(label: str) -> str:
    """Return a cell's label as a file name without suffix: "cat × wave, ratio 0.1" -> "cat-wave-ratio-0.1"."""
    plain = re.sub(r"[^\w.+]+", "-", label).strip("-.")
    return plain[:_LONGEST].rstrip("-.") or "image"


def free_name(stem: str, ending: str, used: set[str]) -> str:
    """Return a file name that none in `used` equals, in upper or lower case, and add it; a number tells equals apart."""
    name = next(name for name in _numbered(stem, ending) if name.casefold() not in used)
    used.add(name.casefold())
    return name


def named_images(cells: Iterable[Cell]) -> Iterator[tuple[str, Cell]]:
    """Yield each cell with a unique file name; names that differ only in case count as the same."""
    used: set[str] = set()
    for cell in cells:
        yield free_name(readable_name(cell.label), ".png", used), cell


def factor_rows(named: Iterable[tuple[str, Cell]]) -> list[dict[str, str]]:
    """Return a row for each image as text: file, content, style, condition, every factor, then what was measured."""
    rows = []
    for name, cell in named:
        factors = {key: value_text(value) for key, value in cell.factors.items()}
        own = {key: value for key, value in factors.items() if key not in ("content", "style")}
        pair = {"content": cell.content_name, "style": cell.style_name} | factors
        measured = {
            f"{PREFIX}{key}": value_text(value)
            for key, value in cell.covariates.items()
            if isinstance(value, int | float)
        }
        first = {
            "file": name,
            "content": pair["content"],
            "style": pair["style"],
            "condition": condition_of(own),
        }
        rows.append({**first, **own, **measured})
    return rows


def factors_csv(rows: list[dict[str, str]]) -> bytes:
    """Return such rows as CSV in UTF-8, as `create_study --images` reads it."""
    columns = list(dict.fromkeys([*_FIRST, *(key for row in rows for key in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def write_archive(image_set: ImageSet, target: IO[bytes]) -> int:
    """Write a ZIP of the finished images with readable names, and TABLE with their factors.

    The same images give the same bytes.

    Returns:
        The number of images.
    """
    named = list(named_images(image_set.cells.filter(status=Cell.Status.DONE).order_by("index")))
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo(TABLE, _EPOCH), factors_csv(factor_rows(named)), zipfile.ZIP_DEFLATED
        )
        for name, cell in named:
            with cell.image.open("rb") as file:
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), file.read(), zipfile.ZIP_STORED)
    return len(named)


def check_folder(folder: Path) -> None:
    """Make the folder if it is missing, and check that it can be written to.

    Raises:
        FolderError: If it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise FolderError(f"{folder}: is a file; name a folder") from None
    except OSError as error:
        raise FolderError(f"{folder}: cannot be made ({error.strerror}); name another folder") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FolderError(f"{folder}: cannot be written to; name another folder")
    _read_rows(folder / ITEMS_FILE)


def write_set(image_set: ImageSet, folder: Path) -> int:
    """Write the finished images of a set and their factors into a folder; return how many images.

    Other files stay. If a name is taken, the image gets a number; an existing table gets further rows.
    The same images get the same names when they are written again.

    Raises:
        FolderError: If the folder cannot be used.
        OSError: If a file cannot be written.
    """
    rows = {row["file"]: row for row in _read_rows(folder / ITEMS_FILE)}
    present = {path.name.casefold(): path for path in folder.iterdir()} if folder.is_dir() else {}
    named: dict[str, Cell] = {}
    for cell in image_set.cells.filter(status=Cell.Status.DONE).order_by("index"):
        with cell.image.open("rb") as file:
            data = file.read()
        name = next(
            name
            for name in _numbered(readable_name(cell.label), ".png")
            if name not in named and _may_hold(present.get(name.casefold()), data)
        )
        named[name] = cell
        if name.casefold() not in present:
            write_atomically(folder / name, data)
            present[name.casefold()] = folder / name
    rows |= {row["file"]: row for row in factor_rows(named.items())}
    write_atomically(folder / ITEMS_FILE, factors_csv(list(rows.values())))
    return len(named)


def _numbered(stem: str, ending: str) -> Iterator[str]:
    return itertools.chain([f"{stem}{ending}"], (f"{stem}-{number}{ending}" for number in itertools.count(2)))


def _may_hold(path: Path | None, data: bytes) -> bool:
    """Return whether a name is free, or its file has exactly these bytes."""
    return path is None or (path.is_file() and path.read_bytes() == data)


def _read_rows(table: Path) -> list[dict[str, str]]:
    if not table.exists():
        return []
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [{key: value or "" for key, value in row.items() if key is not None} for row in reader]
            if "file" in (reader.fieldnames or ()):
                return rows
    except (OSError, UnicodeDecodeError, csv.Error):
        pass
    raise FolderError(f"{table}: was not written by `generate`; name another folder")


def condition_of(factors: Mapping[str, Any]) -> str:
    """Return a name for a combination of levels: "ratio 0.1, size 512"."""
    return ", ".join(f"{key} {value}" for key, value in sorted(factors.items()))


def plain_level(value: Any) -> Any:
    """Return a factor's level as studies keep it: a list of layers as text, anything else as it is."""
    return value_text(value) if isinstance(value, list) else value


def value_text(value: Any) -> str:
    """Return a factor's level as text: a list of layers as "conv1_1+conv2_1"."""
    if value is None:
        return ""
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
