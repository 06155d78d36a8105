"""The tidy table: one row for each rating, with the columns of ratings.csv."""

from __future__ import annotations

import io
import zipfile

import pandas as pd
import pytest
from django.contrib.auth.models import User

from survey.analysis.table import COLUMNS
from survey.exports.images import write_images
from survey.models import Rating
from survey.results.collect import collect
from survey.results.tidy_table import preference_table, tidy_table
from survey.session import answering, starting
from survey.session.answering import Showing
from tests.survey.factories import current, make_study, rate_all

pytestmark = pytest.mark.django_db


def test_each_rating_is_one_row_with_its_images_factors():
    study = make_study()
    person = starting.start(study, is_simulated=True)
    rate_all(person, value=2)
    table = tidy_table(study)
    assert list(table.columns) == [*COLUMNS, "level", "strength"]
    assert len(table) == Rating.objects.count() == 6
    row = table.iloc[0]
    stimulus = person.trials.get(position=1).stimulus
    assert (row["participant"], row["item"], row["rating"]) == (person.code, stimulus.item, 2)
    assert (row["content"], row["condition"], row["level"]) == (
        stimulus.content,
        stimulus.condition,
        stimulus.factors["level"],
    )
    assert (row["phase"], row["repeat"], row["position"], row["version"]) == ("main", 0, 1, 1)
    assert row["image_sha256"] == stimulus.sha256


def test_an_empty_study_has_all_columns_and_no_row():
    table = tidy_table(make_study())
    assert list(table.columns[: len(COLUMNS)]) == list(COLUMNS)
    assert table.empty


def test_what_is_not_known_is_missing_not_zero():
    study = make_study()
    rate_all(starting.start(study), limit=1)
    row = tidy_table(study).iloc[0]
    assert pd.isna(row["rt_ms"])
    assert pd.isna(row["dpr"])
    assert pd.isna(row["shown_at"])
    assert row["answered_at"].tzinfo is not None
    assert row["input"] == ""


def test_the_first_answer_stands_beside_the_last():
    study = make_study()
    person = starting.start(study)
    trial = current(person)
    answering.rate(trial.token, {"overall": 2}, showing=Showing(rt_ms=900, input="touch"))
    again = answering.undo(person)
    answering.rate(again.token, {"overall": 4}, revision=again.revision)
    row = tidy_table(study).iloc[0]
    assert (row["rating"], row["first_rating"], row["changes"]) == (4, 2, 1)


def test_hidden_phases_are_named_and_repeats_numbered():
    study = make_study(
        '[session]\nrepeats = 1\nstabilising = 1\n[images]\npractice = ["owl-*"]\ntrap = 4\n'
        '[[images.gold]]\nitem = "dog-weak"\nanswer = 1\n'
    )
    rate_all(starting.start(study))
    table = tidy_table(study)
    phases = table["phase"].value_counts()
    assert dict(phases[phases > 0]) == {
        "main": 3,
        "practice": 2,
        "stabilising": 1,
        "repeat": 1,
        "gold": 1,
        "trap": 1,
    }
    assert list(table.loc[table["phase"] == "repeat", "repeat"]) == [1]
    assert list(table.loc[table["phase"] == "main", "repeat"]) == [0, 0, 0]
    assert list(table.loc[table["phase"] == "gold", "expected"]) == [1]


def test_a_reference_is_named_in_a_degradation_test():
    study = make_study('method = "dcr"\n[images]\nreferences = ["*-strong"]\n')
    rate_all(starting.start(study))
    table = tidy_table(study)
    pairs = set(zip(table["item"], table["reference"], strict=True))
    assert pairs == {("cat-weak", "cat-strong"), ("dog-weak", "dog-strong"), ("owl-weak", "owl-strong")}


def test_hidden_references_are_rated_in_acr_hr():
    study = make_study('method = "acr-hr"\n[images]\nreferences = ["*-strong"]\n[session]\nimages = 2\n')
    rate_all(starting.start(study))
    table = tidy_table(study)
    assert len(table) == 4
    rated = set(table["content"])
    assert {f"{content}-strong" for content in rated} < set(table["item"])


def test_a_pair_study_has_a_table_of_its_own():
    study = make_study('method = "pair"\n')
    person = starting.start(study)
    trial = current(person)
    answering.rate(trial.token, {"overall": "second"})
    (row,) = preference_table(study).to_dict("records")
    assert (row["first"], row["second"]) == (trial.stimulus.item, trial.other.item)
    assert (row["answer"], row["content"]) == ("second", trial.stimulus.content)
    assert tidy_table(study).empty


def test_previews_are_never_in_it():
    study = make_study()
    admin = User.objects.create_superuser("admin", password="x")
    rate_all(starting.start(study, preview_by=admin))
    assert tidy_table(study).empty


def test_a_few_queries_whatever_the_number_of_ratings(django_assert_max_num_queries):
    study = make_study()
    for _ in range(10):
        rate_all(starting.start(study))
    with django_assert_max_num_queries(10):
        assert len(tidy_table(study)) == 60


def test_a_factor_named_like_a_column_of_the_images_leaves_it_as_it_is():
    study = make_study()
    study.stimuli.update(factors={"role": "hero", "width": 7, "other_id": 1})
    rate_all(starting.start(study), value=1, limit=1)
    images = collect(study).items
    assert {*images["role"]} == {"main"}
    assert {*images["width"]} == {48}
    assert images[
        ["factor_role", "factor_width", "factor_other_id"]
    ].drop_duplicates().to_numpy().tolist() == [["hero", 7, 1]]
    write_images(study, archive := io.BytesIO())
    with zipfile.ZipFile(archive) as files, files.open("images.csv") as table:
        listed = pd.read_csv(table)
    assert {*listed["role"], *listed["factor_role"]} == {"main", "hero"}


def test_a_factor_named_like_a_column_gets_a_prefix():
    study = make_study()
    study.stimuli.update(factors={"rating": 3, "ratio": 0.5}, covariates={"ratio": 1.0, "ssim": 0.9})
    rate_all(starting.start(study), value=1, limit=1)
    row = tidy_table(study).iloc[0]
    assert (row["rating"], row["factor_rating"], row["ratio"], row["covariate_ratio"], row["ssim"]) == (
        1,
        3,
        0.5,
        1.0,
        0.9,
    )
