"""Files on disk, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from generator.files.store import current_umask


class OutputError(ValueError):
    """The place to write to cannot be written; the message is one line that names it and the mend."""


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write {path inside the folder: bytes} into `folder`, made where it is missing.

    All files are written beside their place first and then moved into it, so that no reader and no broken run
    meets half a file; other files of the folder stay.

    Raises:
        OutputError: the folder is a file, or may not be written.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
            for name, data in files.items():
                place = Path(unfinished) / PurePosixPath(name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
            for name in files:
                target = folder / PurePosixPath(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(Path(unfinished) / PurePosixPath(name), target)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error


def write_file(data: bytes, path: Path) -> None:
    """Write one file, whole or not at all; OutputError where that cannot be."""
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".unfinished-", dir=path.parent, delete=False) as file:
            try:
                file.write(data)
                file.flush()
                # A temporary file is its owner's alone; an export is as readable as any file made here.
                os.chmod(file.name, 0o666 & ~current_umask())
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def sha256sums(files: Mapping[str, bytes]) -> bytes:
    """Return the text of SHA256SUMS, as `sha256sum --check` reads it."""
    lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    return "".join(lines).encode()
