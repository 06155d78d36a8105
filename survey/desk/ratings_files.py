"""Ratings files that wait to be analysed: each belongs to one session and is on disk for an hour, never in the database.

DATA_DIR/analyse/KEY/file/NAME is the upload; DATA_DIR/analyse/KEY/READING/ holds what was read of it under one choice
of options.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest

from generator.files.images import ImageError
from generator.sets.uploads import plain_name
from survey.analysis import Analysis, Ratings, ReadOptions, TableError, analyse, bounded
from survey.analysis.bounded import Reading
from survey.results.panels import Selection, of_level, weighted_by_model, without_flagged

MAX_RATINGS_FILE_BYTES: Final = 20_000_000
MAX_RATINGS: Final = 250_000
SECONDS: Final = 3600
#: Of one session; the oldest gives way.
MAX_FILES: Final = 3
#: Of one file; the oldest gives way.
MAX_READINGS: Final = 10

_KEYS: Final = "ratings_files"
#: Of a name, so that no file system finds it too long.
_LETTERS: Final = 50
_log: Final = logging.getLogger(__name__)


class UploadError(ValueError):
    """A file that is not kept; the message is one line that says why."""


@dataclass(frozen=True)
class RatingsFile:
    """An upload; `key` stands for it in addresses."""

    key: str

    @property
    def folder(self) -> Path:
        """The folder of the file and of all that was made of it."""
        return _root() / self.key

    @property
    def path(self) -> Path:
        """The file itself."""
        return next((self.folder / "file").iterdir())

    @property
    def name(self) -> str:
        """The file's name, as it was uploaded."""
        return self.path.name

    @property
    def title(self) -> str:
        """The name without its ending."""
        return self.path.stem

    @property
    def minutes_left(self) -> int:
        """Minutes until it is deleted."""
        return max(0, round((_uploaded(self.folder) + SECONDS - time.time()) / 60))

    def without_folder(self, text: str) -> str:
        """Return a message without the place of the file on the server."""
        return text.replace(f"{self.path.parent}/", "")


def keep(request: HttpRequest, upload: UploadedFile[Any]) -> RatingsFile:
    """Keep an upload for the session; the session's oldest gives way.

    Raises:
        UploadError: it is empty, too large, or has no name.
    """
    try:
        name = plain_name(upload.name or "")[-_LETTERS:].lstrip()
    except ImageError as error:
        raise UploadError(str(error)) from None
    if not upload.size:
        raise UploadError(f"{name}: the file is empty")
    if upload.size > MAX_RATINGS_FILE_BYTES:
        raise UploadError(
            f"{name}: {upload.size / 1e6:.0f} MB; at most {MAX_RATINGS_FILE_BYTES // 1_000_000} MB here. The command `analyse` takes any size"
        )
    file = RatingsFile(secrets.token_hex(16))
    (file.folder / "file").mkdir(parents=True, mode=0o700)
    target = file.folder / "file" / name
    target.touch(0o600)
    with target.open("wb") as out:
        for chunk in upload.chunks():
            out.write(chunk)
    keys = [found.key for found in kept(request)] + [file.key]
    for old in keys[:-MAX_FILES]:
        discard(old)
    request.session[_KEYS] = keys[-MAX_FILES:]
    _discard_later(file.key)
    return file


def kept(request: HttpRequest) -> list[RatingsFile]:
    """Return the session's files, oldest first."""
    discard_expired()
    files = [RatingsFile(key) for key in request.session.get(_KEYS, [])]
    return [file for file in files if file.folder.is_dir()]


def find(request: HttpRequest, key: str) -> RatingsFile:
    """Return a file of the session. Raises Http404 for another's, and for one that is gone."""
    found = next((file for file in kept(request) if file.key == key), None)
    if found is None:
        raise Http404("no such file in this session")
    return found


def discard(key: str) -> None:
    """Delete a file and all that was made of it."""
    shutil.rmtree(_root() / key, ignore_errors=True)
    _analysed.cache_clear()


def discard_expired() -> None:
    """Delete the files whose time is over."""
    root = _root()
    for folder in root.iterdir() if root.is_dir() else ():
        if _uploaded(folder) + SECONDS < time.time():
            discard(folder.name)


def discard_at_sign_out(request: HttpRequest | None = None, **_: Any) -> None:
    """Delete the session's files: a receiver of Django's signal."""
    for key in request.session.get(_KEYS, []) if request is not None else ():
        discard(key)


def read(file: RatingsFile, options: ReadOptions, query: str) -> Reading:
    """Return what a file holds under these options, from disk where it was read before.

    Args:
        file: the upload.
        options: how to read it.
        query: the options as they stand in the address of the page that shows them.
    """
    facts = [asdict(replace(options, scale=None)), str(options.scale), query]
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    if not (file.folder / name).is_dir():
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=file.folder))
        try:
            _read_into(unfinished, file, options)
            (unfinished / "query").write_text(query)
            # Where another request was quicker, its result stays.
            with suppress(OSError):
                unfinished.rename(file.folder / name)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        _make_room(file, name)
    return reading_of(file, name)


def _read_into(folder: Path, file: RatingsFile, options: ReadOptions) -> None:
    try:
        bounded.read_apart(file.path, folder, options)
    except RuntimeError:
        _log.exception("a ratings file was not read")
        bounded.write_refusal(folder, f"{file.name}: it could not be read")
    except TableError as error:
        bounded.write_refusal(folder, str(error))


def reading_of(file: RatingsFile, name: str) -> Reading:
    """Return what was read before. Raises Http404 where that is gone."""
    try:
        found = bounded.load_reading(file.folder / name)
    except (FileNotFoundError, NotADirectoryError):
        raise Http404("this was not read, or its time is over") from None
    notes = {key: file.without_folder(note) for key, note in found.notes.items()}
    return replace(found, refusal=file.without_folder(found.refusal), notes=notes)


def query_of(reading: Reading) -> str:
    """Return the options of a reading as they stand in an address."""
    return (reading.folder / "query").read_text()


def analysed(reading: Reading, selection: Selection) -> tuple[Ratings, Analysis]:
    """Return the ratings of a reading and their analysis, from memory where it was asked for just now."""
    return _analysed(reading.folder, selection)


@lru_cache(maxsize=6)
def _analysed(folder: Path, selection: Selection) -> tuple[Ratings, Analysis]:
    if selection.panel != "everyone":
        ratings, everyone = _analysed(folder, replace(selection, panel="everyone"))
        if selection.panel == "model":
            return ratings, weighted_by_model(everyone)
        ratings = without_flagged(ratings, everyone)
        return ratings, analyse(ratings, ci=selection.ci)
    ratings = bounded.load_reading(folder).ratings()
    if selection.only is not None:
        rows = ratings.table[of_level(ratings.table, selection.only)].reset_index(drop=True)
        ratings = replace(ratings, table=rows, unrated=ratings.unrated[:0])
    return ratings, analyse(ratings, ci=selection.ci)


def _make_room(file: RatingsFile, new: str) -> None:
    others = [
        path
        for path in file.folder.iterdir()
        if path.name not in ("file", new) and not path.name.startswith(".")
    ]
    for old in sorted(others, key=lambda path: path.stat().st_mtime)[: -(MAX_READINGS - 1)]:
        shutil.rmtree(old, ignore_errors=True)


def _discard_later(key: str) -> None:
    """Delete a file when its time is over, though nobody opens a page. What a restart forgets, the next look deletes."""
    timer = threading.Timer(SECONDS, discard, [key])
    timer.daemon = True
    timer.start()


def _uploaded(folder: Path) -> float:
    """Return when a file came, in seconds since the epoch; 0 for none."""
    # The folder of one that is just coming is there a moment before the file's.
    for path in (folder / "file", folder):
        with suppress(FileNotFoundError):
            return path.stat().st_mtime
    return 0.0


def _root() -> Path:
    return Path(settings.DATA_DIR) / "analyse"
