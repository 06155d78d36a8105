"""The images of a study with readable names."""

from __future__ import annotations

import zipfile
from pathlib import PurePosixPath
from typing import IO

import pandas as pd

from generator.sets.folder import free_name, readable_name
from survey.exports.tables import csv_bytes
from survey.models import Stimulus, Study

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_images(study: Study, target: IO[bytes]) -> None:
    """Write a ZIP of the study's images and images.csv, which lists file, item, role, factors and SHA-256.

    Files are named by content and style, or by their item. A number distinguishes equal names.
    """
    rows, used = [], set[str]()
    with zipfile.ZipFile(target, "w") as archive:
        for stimulus in study.stimuli.exclude(role=Stimulus.Role.LEFT_OUT).order_by("pk").iterator():
            name = _name(stimulus, used)
            with stimulus.image.open() as file:
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), file.read(), zipfile.ZIP_STORED)
            own = {"file": name, "item": stimulus.item, "role": stimulus.role}
            own |= {"content": stimulus.content, "style": stimulus.style}
            rows.append(own | stimulus.factors | {"sha256": stimulus.sha256})
        table = pd.DataFrame(rows, columns=list(dict.fromkeys(key for row in rows for key in row)))
        archive.writestr(zipfile.ZipInfo("images.csv", _EPOCH), csv_bytes(table), zipfile.ZIP_DEFLATED)


def _name(stimulus: Stimulus, used: set[str]) -> str:
    stem = "-".join(part for part in (stimulus.content, stimulus.style) if part) or stimulus.item
    ending = PurePosixPath(stimulus.image.name or "").suffix.lower() or ".png"
    return free_name(readable_name(stem), ending, used)
