"""Files are written whole or not at all."""

from __future__ import annotations

import io
import os
import subprocess
import tracemalloc
import zipfile
from functools import partial

import pytest

from survey.exports.folder import Files, OutputError, with_sums, write_file, write_folder, zipped


def test_a_break_in_the_middle_leaves_the_old_files(tmp_path):
    write_folder({"a.csv": b"old", "b.csv": b"old"}, tmp_path)

    def broken():
        yield b"ne"
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"cannot be written: No space left"):
        write_folder(Files({"a.csv": lambda: [b"new"], "b.csv": broken}), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"


def test_other_files_of_the_folder_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    write_folder({"data/a.csv": b"a"}, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "data" / "a.csv").read_bytes() == b"a"


def test_it_refuses_a_file_for_a_folder_and_a_folder_for_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file; name a folder"):
        write_folder({"a": b""}, tmp_path / "file")
    with pytest.raises(OutputError, match="is a folder; name a file"):
        write_file([b""], tmp_path)


def test_a_file_is_as_readable_as_any_other(tmp_path):
    write_file([b"a"], tmp_path / "export.csv")
    (tmp_path / "other").write_text("")
    assert (tmp_path / "export.csv").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_sha256sum_itself_reads_the_sums(tmp_path):
    files = {"a.csv": b"a", "plots/b.svg": b"b"}
    write_folder(with_sums(files), tmp_path)
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count("OK") == 2
    assert os.listdir(tmp_path / "plots") == ["b.svg"]


def test_each_file_is_made_once_although_its_sum_is_written():
    made = []

    def make(name):
        made.append(name)
        return [name.encode()]

    files = with_sums(Files({name: partial(make, name) for name in ("b", "a")}))
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(files)))) as archive:
        assert archive.namelist() == ["b", "a", "SHA256SUMS"]
        assert archive.read("a") == b"a"
    assert made == ["b", "a"]


def test_a_copy_has_the_bytes_and_the_sum_of_its_original_and_is_not_made_again(tmp_path):
    made = []

    def make():
        made.append("a")
        return [b"a", b"b"]

    files = with_sums((Files({"a": make}) | {"z": b"z"}).with_copies({"data/a": "a"}))
    assert list(files) == ["a", "z", "data/a", "SHA256SUMS"]
    write_folder(files, tmp_path)
    assert made == ["a"]
    assert (tmp_path / "data" / "a").read_bytes() == b"ab" == files["data/a"]
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(files)))) as archive:
        assert archive.read("data/a") == b"ab"


def test_a_long_file_is_never_whole_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("survey.exports.folder._IN_MEMORY", 100_000)
    piece = os.urandom(100_000)
    files = with_sums(Files({"long": lambda: (piece for _ in range(200))}))
    tracemalloc.start()
    try:
        write_folder(files, tmp_path)
        assert sum(map(len, zipped(files))) > 20e6
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()
    assert (tmp_path / "long").stat().st_size == 20_000_000
