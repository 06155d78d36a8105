"""Ratings that a program made are told from those of people, whatever else is done with them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from survey.analysis import ReadOptions, TableError, analyse, check, read_ratings
from survey.analysis.report.report import report_html
from survey.analysis.simulated import told
from survey.exports.analysis import analyse_file

ALL = told(3, 3)
SOME = told(1, 3)


def table(*programs: str, word: str = "True") -> pd.DataFrame:
    rows = [(p, i, 1 + (len(p) + n) % 5) for p in ("a", "bb", "ccc") for n, i in enumerate("xyz")]
    frame = pd.DataFrame(rows, columns=["participant", "item", "rating"])
    return frame.assign(simulated=[word if p in programs else "False" for p in frame["participant"]])


def read(folder: Path, frame: pd.DataFrame) -> pd.DataFrame:
    frame.to_csv(folder / "r.csv", index=False)
    return read_ratings(folder / "r.csv").table


@pytest.mark.parametrize("word", ["True", "true", "TRUE", "1", "1.0"])
def test_a_file_of_simulated_ratings_is_told_as_such(tmp_path, word):
    table("a", "bb", "ccc", word=word).to_csv(tmp_path / "r.csv", index=False)
    ratings = read_ratings(tmp_path / "r.csv")
    assert ratings.said_simulated == ALL
    summary = analyse(ratings).summary
    assert summary["simulated_participants"] == 3
    assert next(iter(summary["notes"].values())) == ALL, "it comes first"


def test_a_file_of_people_and_programs_says_how_many_are_programs(tmp_path):
    table("bb").to_csv(tmp_path / "r.csv", index=False)
    ratings = read_ratings(tmp_path / "r.csv")
    assert ratings.said_simulated == SOME
    assert "1 of 3 participants" in SOME
    assert analyse(ratings).summary["notes"]["simulated"] == SOME


def test_a_file_of_people_or_without_the_column_says_nothing(tmp_path):
    for frame in (table(), table().drop(columns="simulated")):
        frame.to_csv(tmp_path / "r.csv", index=False)
        ratings = read_ratings(tmp_path / "r.csv")
        assert ratings.said_simulated == ""
        analysis = analyse(ratings)
        assert analysis.summary["simulated_participants"] == 0
        assert "simulated" not in analysis.summary["notes"]


def test_rows_of_an_older_file_without_the_mark_count_as_peoples(tmp_path):
    older = table().assign(participant=lambda frame: frame["participant"] + "2").drop(columns="simulated")
    assert read(tmp_path, pd.concat([table("a"), older]))["simulated"].sum() == 3


def test_what_tells_of_items_is_no_mark_of_programs(tmp_path):
    blur = table().assign(simulated=lambda frame: (frame["item"] == "x").astype(str))
    found = read(tmp_path, blur)
    assert "simulated" not in found.columns
    assert set(found["factor_simulated"]) == {"True", "False"}
    named = table().assign(simulated=lambda frame: "by " + frame["item"])
    assert "simulated" not in read(tmp_path, named).columns


def test_a_table_marks_by_true_and_false_alone():
    with pytest.raises(TableError, match="says true or false"):
        check(table().assign(simulated="perhaps"))


def test_the_report_begins_with_it():
    analysis = analyse(table("a", "bb", "ccc"))
    html = report_html(analysis, [], "Scores")
    assert html.count(ALL) == 1, "said once"
    assert html.index(ALL) < html.index("<section>")
    assert "program made" not in report_html(analyse(table()), [], "Scores")


@pytest.mark.parametrize("programs", [("a",), ("a", "bb", "ccc")])
def test_a_table_of_scores_keeps_the_mark_and_is_told_as_such(tmp_path, programs):
    """Means by themselves, without their ratings, once passed for opinions of people."""
    scores = analyse(check(read(tmp_path, table(*programs)))).mos
    assert set(scores["simulated_participants"]) == {len(programs)}
    scores.to_csv(tmp_path / "mos.csv", index=False)
    scores[["item", "mos", "sd", "n", "simulated_participants"]].to_csv(tmp_path / "means.csv", index=False)
    for name in ("mos.csv", "means.csv"):
        outcome = analyse_file(tmp_path / name, tmp_path / name.partition(".")[0], ReadOptions())
        assert outcome.simulated.startswith("Simulated: a program gave ratings behind each")
        assert outcome.remarks[0] == outcome.simulated
        report = (tmp_path / name.partition(".")[0] / "report.html").read_text()
        assert "a program gave ratings" in report
        summary = json.loads((tmp_path / name.partition(".")[0] / "summary.json").read_text())
        assert summary["notes"]["simulated"] == outcome.simulated


def test_scores_of_people_have_no_such_column(tmp_path):
    scores = analyse(check(read(tmp_path, table()))).mos
    assert "simulated_participants" not in scores
    scores.to_csv(tmp_path / "mos.csv", index=False)
    assert analyse_file(tmp_path / "mos.csv", tmp_path / "out", ReadOptions()).simulated == ""
