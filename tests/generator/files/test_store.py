"""Files in the media store are whole, and named by what they hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from generator.files import store


@pytest.fixture(autouse=True)
def media(settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_a_file_is_named_by_its_hash_and_kept_once(media: Path) -> None:
    name, digest = store.put("cells", b"picture", ".png")
    assert digest == hashlib.sha256(b"picture").hexdigest()
    assert (media / name).read_bytes() == b"picture"
    assert store.put("cells", b"picture", ".png") == (name, digest)
    assert [path for path in media.rglob("*") if path.is_file()] == [media / name]


def test_a_write_that_fails_leaves_nothing_behind(media: Path, monkeypatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.put("cells", b"picture", ".png")
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_a_file_is_replaced_whole(media: Path) -> None:
    path = media / "new" / "table.csv"
    store.write_atomically(path, b"old")
    store.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]
