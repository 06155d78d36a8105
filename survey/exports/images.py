"""The images of a study for researchers: under readable names, with their provenance where it is known."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import pandas as pd
from PIL import Image

from generator.files import images
from generator.nst.recipes.networks import is_file
from generator.sets.folder import free_name, readable_name
from survey.exports.folder import Files, Pieces, pieces_of_file, write_file, write_folder
from survey.exports.tables import csv_bytes
from survey.models import Stimulus, Study
from survey.results.settings import settings_table, without_folders
from survey.results.tidy_table import column_names

#: Bytes of an archive before it goes to disk.
IN_MEMORY: Final = 16 * 2**20
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MARK: Final = b"iTXt" + images.PROVENANCE_KEY.encode() + b"\0"
_README: Final = """\
{title}: the images

images.csv lists each file with its factors. `sha256` is that of the file here. `shown_sha256` is that of the copy that
participants saw, as in items.csv and ratings.csv: the same pixels without provenance.
settings.csv says for each item how it was made. Where `made` is unknown, the image came from elsewhere.

Where `provenance` is yes, the PNG holds every setting, and nstsite makes the image again from it:
    python manage.py reproduce FILE.png --content CONTENT --style STYLE
The content and style images are not here. settings.csv has their names and the SHA-256 of their pixels.
The site that made the image has them in its media store, and needs neither option.
"""


def write_images(study: Study, target: IO[bytes]) -> None:
    """Write a ZIP of the study's images, images.csv with factors and SHA-256, settings.csv, and README.txt.

    Files are named by their item, as in the ZIP of their image set. A number distinguishes equal names. An image of an
    image set comes as the set has it, with its provenance: what `reproduce` takes. So does an image of another site whose
    file had its provenance. Every other is the copy that participants saw.
    """
    rows: list[dict[str, Any]] = []
    used = {"images.csv", "settings.csv", "readme.txt"}
    factors, _ = column_names(study)
    with zipfile.ZipFile(target, "w") as archive:
        shown = study.stimuli.exclude(role=Stimulus.Role.LEFT_OUT).order_by("pk")
        shown = shown.select_related("cell", "provenance")
        for stimulus in shown.iterator():
            data = _original(stimulus)
            if data is None:
                with stimulus.image.open() as file:
                    data = file.read()
            name = _name(stimulus, used)
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_STORED)
            rows.append(_row(stimulus, name, data, factors))
        columns = list(dict.fromkeys(key for row in rows for key in row))
        texts = {
            "images.csv": csv_bytes(pd.DataFrame(rows, columns=columns)),
            "settings.csv": csv_bytes(settings_table(study)),
            "README.txt": _README.format(title=study.title).encode(),
        }
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)


def export_images(study: Study, output: Path) -> list[Path]:
    """Write the same to a file that ends in `.zip`, or its files to a folder; return the written paths.

    Raises:
        OutputError: If `output` cannot be written.
    """
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as target:
        write_images(study, target)
        if output.suffix.lower() == ".zip" and not output.is_dir():
            write_file(pieces_of_file(target), output)
            return [output]
        with zipfile.ZipFile(target) as archive:
            names = archive.namelist()
            write_folder(Files({name: partial(_pieces, archive, name) for name in names}), output)
    return [output / name for name in names]


def _pieces(archive: zipfile.ZipFile, name: str) -> Pieces:
    return [archive.read(name)]


def _row(stimulus: Stimulus, name: str, data: bytes, factors: Mapping[str, str]) -> dict[str, Any]:
    own: dict[str, Any] = {"file": name, "item": stimulus.item, "role": stimulus.role}
    own |= {"content": stimulus.content, "style": stimulus.style}
    hashes = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "shown_sha256": stimulus.sha256,
        "provenance": "yes" if _MARK in data else "no",
    }
    return {**own, **{factors[key]: level for key, level in stimulus.factors.items()}, **hashes}


def _name(stimulus: Stimulus, used: set[str]) -> str:
    ending = PurePosixPath(stimulus.image.name or "").suffix.lower() or ".png"
    return free_name(readable_name(stimulus.item), ending, used)


def _original(stimulus: Stimulus) -> bytes | None:
    """Return the image as it was made, with its provenance; None where that is not known, or the file of its set is gone."""
    cell = stimulus.cell
    if cell is None and hasattr(stimulus, "provenance"):
        with stimulus.image.open() as file:
            return images.encode_png(images.read(file), without_folders(stimulus.provenance.account))
    if cell is None or not cell.image:
        return None
    try:
        with cell.image.open("rb") as file:
            data: bytes = file.read()
    except FileNotFoundError:
        return None
    # Another file than was made would pass for what people saw.
    if hashlib.sha256(data).hexdigest() != cell.sha256:
        return None
    return _without_folders(data) if is_file(str(cell.recipe.get("network") or "")) else data


def _without_folders(data: bytes) -> bytes:
    """Return a PNG whose provenance names networks without their folders, which are of the site's machine."""
    with Image.open(io.BytesIO(data)) as picture:
        text = getattr(picture, "text", {}).get(images.PROVENANCE_KEY)
        if text is None:
            return data
        account = json.loads(text)
        bare = without_folders(account)
        return data if bare == account else images.encode_png(picture.convert("RGB"), bare)
