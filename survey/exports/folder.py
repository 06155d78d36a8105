"""Writing files atomically."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from generator.files.store import current_umask

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class OutputError(ValueError):
    """A file or folder that cannot be written; the one-line message gives its path and the fix."""


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write {path inside the folder: bytes} into `folder`, which is made if it is missing.

    All files are first written under temporary names and then renamed, so that no reader sees half a file.
    Other files of the folder stay.

    Args:
        files: The files.
        folder: The folder.

    Raises:
        OutputError: If the folder is a file, or cannot be written.
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
    """Write one file atomically.

    Raises:
        OutputError: If it cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".unfinished-", dir=path.parent, delete=False) as file:
            try:
                file.write(data)
                file.flush()
                # Only the owner can read a temporary file; an export follows the umask.
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


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return {name: bytes} as a ZIP, the same for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
