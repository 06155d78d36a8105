"""Every export with ratings in it is read back by `analyse`, whatever its format."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from survey.analysis import Ratings, read_ratings
from survey.analysis.table import main_phase
from survey.exports.files import all_files
from survey.exports.folder import write_folder
from survey.exports.interchange import sujson_dataset, sureal_dataset
from survey.exports.tables import csv_bytes, json_bytes, parquet_bytes
from survey.results.export import Export
from tests.survey.exports.studies import without_rendering

# The exports are made in the database, once for all tests.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.slow]


@pytest.fixture(scope="module", params=["one", "two"])
def export(request, exports: dict[str, Export]) -> Export:
    """A study of one question and a nasty name, and one of two questions."""
    return exports[str(request.param)]


@pytest.fixture(scope="module")
def folder(export: Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole export."""
    folder = tmp_path_factory.mktemp("export")
    with without_rendering():
        write_folder(all_files(export), folder)
    return folder


def rated(table: pd.DataFrame, question: str = "") -> Counter[tuple[str, ...]]:
    """Count the ratings that count in a MOS, of all questions or of one, whose name not every format holds."""
    rows = main_phase(table)
    if question and "question" in rows.columns:
        rows = rows[rows["question"] == question]
    names = ["participant", "item", "rating"]
    if not question and "question" in rows.columns and rows["question"].nunique() > 1:
        names.append("question")
    return Counter(rows[names].astype(str).itertuples(index=False, name=None))


def read(path: Path) -> Ratings:
    ratings = read_ratings(path)
    assert len(ratings.table)
    return ratings


@pytest.mark.parametrize(
    "name", ["ratings.csv", "results.xlsx", "results.json", "ratings.parquet", "sujson.json", "psych-ds", "."]
)
def test_a_file_of_all_questions_holds_the_same_ratings(name, folder, export):
    assert rated(read(folder / name).table) == rated(export.checked)


def test_no_column_of_ones_own_export_is_reported_as_unused(folder):
    assert "unused_columns" not in read_ratings(folder / "ratings.csv").notes


def test_a_file_of_one_question_holds_its_ratings(folder, export):
    for question in export.questions:
        wanted = rated(export.checked, question.key)
        for name in (f"sureal_{question.key}.json", f"p910_matrix_{question.key}.csv"):
            assert rated(read(folder / name).table, question.key) == wanted, name


def test_a_matrix_alone_has_numbered_names(folder, export, tmp_path):
    path = tmp_path / "p910_matrix.csv"
    path.write_bytes((folder / f"p910_matrix_{export.questions[0].key}.csv").read_bytes())
    ratings = read(path)
    assert ratings.table["item"].astype(str).str.match(r"item \d+$").all()
    assert "numbered" in ratings.notes["matrix"]


@pytest.mark.parametrize("name", ["ratings.csv", "ratings.parquet", "sujson.json", "sureal_overall.json"])
def test_a_file_of_a_simulated_study_says_so_when_it_is_read(name, exports, tmp_path):
    export = exports["one"]
    simulated = replace(export, simulated=True, ratings=export.ratings.assign(simulated=True))
    made = {
        "ratings.csv": lambda: csv_bytes(simulated.ratings),
        "ratings.parquet": lambda: parquet_bytes(simulated.ratings, {}),
        "sujson.json": lambda: json_bytes(sujson_dataset(simulated)),
        "sureal_overall.json": lambda: json_bytes(sureal_dataset(simulated, "overall")),
    }
    (tmp_path / name).write_bytes(made[name]())
    assert read(tmp_path / name).said_simulated.startswith("Simulated:")


@pytest.mark.parametrize("name", ["ratings.csv", "results.xlsx", "sujson.json", "sureal_quality.json"])
def test_a_file_of_people_says_nothing_of_a_program(name, folder, export):
    if (folder / name).exists():
        assert read(folder / name).said_simulated == ""
