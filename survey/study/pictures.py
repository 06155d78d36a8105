"""Where the images of a study come from: an image set, a folder, the study file, an upload."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unicodedata import normalize

from django.db.models.fields.files import FieldFile
from PIL import Image

from generator.files import images
from generator.files.origin import Origin, checked, origin_of
from generator.models import Cell, ImageSet, SourceProvenance, Upload
from generator.sets.folder import PREFIX, condition_of, plain_level
from survey.analysis import TableError
from survey.analysis.reading.items import factor_value, read_items
from survey.models import Stimulus
from survey.study.covariates import covariates_of, measured_in
from survey.study.definition import Definition

ITEMS_FILE = "items.csv"
_NAMED = ("item", "content", "style", "condition")

logger = logging.getLogger(__name__)


class PublishError(Exception):
    """A study that cannot be published; the message is one line that gives the location and the fix."""


@dataclass(frozen=True)
class Picture:
    """One image on its way into a study. `read` returns it as RGB; only then is its file opened."""

    item: str
    read: Callable[[], Image.Image]
    content: str = ""
    style: str = ""
    condition: str = ""
    factors: dict[str, Any] = field(default_factory=dict)
    covariates: dict[str, Any] = field(default_factory=dict)
    cell: Cell | None = None
    role: str = Stimulus.Role.MAIN
    expected: float | None = None
    origin: Origin | None = None


def pictures_of_set(
    image_set: ImageSet, definition: Definition, only: Collection[int] | None = None
) -> list[Picture]:
    """Return the finished images of a set, or `only` those at these places of its plan.

    With a method that compares with a reference, the content images follow. Raises PublishError if there is no image.
    """
    pictures = [
        picture
        for picture in _of_cells(image_set)
        if only is None or (picture.cell is not None and picture.cell.index in only)
    ]
    if not pictures:
        raise PublishError(f"image set {image_set.slug!r} has no finished image: generate it first")
    if definition.needs_references:
        contents = {picture.content for picture in pictures}
        pictures += [picture for picture in references_of(image_set) if picture.content in contents]
    return pictures


def _of_cells(image_set: ImageSet) -> Iterator[Picture]:
    for cell in image_set.cells.filter(status=Cell.Status.DONE).order_by("index"):
        factors = {
            key: plain_level(value) for key, value in cell.factors.items() if key not in ("content", "style")
        }
        yield Picture(
            item=cell.label,
            read=partial(read_stored, cell.image, cell.label),
            content=Path(cell.content_name).stem,
            style=Path(cell.style_name).stem,
            condition=condition_of(factors),
            factors=factors,
            covariates=covariates_of(cell.covariates),
            cell=cell,
        )


def read_stored(file: FieldFile, name: str) -> Image.Image:
    """Return an image of the media store; `name` stands in the ImageError that is raised for a broken one."""
    with file.open("rb") as stored:
        return images.read(stored, name)


def references_of(image_set: ImageSet) -> list[Picture]:
    """Return the set's content images, at the size of its images: what a stylised image is compared with."""
    pictures: dict[str, Picture] = {}
    for cell in image_set.cells.filter(status=Cell.Status.DONE).select_related("content").order_by("index"):
        content = Path(cell.content_name).stem
        longest = max(cell.width or 0, cell.height or 0)
        if content not in pictures:
            pictures[content] = Picture(
                item=f"reference-{content}",
                read=partial(_read_reference, cell.content.file, cell.content_name, longest),
                content=content,
                condition="reference",
                role=Stimulus.Role.REFERENCE,
            )
    return list(pictures.values())


def _read_reference(file: FieldFile, name: str, longest: int) -> Image.Image:
    return images.fit(read_stored(file, name), longest)


def pictures_of_folder(folder: Path) -> list[Picture]:
    """Return a folder's images, with what its `items.csv` says of them. Raises PublishError."""
    if not folder.is_dir():
        raise PublishError(f"{folder}: no such folder")
    paths = sorted(path for path in folder.iterdir() if images.has_picture_name(path))
    if not paths:
        raise PublishError(f"{folder}: no image in it ({', '.join(sorted(images.SUFFIXES))})")
    described = _read_items(folder / ITEMS_FILE, paths)
    return [_of_file(path, described.get(path.name, {})) for path in paths]


def _of_file(path: Path, row: Mapping[str, str]) -> Picture:
    """Return the picture of a file. Its provenance names content and style where `row` does not."""
    origin = origin_of(path)
    said = _inputs(origin)
    more = {key: factor_value(value) for key, value in row.items() if key not in _NAMED and value}
    measured = measured_in(more)
    return Picture(
        item=path.stem,
        read=partial(images.read, path),
        content=row.get("content") or said["content"],
        style=row.get("style") or said["style"],
        condition=row.get("condition", ""),
        factors={key: value for key, value in more.items() if key not in measured},
        covariates={key.removeprefix(PREFIX): value for key, value in measured.items()},
        origin=origin,
    )


def _inputs(origin: Origin | None) -> dict[str, str]:
    if origin is None:
        return {"content": "", "style": ""}
    account = origin.account
    return {"content": Path(account.content.name).stem, "style": Path(account.style.name).stem}


def _read_items(table: Path, paths: list[Path]) -> dict[str, dict[str, str]]:
    """Return the rows of items.csv by file name; {} without the file."""
    if not table.exists():
        return {}
    notes: dict[str, str] = {}
    try:
        rows = read_items(table, notes)
    except TableError as error:
        raise PublishError(str(error)) from error
    for note in notes.values():
        logger.warning("%s: %s", table, note)
    # File systems keep names in different Unicode forms.
    names = {normalize("NFC", path.stem): path.name for path in paths}
    names |= {normalize("NFC", path.name): path.name for path in paths}
    found: dict[str, dict[str, str]] = {}
    for number, row in zip(rows.index, rows.to_dict("records"), strict=True):
        name = row.get("item", "")
        place = f"{table}, line {number}"
        if name not in names:
            raise PublishError(f"{place}: no image {name!r} in the folder (column `file` or `item`)")
        if names[name] in found:
            raise PublishError(f"{place}: image {name!r} is described twice")
        found[names[name]] = {str(key): str(value) for key, value in row.items()}
    return found


def pictures_of_uploads(uploads: Iterable[Upload]) -> list[Picture]:
    """Return pictures that a researcher uploaded, with what their files said of them."""
    uploads = list(uploads)
    told = SourceProvenance.objects.in_bulk([upload.source_id for upload in uploads])
    return [_of_upload(upload, told.get(upload.source_id)) for upload in uploads]


def _of_upload(upload: Upload, told: SourceProvenance | None) -> Picture:
    origin = None if told is None else checked(told.account, told.sha256)
    said = _inputs(origin)
    return Picture(
        item=Path(upload.name).stem,
        read=partial(read_stored, upload.source.file, upload.name),
        content=said["content"],
        style=said["style"],
        origin=origin,
    )


def pictures_of_files(definition: Definition, base: Path | None) -> list[Picture]:
    """Return the images that the study file itself names. Raises PublishError for a pattern that fits none."""
    pictures = []
    for pattern in definition.files:
        paths = sorted(path for path in (base or Path()).glob(pattern) if images.has_picture_name(path))
        if not paths:
            raise PublishError(f"files: {pattern!r} fits no image below {(base or Path()).resolve()}")
        pictures += [_of_file(path, {}) for path in paths]
    return pictures
