"""`export_study SLUG --format F --output PATH`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from threadpoolctl import threadpool_info, threadpool_limits

from survey.exports.files import FORMATS
from tests.survey.exports.studies import TWO_QUESTIONS, rated_study
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


def export(slug: str, file_format: str, output: object) -> None:
    call_command("export_study", slug, "--format", file_format, "--output", str(output))


def test_a_csv_file_is_the_tidy_ratings(tmp_path):
    rated_study(people=2)
    export("study", "csv", tmp_path / "mine.csv")
    table = pd.read_csv(tmp_path / "mine.csv")
    assert len(table) == 12
    assert {"participant", "item", "rating", "question", "phase", "content", "condition", "strength"} <= set(
        table.columns
    )


def test_linear_algebra_has_one_thread_however_many_there_are(tmp_path, monkeypatch):
    rated_study(people=2)
    seen: list[int] = []

    def write(*_: object) -> list[Path]:
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return []

    monkeypatch.setattr("survey.management.commands.export_study.write_export", write)
    with threadpool_limits(2, "blas"):
        export("study", "csv", tmp_path / "mine.csv")
    assert set(seen) == {1}


@pytest.mark.parametrize("file_format", [name for name in FORMATS if name != "all"])
def test_every_format_fills_a_folder(tmp_path, file_format):
    rated_study(people=2)
    export("study", file_format, tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files
    assert all(path.stat().st_size for path in files)


def test_two_questions_do_not_fit_one_sureal_file(tmp_path):
    rated_study(TWO_QUESTIONS, people=2)
    with pytest.raises(CommandError, match="needs 2 files, one for each question; name a folder") as caught:
        export("study", "sureal", tmp_path / "study.json")
    assert caught.value.returncode == 2
    assert list(tmp_path.iterdir()) == []
    export("study", "sureal", tmp_path / "folder")
    assert len(json.loads((tmp_path / "folder" / "sureal_liking.json").read_text())["dis_videos"]) == 6


def test_a_misspelt_study_is_answered_with_the_nearest(tmp_path):
    make_study(slug="layers")
    with pytest.raises(CommandError, match=r"no study 'layer'; did you mean '?layers'?\?") as caught:
        export("layer", "csv", tmp_path / "x.csv")
    assert caught.value.returncode == 2


def test_a_study_without_ratings_says_so(tmp_path):
    make_study()
    with pytest.raises(CommandError, match="has no rating that counts yet") as caught:
        export("study", "csv", tmp_path / "x.csv")
    assert caught.value.returncode == 2
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_a_whole_export_is_told_in_one_line(tmp_path, capsys):
    rated_study()
    export("study", "all", tmp_path / "out")
    count = sum(path.is_file() for path in (tmp_path / "out").rglob("*"))
    assert capsys.readouterr().out == f"{count} files in {tmp_path / 'out'}: README.txt says what each is\n"
    export("study", "csv", tmp_path / "tables")
    assert str(tmp_path / "tables" / "mos.csv") in capsys.readouterr().out


def test_the_images_come_as_a_zip_or_as_a_folder(tmp_path, capsys):
    make_study()
    export("study", "images", tmp_path / "images.zip")
    export("study", "images", tmp_path / "images")
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        names = set(archive.namelist())
        assert {"images.csv", "settings.csv", "README.txt"} < names
        assert names == {path.name for path in (tmp_path / "images").iterdir()}
        for name in names:
            assert archive.read(name) == (tmp_path / "images" / name).read_bytes()
    told = f"{len(names)} files in {tmp_path / 'images'}: README.txt says what each is"
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "images.zip"), told]


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path):
    make_study()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(CommandError, match="file") as caught:
        export("study", "images", tmp_path / "file")
    assert caught.value.returncode == 2
    assert (tmp_path / "file").read_text() == "mine"
