"""A MOS table from the database's counts is that from the ratings one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey.analysis import check
from survey.analysis.items.mos import mos_table
from survey.analysis.table import code, main_phase
from survey.models import Exclusion, Rating, Trial
from survey.results.collect import NoRatings, collect, mos_tables
from survey.results.tidy_table import rating_counts, tidy_table
from survey.session import starting
from tests.survey.exports.studies import TWO_QUESTIONS, nasty_picture, rated_study
from tests.survey.factories import make_study, rate_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    """Two questions, seven images, four participants."""
    return rated_study(TWO_QUESTIONS, people=4, extra=[nasty_picture()])


def assert_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    """To the last bit."""
    pd.testing.assert_frame_equal(left, right, check_exact=True)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_counted_and_row_by_row_give_the_same_table(study, data):
    ratings, trials = list(Rating.objects.all()), list(Trial.objects.all())
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    for rating in ratings:
        rating.value = int(rng.integers(1, 6))
    for trial in trials:
        trial.phase = str(rng.choice(Trial.Phase.values, p=[0.1, 0.1, 0.5, 0.1, 0.1, 0.1]))
    trials[0].phase = Trial.Phase.MAIN
    Rating.objects.bulk_update(ratings, ["value"])
    Trial.objects.bulk_update(trials, ["phase"])
    main = main_phase(check(tidy_table(study)).table)
    counted = mos_tables(study)
    assert list(counted) == ["liking", "quality"]
    images = sorted(study.stimuli.values_list("item", flat=True))
    for key, table in counted.items():
        assert_same(table, mos_table(code(main[main["question"] == key], items=images)))


def test_whoever_is_left_out_of_the_results_is_not_counted(study):
    first, second, *_ = study.participants.order_by("pk")
    Exclusion.objects.create(participant=first, reason="asleep")
    Exclusion.objects.create(participant=second, reason="a mistake", lifted_at=second.started_at)
    rate_all(starting.start(study, preview_by=User.objects.create_superuser("admin", password="x")), value=1)
    counted, questions = mos_tables(study), collect(study).analysis.questions
    assert counted["quality"]["n"].tolist() == [3] * 7
    for key, table in counted.items():
        assert_same(table, questions[key].mos)


def test_nothing_to_count_is_said():
    with pytest.raises(NoRatings, match="'study' has no rating that counts yet"):
        mos_tables(make_study())


def test_counting_is_one_query_and_two_for_the_names(study, django_assert_num_queries):
    with django_assert_num_queries(3):
        assert len(rating_counts(study).drop_duplicates(["question", "item"])) == 14
