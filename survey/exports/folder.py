"""Writing files atomically."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO, Final

from generator.files.store import current_umask

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


Pieces = Iterable[bytes]
_PIECE: Final = 2**20
#: Of zlib: half the time of the usual 6, for files that are a tenth larger.
COMPRESSION: Final = 3
# What is larger waits on disk for its place in a ZIP.
_IN_MEMORY: Final = 2**23


class Files(Mapping[str, bytes]):
    """Files by their paths, each made when it is read, in pieces, so that none is in memory as a whole.

    Args:
        makers: {path: what returns the file's pieces, the same each time}.
        copies: {path: the path of a file before it with the same content}.
    """

    def __init__(
        self, makers: Mapping[str, Callable[[], Pieces]], copies: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._makers = {**makers, **{name: makers[original] for name, original in copies.items()}}
        self.copies = copies

    def __getitem__(self, name: str) -> bytes:
        return b"".join(self.pieces(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def pieces(self, name: str) -> Pieces:
        """Return a file in pieces."""
        return self._makers[name]()

    def __or__(self, others: Mapping[str, bytes]) -> Files:
        """Return these files and others."""
        makers = self._makers | {name: partial(pieces_of, others, name) for name in others}
        copies = {name: original for name, original in self.copies.items() if name not in others}
        return Files(makers, copies | (dict(others.copies) if isinstance(others, Files) else {}))

    def with_copies(self, copies: Mapping[str, str]) -> Files:
        """Return these files, and copies of some as {path: the path of the original}."""
        return Files(self._makers, {**self.copies, **copies})


def pieces_of(files: Mapping[str, bytes], name: str) -> Pieces:
    """Return one of some files in pieces."""
    return files.pieces(name) if isinstance(files, Files) else [files[name]]


def pieces_of_file(file: IO[bytes]) -> Iterator[bytes]:
    """Return an open file from its start, in pieces."""
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


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
            for name in files:
                place = Path(unfinished) / PurePosixPath(name)
                place.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(files, Files) and name in files.copies:
                    shutil.copyfile(Path(unfinished) / PurePosixPath(files.copies[name]), place)
                    continue
                with place.open("wb") as file:
                    file.writelines(pieces_of(files, name))
            for name in files:
                target = folder / PurePosixPath(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(Path(unfinished) / PurePosixPath(name), target)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error


def write_file(data: Pieces, path: Path) -> None:
    """Write one file, given in pieces, atomically.

    Raises:
        OutputError: If it cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".unfinished-", dir=path.parent, delete=False) as file:
            try:
                file.writelines(data)
                file.flush()
                # Only the owner can read a temporary file; an export follows the umask.
                os.chmod(file.name, 0o666 & ~current_umask())
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def with_sums(files: Mapping[str, bytes]) -> Files:
    """Return the files, and SHA256SUMS over them as `sha256sum --check` reads it.

    A file that was read before SHA256SUMS is not made again for it.
    """
    sums: dict[str, str] = {}
    copies = files.copies if isinstance(files, Files) else {}

    def summed(name: str) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for piece in pieces_of(files, name):
            digest.update(piece)
            yield piece
        sums[name] = digest.hexdigest()

    def lines() -> Iterator[bytes]:
        for name in sorted(files):
            original = copies.get(name, name)
            if original not in sums:
                deque(summed(original), maxlen=0)
            yield f"{sums[original]}  {name}\n".encode()

    return Files({**{name: partial(summed, name) for name in files}, "SHA256SUMS": lines}, copies)


def zipped(files: Mapping[str, bytes]) -> Iterator[bytes]:
    """Return {name: bytes} as a ZIP in pieces, the same for the same files. It is made on disk."""
    with tempfile.TemporaryFile() as whole:
        with zipfile.ZipFile(whole, "w") as archive:
            for name in files:
                _add(archive, name, pieces_of(files, name))
        yield from pieces_of_file(whole)


def _add(archive: zipfile.ZipFile, name: str, data: Pieces) -> None:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        # Not `writelines`, which keeps all in memory until its end.
        for piece in data:
            file.write(piece)
        entry = zipfile.ZipInfo(name, _EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        # Given with the archive, it would not be heeded where an entry is written in pieces.
        entry._compresslevel = COMPRESSION  # type: ignore[attr-defined]
        # Known beforehand, it tells whether the entry needs the long form, which not every program reads.
        entry.file_size = file.tell()
        with archive.open(entry, "w") as target:
            target.writelines(pieces_of_file(file))
