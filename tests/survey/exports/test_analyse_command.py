"""`analyse RATINGS.csv --output DIR`: the files, the exit codes, the one line on bad input."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from threadpoolctl import threadpool_info, threadpool_limits

from survey.exports.folder import OutputError
from tests.survey.exports.studies import NASTY, ratings_frame

COLUMNS = {
    "mos.csv": "item,n,participants,mos,sd,ci_low,ci_high,ci_method,bounded_low,bounded_high,median,n1,n2,n3,n4,n5,gob,pow",
    "observers.csv": "participant,n,mean,sd,correlation,bt500_rejected,p913_correlation_rejected,bias,inconsistency",
    "recovered.csv": "item,quality,ci_low,ci_high",
}


def analyse(folder: Path, table: pd.DataFrame) -> Path:
    """Run the command on a table; return the folder of its results."""
    path = folder / "ratings.csv"
    table.to_csv(path, index=False)
    call_command("analyse", str(path), "--output", str(folder / "out"))
    return folder / "out"


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """The results of a plain table."""
    return analyse(tmp_path_factory.mktemp("analyse"), ratings_frame())


def test_linear_algebra_has_one_thread_however_many_there_are(tmp_path, monkeypatch):
    seen: list[int] = []

    def stop(*_: object) -> None:
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        raise OutputError("seen")

    monkeypatch.setattr("survey.management.commands.analyse.analyse_file", stop)
    with threadpool_limits(2, "blas"), pytest.raises(CommandError, match="seen"):
        analyse(tmp_path, ratings_frame())
    assert set(seen) == {1}


def test_the_tables_have_the_columns_that_are_promised(out):
    for name, columns in COLUMNS.items():
        assert (out / name).read_text().splitlines()[0] == columns
    assert (out / "comparisons.csv").exists()
    assert not (out / "conditions.csv").exists()


def test_the_numbers_are_those_of_the_ratings_in_full(out):
    ratings = ratings_frame().groupby("item")["rating"]
    mos = pd.read_csv(out / "mos.csv", index_col="item")
    np.testing.assert_array_equal(mos["mos"], ratings.mean())
    np.testing.assert_allclose(mos["sd"], ratings.std(), rtol=1e-15)


def test_the_summary_has_its_keys(out):
    summary = json.loads((out / "summary.json").read_text())
    promised = "items participants ratings alpha_ordinal alpha_interval icc_2_1 icc_2_k sos_a friedman_chi2 friedman_p notes"
    assert set(promised.split()) <= set(summary)
    assert (summary["items"], summary["participants"], summary["ratings"]) == (6, 8, 48)
    assert summary["stamp"]["rows_in"] == 48


def test_the_report_needs_nothing_but_itself(out):
    html = (out / "report.html").read_text()
    first = html.partition("<section>")[2].partition("</p>")[0]
    assert 'class="finding"' in first, "the report opens with the answer"
    assert html.count("<svg") >= 5
    assert not re.findall(r"(?:src|href)=[\"'](?!#)", html.replace("xlink:href", ""))
    assert "<script" not in html
    assert "@import" not in html
    for source in ("ITU-T P.910", "ITU-R BT.500", "ITU-T P.800.1", "Krippendorff", "Holm"):
        assert source in html


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_conditions_and_questions_get_their_columns(tmp_path):
    table = ratings_frame()
    condition = table["item"].str[-1].map(lambda digit: "even" if int(digit) % 2 == 0 else "odd")
    both = pd.concat([table.assign(condition=condition, question=question) for question in ("like", "good")])
    out = analyse(tmp_path, both)
    assert (out / "mos.csv").read_text().startswith("question,item,n,participants,mos")
    assert list(pd.read_csv(out / "conditions.csv")["condition"]) == ["even", "odd"] * 2
    assert "Question: like" in (out / "report.html").read_text()


@pytest.mark.slow
def test_the_same_ratings_give_the_same_files(tmp_path, out):
    (tmp_path / "again").mkdir()
    again = analyse(tmp_path / "again", ratings_frame())
    names = sorted(path.name for path in out.iterdir())
    assert sorted(path.name for path in again.iterdir()) == names
    for name in names:
        assert (again / name).read_bytes() == (out / name).read_bytes(), name


@pytest.mark.slow
def test_a_name_is_text_everywhere(tmp_path):
    table = ratings_frame()
    table["item"] = table["item"].replace("item000", NASTY)
    out = analyse(tmp_path, table)
    with (out / "mos.csv").open(newline="") as file:
        assert f"'{NASTY}" in [row[0] for row in csv.reader(file)]
    assert "<b>" not in (out / "report.html").read_text()


# tests/survey/exports/test_plots.py draws such tables.
@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize(("items", "people"), [(1, 1), (1, 8), (6, 1), (2, 2)])
def test_few_ratings_are_analysed_too(tmp_path, items, people):
    out = analyse(tmp_path, ratings_frame(items, people))
    assert len(pd.read_csv(out / "mos.csv")) == items
    assert "<svg" in (out / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_unanimous_ratings_are_analysed_too(tmp_path):
    out = analyse(tmp_path, ratings_frame().assign(rating=5))
    assert (pd.read_csv(out / "mos.csv")["mos"] == 5).all()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("participant,item,raing\na,b,3\n", "no column 'rating' .*'raing'"),
        (
            "Person,Bild,Note\na,x,2.5\nb,x,3\n",
            "if 'Note' holds the ratings .*, 2.5 is not on .*--scale 1:5:0.5",
        ),
        (
            "Person,Bild,Note\na,x,hm\nb,x,well\n",
            "found: Person, Bild, Note; say which it is by --columns rating=NAME",
        ),
        ("participant,item,rating\na,b,6\n", "row 2: rating 6 is not a whole number from 1 to 5"),
        ("participant,item,rating\na,b,goodish\n", "row 2: rating 'goodish'"),
        ("", "the file is empty"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_no_file(tmp_path, text, line):
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    with pytest.raises(CommandError, match=line) as caught:
        call_command("analyse", str(path), "--output", str(tmp_path / "out"))
    assert caught.value.returncode == 2
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_from_a_shell_bad_input_exits_2_without_a_traceback(tmp_path):
    command = [
        sys.executable,
        str(settings.BASE_DIR / "manage.py"),
        "analyse",
        str(tmp_path / "none.csv"),
        "--output",
        "o",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert (
        done.stderr.strip()
        == f"CommandError: {tmp_path / 'none.csv'}: cannot be read: No such file or directory"
    )
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("questions", [1, 2])
def test_what_was_read_in_another_way_is_printed_listed_and_shown(tmp_path, questions):
    table = ratings_frame().rename(columns={"participant": "WorkerId"})
    table = pd.concat([table.assign(Question=f"q{n}") for n in range(questions)])
    table.to_csv(tmp_path / "ratings.csv", index=False)
    said = io.StringIO()
    call_command("analyse", str(tmp_path / "ratings.csv"), "--output", str(tmp_path / "out"), stdout=said)
    note = "'WorkerId' as participant"
    assert note in said.getvalue()
    assert note in json.loads((tmp_path / "out" / "summary.json").read_text())["notes"]["columns"]
    assert note in html.unescape((tmp_path / "out" / "report.html").read_text())


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_votes_that_split_are_named_in_the_files(tmp_path):
    people = range(24)
    votes = [("divided", person, 1 if person % 2 else 5) for person in people]
    votes += [("agreed", person, 3 + person % 2) for person in people]
    folder = analyse(tmp_path, pd.DataFrame(votes, columns=["item", "participant", "rating"]))
    table = pd.read_csv(folder / "split.csv", index_col="item")
    assert table["split"].to_dict() == {"agreed": False, "divided": True}
    assert table["camps"]["divided"] == "12 votes at 1, 12 votes at 5"
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["split_items"] == ["divided"]
    report = html.unescape((folder / "report.html").read_text())
    assert summary["split_finding"] in report
    assert summary["split_finding"].startswith("Votes on 1 of 2 items split into two camps")
