"""The media store: files named by the hash of their content, written atomically."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


def put(folder: str, data: bytes, suffix: str) -> tuple[str, str]:
    """Store bytes under folder/ab/<sha256><suffix>; return that name and the SHA-256 (hex).

    The same bytes stored twice are one file. On a file system the file appears whole or not at all, even if the
    power fails.

    Raises:
        OSError: If the store cannot be written.
    """
    digest = hashlib.sha256(data).hexdigest()
    name = f"{folder}/{digest[:2]}/{digest}{suffix}"
    if default_storage.exists(name):
        return name, digest
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:  # not a file system; object stores write whole objects
        return default_storage.save(name, ContentFile(data)), digest
    write_atomically(path, data)
    return name, digest


def current_umask() -> int:
    """Return the process's umask. The system returns it only when it is set."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old file or the whole new one. Missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # Only the owner may read it if the umask says so, as the site's does.
        Path(temporary).chmod(0o666 & ~current_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
