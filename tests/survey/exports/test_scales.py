"""Studies on other scales than 1 to 5, from the file to the page, the exports and `analyse` of the export."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse

from survey.access import tokens
from survey.analysis import Ratings, TableError, read_ratings
from survey.analysis.reading.options import parse_options
from survey.analysis.table import main_phase
from survey.exports.codebook import codebook
from survey.exports.files import all_files, csv_files, reproduction
from survey.exports.folder import write_folder
from survey.exports.interchange import sujson_dataset
from survey.exports.latex import latex_table
from survey.exports.methods import methods_text
from survey.exports.tables import csv_bytes, records
from survey.models import Rating, Study
from survey.results.collect import collect, mos_tables
from survey.results.export import Export
from survey.results.monitor import look
from survey.study.preregistration import preregistration
from tests.programs import R
from tests.survey.exports.studies import simulated_study

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.one_database,
    pytest.mark.usefixtures("unrendered"),
]
NEEDS_R = pytest.mark.skipif(R.find() is None, reason=R.missing)

FILES = {
    "0:100": '[[questions]]\nkey = "quality"\ntext = "How good is it?"\nscale = "0:100"\nshow_value = true\n[images]\ntrap = 100\n',
    "1:7": '[[questions]]\nkey = "quality"\ntext = "How good is it?"\nscale = "1:7"\nlabels = ["awful", "superb"]\n[images]\ntrap = 6\n',
    "1:5:0.5": '[[questions]]\nkey = "quality"\ntext = "How good is it?"\nscale = "1:5:0.5"\n',
}


FILES["mixed"] = (
    FILES["1:7"]
    + '[[questions]]\nkey = "liking"\ntext = "Do you like it?"\nscale = "0:100"\n'
    + '[[questions]]\nkey = "half"\ntext = "In halves?"\nscale = "1:5:0.5"\n'
)


def simulated(toml: str) -> Study:
    """Return a study that eight people rated, two of them careless."""
    return simulated_study(toml, people=8, seed=3, careless=0.25)


@pytest.fixture(scope="module")
def exports(django_db_setup, django_db_blocker) -> dict[str, Export]:
    """A study of each scale, and one of all three."""
    made = {}
    with django_db_blocker.unblock():
        for scale, toml in FILES.items():
            with transaction.atomic():
                made[scale] = collect(simulated(toml))
                transaction.set_rollback(True)
    return made


@pytest.fixture(params=[scale for scale in FILES if scale != "mixed"])
def scale(request) -> str:
    return str(request.param)


@pytest.fixture
def export(exports: dict[str, Export], scale: str) -> Export:
    return exports[scale]


@pytest.fixture
def study(scale) -> Study:
    return simulated(FILES[scale])


def test_page_export_and_analyse_of_the_export_give_the_same_tables(study, scale, admin_client, tmp_path):
    export = collect(study)
    tables = export.analysis.tables()
    files = csv_files(export)
    (tmp_path / "ratings.csv").write_bytes(files["ratings.csv"])
    # The file says itself on which scale each question is.
    call_command("analyse", str(tmp_path / "ratings.csv"), "--output", str(tmp_path / "out"))
    for name, table in tables.items():
        assert files[f"{name}.csv"] == csv_bytes(table)
        assert (tmp_path / "out" / f"{name}.csv").read_bytes() == files[f"{name}.csv"], name
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["stamp"]["data_sha256"] == export.analysis.stamp["data_sha256"]
    pd.testing.assert_frame_equal(mos_tables(study)["quality"], tables["mos"], check_exact=True)
    page = admin_client.get(reverse("table", args=["study", "mos"])).content
    assert page == csv_bytes(tables["mos"])
    shown = admin_client.get(reverse("results", args=["study"])).content.decode()
    assert all(f"<strong>{mos:.2f}</strong>" in shown for mos in tables["mos"]["mos"])


def test_a_study_of_several_scales_has_the_same_tables_everywhere(admin_client, admin_user, tmp_path):
    study = simulated(FILES["mixed"])
    study.owner = admin_user
    study.save()
    export = collect(study)
    tables, files = export.analysis.tables(), csv_files(export)
    (tmp_path / "ratings.csv").write_bytes(files["ratings.csv"])
    call_command("analyse", str(tmp_path / "ratings.csv"), "--output", str(tmp_path / "out"))
    bearer = {"Authorization": f"Bearer {tokens.make(admin_user, 'a notebook')}"}
    told = json.loads(admin_client.get(reverse("api_results", args=["study"]), headers=bearer).content)
    for name, table in tables.items():
        assert files[f"{name}.csv"] == (tmp_path / "out" / f"{name}.csv").read_bytes() == csv_bytes(table), (
            name
        )
        assert told[name] == records(table), name
    for key, part in export.analysis.questions.items():
        asked = {"question": key}
        assert admin_client.get(reverse("table", args=["study", "mos"]), asked).content == csv_bytes(part.mos)
        shown = admin_client.get(reverse("results", args=["study"]), asked).content.decode()
        assert all(f"<strong>{mos:.2f}</strong>" in shown for mos in part.mos["mos"]), key


def rated(ratings: Ratings, question: str) -> Counter[tuple[str, str, float]]:
    """Count the ratings of a question that count in a MOS."""
    rows = main_phase(ratings.table)
    if "question" in rows.columns:
        rows = rows[rows["question"] == question]
    # Categories, and whole numbers that stand among fractions, are compared as numbers.
    return Counter(
        zip(
            rows["participant"].astype(str),
            rows["item"].astype(str),
            rows["rating"].astype(float),
            strict=True,
        )
    )


@pytest.mark.slow
def test_every_format_is_read_back_with_each_question_on_its_own_scale(exports, tmp_path):
    export = exports["mixed"]
    write_folder(all_files(export), tmp_path)
    names = ["ratings.csv", "results.xlsx", "results.json", "ratings.parquet", "sujson.json", "psych-ds", "."]
    whole = {name: read_ratings(tmp_path / name) for name in names}
    expected = Ratings(export.checked, len(export.checked))
    for question in export.questions:
        sureal, matrix = f"sureal_{question.key}.json", f"p910_matrix_{question.key}.csv"
        # A matrix has no place for its scale.
        alone = {
            sureal: read_ratings(tmp_path / sureal),
            matrix: read_ratings(tmp_path / matrix, parse_options(scale=str(question.scale))),
        }
        for name, ratings in (whole | alone).items():
            assert ratings.scale_of(question.key) == question.scale, name
            assert rated(ratings, question.key) == rated(expected, question.key), name


def test_scales_of_questions_are_named_by_an_option(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("participant,item,quality,liking\nA,x,1,90\nA,y,7,12.5\nB,x,2,0\nB,y,6,100\n")
    options = {"columns": "rating=quality+liking"}
    ratings = read_ratings(path, parse_options(**options, scale="quality=1:7,liking=0:100"))
    assert str(ratings.scale_of("quality")) == "1:7"
    assert str(ratings.scale_of("liking")) == "0:100"
    assert ratings.table["rating"].tolist() == [1, 90, 7, 12.5, 2, 0, 6, 100]
    with pytest.raises(TableError, match="question 'liking' has no scale"):
        read_ratings(path, parse_options(**options, scale="quality=1:7"))
    with pytest.raises(TableError, match="no question 'appeal'"):
        read_ratings(path, parse_options(**options, scale="quality=1:7,liking=0:100,appeal=1:5"))
    with pytest.raises(TableError, match=r"rating 7 is not a whole number from 1 to 5"):
        read_ratings(path, parse_options(**options, scale="quality=1:5,liking=0:100"))


def test_ratings_are_on_the_scale_and_use_more_than_five_values_of_it(study, scale, export):
    values = set(Rating.objects.values_list("value", flat=True))
    assert all(study.questions.get().scale.contains(value) for value in values)
    assert len(values) > 5
    assert export.ratings["rating"].dtype.kind == ("i" if scale == "1:7" else "f")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([sys.executable, "reproduce.py"], id="python"),
        pytest.param(["Rscript", "reproduce.R"], id="r", marks=NEEDS_R),
    ],
)
def test_the_scripts_reproduce_the_table(exports, script, tmp_path):
    """One run for all scales: each of the three questions is on its own."""
    export = exports["mixed"]
    for name, data in (csv_files(export) | reproduction(export)).items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "mos.csv is reproduced: 18 rows" in done.stdout


def test_the_scripts_know_the_scale(export, scale):
    scripts = reproduction(export)
    python, r = {
        "0:100": ("(0, 100, 0)", "c(0, 100, 0)"),
        "1:7": ("(1, 7, 1)", "c(1, 7, 1)"),
        "1:5:0.5": ("(1, 5, 0.5)", "c(1, 5, 0.5)"),
    }[scale]
    assert f'"quality": {python}'.encode() in scripts["reproduce.py"]
    assert f'"quality" = {r}'.encode() in scripts["reproduce.R"]


def test_texts_name_the_scale(study, scale, export):
    low, high = ("0", "100") if scale == "0:100" else ("1", scale[2])
    described = codebook(export).set_index(["table", "column"])
    assert described.loc[("ratings", "rating"), "unit"] == f"{low}..{high}"
    assert described.loc[("ratings", "rating"), "meaning"] == f"opinion score: {high} is the best"
    kind = {
        "0:100": "a continuous scale, 0 to 100",
        "1:7": "7 categories, 1 to 7",
        "1:5:0.5": "9 categories, 1 to 5",
    }
    assert kind[scale] in methods_text(export)
    told = sujson_dataset(export)["scales"][0]
    assert told["range"] == {"min": int(low), "max": int(high)}
    assert told["type"] == ("interval" if scale == "0:100" else "ordinal")
    assert f"on the scale {low} to {high}" in latex_table(export)
    assert f"{low} to {high}" in preregistration(study)


def test_the_live_page_counts_in_points_of_the_scale(study, scale, admin_client):
    scores = look(study).scores["quality"]
    assert (scores.images["half_width"] > 0).all()
    page = admin_client.get(reverse("live", args=["study"])).content.decode()
    assert {"0:100": "± 6.25", "1:7": "± 0.375", "1:5:0.5": "± 0.25"}[scale] in page


def test_a_trap_is_answered_on_the_scale(export, scale):
    if scale == "1:5:0.5":
        return
    screening = export.analysis.screening
    trap = screening[screening["rule"] == "trap"].set_index("participant")["verdict"]
    assert set(trap) == {"ok", "flagged"}


def test_questions_on_different_scales_stand_beside_each_other():
    study = simulated(
        FILES["1:7"] + '[[questions]]\nkey = "liking"\ntext = "Do you like it?"\nscale = "0:100"\n'
    )
    export = collect(study)
    mos = export.analysis.mos.set_index("question")["mos"]
    assert mos["quality"].max() <= 7 < mos["liking"].max()
    trap = export.ratings[export.ratings["phase"] == "trap"]
    assert trap.groupby("question", observed=True)["expected"].count().to_dict() == {
        "quality": 8,
        "liking": 0,
    }
    for key, part in export.analysis.questions.items():
        pd.testing.assert_frame_equal(mos_tables(study)[key], part.mos, check_exact=True)
    assert (
        codebook(export).set_index(["table", "column"]).loc[("mos", "mos"), "unit"]
        == "1..7 (quality), 0..100 (liking)"
    )


@pytest.mark.parametrize(
    ("scale", "ratings"),
    [("1:7", [1, 7, 4, 6]), ("0:100", [0, 100, 62.5, 33.333333333333336]), ("-3:3", [-3, 3, 0, 1]), ("1:5:0.5", [1, 5, 4.5, 2])],
)  # fmt: skip
def test_ratings_made_elsewhere_keep_their_scale(scale, ratings, tmp_path: Path):
    rows = zip("ppqq", "abab", ratings, strict=True)
    path = tmp_path / "other.csv"
    path.write_text("participant,item,rating\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    call_command("import_ratings", "other", str(path), f"--scale={scale}")
    call_command("analyse", str(path), "--output", str(tmp_path / "out"), scale=scale)
    study = Study.objects.get()
    assert str(study.questions.get().scale) == scale
    assert (tmp_path / "out" / "mos.csv").read_bytes() == csv_bytes(collect(study).analysis.mos)
    assert sorted(collect(study).ratings["rating"].tolist()) == sorted(ratings)
    (tmp_path / "export.csv").write_bytes(csv_files(collect(study))["ratings.csv"])
    again = read_ratings(tmp_path / "export.csv")
    assert str(again.scale_of("overall")) == scale
    assert sorted(again.table["rating"].tolist()) == sorted(ratings)
