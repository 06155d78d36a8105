"""Images that nobody rated do not vanish: each table has their row, and a sentence names them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from survey.analysis import analyse, read_ratings
from survey.analysis.report.answers import answer
from survey.exports.files import csv_files, latex_tables
from survey.exports.folder import write_folder
from survey.exports.methods import methods_text
from survey.models import Study
from survey.results.collect import checked, collect, counted_ratings, mos_tables
from survey.results.panels import Selection
from tests.survey.exports.studies import TWO_QUESTIONS, rated_study


def unrated_study(toml: str = "", **options) -> Study:
    """A study with an image that came too late to be rated."""
    study = rated_study(toml, people=4, **options)
    add_late(study)
    return study


def add_late(study: Study) -> None:
    late = study.stimuli.order_by("pk").first()
    assert late is not None
    late.pk, late.name, late.item = None, f"late-{study.pk}", "late image"
    late.save()


@pytest.mark.slow
def test_an_image_that_nobody_rated_is_everywhere(db, tmp_path):
    for toml, count in (("", 1), (TWO_QUESTIONS, 2)):
        study = unrated_study(toml, slug=f"late-{count}")
        export = collect(study)
        row = export.analysis.mos.set_index("item").loc[["late image"]]
        assert (row["n"] == 0).all()
        assert row["mos"].isna().all()
        assert len(row) == count
        for key, part in export.analysis.questions.items():
            pd.testing.assert_frame_equal(mos_tables(study)[key], part.mos, check_exact=True)
            assert "1 image has no rating yet: late image." in answer(part).panel
            assert part.summary["notes"]["unrated_items"].endswith("n = 0 in the tables: late image")
        assert "rated 6 images" in methods_text(export)
        assert "Nobody rated 1 more: late image." in methods_text(export)
        assert "each image received 4 ratings" in methods_text(export).lower()
        assert "late image" in latex_tables(export)
        folder = tmp_path / study.slug
        write_folder(csv_files(export), folder)
        read = read_ratings(folder / "ratings.csv")
        pd.testing.assert_frame_equal(analyse(read).mos, export.analysis.mos, check_dtype=False)
        assert "late image" in read.notes["unrated"]


@pytest.mark.slow
def test_an_image_that_nobody_rated_hides_no_finding_on_the_others(db):
    study = rated_study(people=16, slug="whole")
    before = answer(collect(study).analysis)
    add_late(study)
    after = answer(collect(study).analysis)
    assert before.letters
    assert after.letters == before.letters
    assert (after.finding, after.claims) == (before.finding, before.claims)


def test_an_image_whose_raters_are_left_out_keeps_its_row(db):
    study = unrated_study()
    ratings = checked(study, counted_ratings(study))
    person = ratings.table["participant"].iloc[0]
    alone = ratings.table[
        (ratings.table["item"] != ratings.table["item"].iloc[0]) | (ratings.table["participant"] == person)
    ]
    left = replace(ratings, table=alone.reset_index(drop=True)).without([person])
    assert left.unrated["item"].tolist() == [str(ratings.table["item"].iloc[0])]


def test_a_level_that_is_chosen_has_its_own_unrated_images_alone(db):
    study = unrated_study()
    late = study.stimuli.get(item="late image")
    shown = {
        level: set(collect(study, Selection(only=("strength", level))).analysis.mos["item"])
        for level in {str(s.factors["strength"]) for s in study.stimuli.all()}
    }
    for level, items in shown.items():
        assert ("late image" in items) == (level == str(late.factors["strength"]))


def test_images_for_practice_and_those_left_out_have_no_row(db):
    study = unrated_study()
    study.stimuli.filter(item="late image").update(role="left-out")
    assert "late image" not in set(collect(study).analysis.mos["item"])
    assert "late image" not in set(mos_tables(study)["overall"]["item"])
