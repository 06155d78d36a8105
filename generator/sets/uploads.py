"""Pictures that come in through the browser: checked, cleaned, kept under the name that its owner's plans use."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth.models import User
from django.core.files.base import File
from django.db import IntegrityError, transaction

from generator.files import bounded, images, store
from generator.files.images import ImageError
from generator.models import Source, Upload
from generator.sets.removal import remove_unused

MAX_BYTES: Final = 50_000_000
MAX_IN_NAME: Final = 100


@dataclass
class Received:
    """What became of the files of one request: rows for those kept, one line for each that was refused.

    doubtful: a line for each that was read in another way than its owner may expect.
    """

    kept: list[Upload] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


def receive(owner: User, files: Iterable[File]) -> Received:  # type: ignore[type-arg]
    """Keep the pictures among `files`; one that is refused does not hold up the others."""
    received = Received()
    for file in files:
        try:
            received.kept.append(keep(owner, file, received.doubtful.append))
        except ImageError as error:
            received.refused.append(str(error))
    return received


def keep(owner: User, file: File, warn: images.Warn | None = None) -> Upload:  # type: ignore[type-arg]
    """Check one file, store its pixels without whatever else it held, and name them for its owner.

    warn: as of `images.read`.
    The same picture under the same name again is one upload. Raises ImageError for what is no single picture of a
    known format, is too large, or would take the name of another picture.
    """
    name = plain_name(file.name or "")
    if file.size > MAX_BYTES:
        raise ImageError(f"{name}: {file.size / 1e6:.0f} MB; at most {MAX_BYTES // 1_000_000} MB a picture")
    picture = bounded.decode(file.read(), name)
    if warn:
        for line in picture.warnings:
            warn(line)
    pixels = picture.pixels
    path, _ = store.put("sources", picture.png, ".png")
    size = {"width": picture.width, "height": picture.height}
    try:
        with transaction.atomic():
            source, _ = Source.objects.get_or_create(
                pixels=pixels, defaults={"name": name, "file": path, **size}
            )
            upload, _ = Upload.objects.get_or_create(owner=owner, name=name, defaults={"source": source})
            if upload.source_id != source.pk:
                raise ImageError(
                    f"{name}: you have another picture of this name; rename one, or delete that one"
                )
    except IntegrityError as error:
        raise ImageError(f"{name}: somebody uploads it at this moment; try again") from error
    return upload


def plain_name(name: str) -> str:
    """Return a file's name as plans may write it: no folders, nothing unprintable. Raises ImageError for none."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    plain = "".join(letter for letter in last if letter.isprintable()).strip()
    if not plain.strip("."):
        raise ImageError(f"{name!r}: a file without a name; rename it")
    if len(plain) > MAX_IN_NAME:
        raise ImageError(f"{plain[:40]}…: a name of {len(plain)} characters; at most {MAX_IN_NAME}")
    return plain


def remove(upload: Upload) -> None:
    """Delete an upload, and its pixels where no image was made of them and nobody else uploaded them."""
    source = upload.source
    with transaction.atomic():
        upload.delete()
        remove_unused([source])
