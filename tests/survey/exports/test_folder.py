"""Files are written whole or not at all."""

from __future__ import annotations

import os
import subprocess

import pytest

from survey.exports.folder import OutputError, sha256sums, write_file, write_folder


def test_a_break_in_the_middle_leaves_the_old_files(tmp_path, monkeypatch):
    write_folder({"a.csv": b"old", "b.csv": b"old"}, tmp_path)

    def broken(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", broken)
    with pytest.raises(OutputError, match=r"cannot be written: No space left"):
        write_folder({"a.csv": b"new", "b.csv": b"new"}, tmp_path)
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
        write_file(b"", tmp_path)


def test_a_file_is_as_readable_as_any_other(tmp_path):
    write_file(b"a", tmp_path / "export.csv")
    (tmp_path / "other").write_text("")
    assert (tmp_path / "export.csv").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_sha256sum_itself_reads_the_sums(tmp_path):
    files = {"a.csv": b"a", "plots/b.svg": b"b"}
    write_folder(files | {"SHA256SUMS": sha256sums(files)}, tmp_path)
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count("OK") == 2
    assert os.listdir(tmp_path / "plots") == ["b.svg"]
