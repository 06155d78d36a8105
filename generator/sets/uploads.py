"""Pictures uploaded in the browser: checked, cleaned, and stored under the name that their owner's plans use."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth.models import User
from django.core.files.base import File
from django.db import IntegrityError, transaction

from generator.files import bounded, images, store
from generator.files.images import ImageError
from generator.files.origin import CHANGED, UNREADABLE, Origin, checked
from generator.models import Source, SourceProvenance, Upload
from generator.sets.removal import remove_unused

MAX_PICTURE_BYTES: Final = 50_000_000
MAX_IN_NAME: Final = 100


@dataclass
class Received:
    """The outcome of one request's files: rows for those kept, and one line for each refused file.

    doubtful: one line for each file that was not read literally.
    """

    kept: list[Upload] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


def receive(owner: User, files: Iterable[File]) -> Received:  # type: ignore[type-arg]
    """Store the pictures among `files`. A refused file does not stop the others."""
    received = Received()
    for file in files:
        try:
            received.kept.append(keep(owner, file, received.doubtful.append))
        except ImageError as error:
            received.refused.append(str(error))
    return received


def keep(owner: User, file: File, warn: images.Warn | None = None) -> Upload:  # type: ignore[type-arg]
    """Check one file and store its pixels, without its other contents, under its name.

    The same picture uploaded again under the same name is one upload.

    Args:
        owner: Who uploads.
        file: The file.
        warn: As in `images.read`.

    Raises:
        ImageError: If the file is not a single picture of a known format, is too large, or has the name of
            another picture of the owner.
    """
    name = plain_name(file.name or "")
    if file.size > MAX_PICTURE_BYTES:
        raise ImageError(
            f"{name}: has {file.size / 1e6:.0f} MB; the limit is {MAX_PICTURE_BYTES // 1_000_000} MB for each picture"
        )
    data = file.read()
    picture = bounded.decode(data, name)
    origin, doubt = _origin_of(picture, data)
    if warn:
        for line in [*picture.warnings, *([f"{name}: {doubt}"] if doubt else [])]:
            warn(line)
    pixels = picture.pixels
    path, _ = store.put("sources", picture.png, ".png")
    size = {"width": picture.width, "height": picture.height}
    try:
        with transaction.atomic():
            source, _ = Source.objects.get_or_create(
                pixels=pixels, defaults={"name": name, "file": path, **size}
            )
            if origin:
                SourceProvenance.objects.get_or_create(
                    source=source, defaults={"account": origin.whole, "sha256": origin.sha256}
                )
            upload, _ = Upload.objects.get_or_create(owner=owner, name=name, defaults={"source": source})
            if upload.source_id != source.pk:
                raise ImageError(
                    f"{name}: you have another picture of this name; rename one, or delete that one"
                )
    except IntegrityError as error:
        raise ImageError(f"{name}: is being uploaded by somebody else; try again") from error
    return upload


def _origin_of(picture: bounded.Decoded, data: bytes) -> tuple[Origin | None, str]:
    """Return how a picture was made, if its file says so; else why what it says does not count."""
    if picture.provenance is None:
        return None, ""
    origin = checked(picture.provenance, hashlib.sha256(data).hexdigest())
    if origin is None:
        return None, UNREADABLE
    return (origin, "") if origin.account.image.pixels == picture.pixels else (None, CHANGED)


def plain_name(name: str) -> str:
    """Return a file's name as plans may use it: without folders and unprintable characters.

    Raises:
        ImageError: If nothing is left, or the name is too long.
    """
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    plain = "".join(letter for letter in last if letter.isprintable()).strip()
    if not plain.strip("."):
        raise ImageError(f"{name!r}: the file has no usable name; rename it")
    if len(plain) > MAX_IN_NAME:
        raise ImageError(f"{plain[:40]}…: the name has {len(plain)} characters; use at most {MAX_IN_NAME}")
    return plain


def remove(upload: Upload) -> None:
    """Delete an upload, and its pixels unless an image was made of them or another upload has them."""
    source = upload.source
    with transaction.atomic():
        upload.delete()
        remove_unused([source])
