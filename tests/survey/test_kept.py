"""A copy of a study that is kept for many tests is the study, with rows of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from survey.models import Participant, Study, random_seed
from survey.results.collect import collect
from survey.study import votes
from tests.survey.exports.studies import TWO_QUESTIONS, give_ratings, rated_study
from tests.survey.factories import make_study
from tests.survey.kept import _kept, kept

pytestmark = pytest.mark.django_db


def _of_three() -> Study:
    study = make_study(TWO_QUESTIONS)
    give_ratings(study, 3)
    return study


def made(key: str, look: Callable[[Study], Any]) -> Any:
    """Let an earlier test make a study and look at it; its rows go with the test."""
    with transaction.atomic():
        facts = look(kept(key, _of_three))
        transaction.set_rollback(True)
    # Rows that the earlier test had not: the copy's get other keys.
    make_study(slug="other")
    return facts


def copied(key: str) -> Study:
    return kept(key, lambda: pytest.fail("made again"))


def votes_by_item(study: Study) -> dict[str, int]:
    items = dict(study.stimuli.values_list("pk", "item"))
    return {items[place]: count for (place, _), count in votes.last_counted(study).items()}


def test_a_copy_has_the_results_of_the_study():
    theirs = made("same", collect)
    ours = collect(copied("same"))
    assert ours.analysis.tables().keys() == theirs.analysis.tables().keys()
    for name, table in theirs.analysis.tables().items():
        pd.testing.assert_frame_equal(ours.analysis.tables()[name], table)
    pd.testing.assert_frame_equal(ours.items, theirs.items)
    # A trial is named by its row's key; times have moved on.
    own = ["trial", *ours.ratings.select_dtypes("datetimetz").columns]
    assert len(own) > 1
    pd.testing.assert_frame_equal(ours.ratings.drop(columns=own), theirs.ratings.drop(columns=own))


def test_a_copys_votes_are_counted_for_its_own_images():
    theirs = made("votes", votes_by_item)
    assert theirs
    assert votes_by_item(copied("votes")) == theirs


def test_a_copy_is_as_old_as_the_study_was(monkeypatch):
    def finished(study: Study) -> list[dt.datetime]:
        return [person.finished_at for person in study.participants.order_by("pk") if person.finished_at]

    before = made("age", finished)
    later = timezone.now() + dt.timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    after = finished(copied("age"))
    assert len(after) == len(before) == 3
    ages = {round((b - a).total_seconds()) for a, b in zip(before, after, strict=True)}
    assert len(ages) == 1
    assert 86_400 <= ages.pop() < 86_500


def test_a_study_whose_image_is_gone_is_made_again():
    image = made("gone", lambda study: study.stimuli.order_by("pk")[0].image.name)
    default_storage.delete(image)
    again = kept("gone", lambda: make_study(slug="gone"))
    assert all(default_storage.exists(str(one.image.name)) for one in again.stimuli.all())
    assert not again.participants.exists()


def test_people_can_go_on_in_a_copy():
    made("on", lambda study: study.pk)
    copy = copied("on")
    give_ratings(copy, 1, seed=4)
    assert Participant.objects.filter(study=copy, state="finished").count() == 4


def test_another_study_is_another():
    assert rated_study(people=1, slug="a").participants.count() == 1
    assert rated_study(people=2, slug="b").participants.count() == 2


def test_a_study_has_the_same_orders_whichever_test_makes_it():
    def orders(key: str) -> list[tuple[str, int, list[str]]]:
        study = kept(key, _of_three)
        return [
            (person.code, person.seed, list(person.trials.values_list("stimulus__item", flat=True)))
            for person in study.participants.order_by("pk")
        ]

    with transaction.atomic():
        first = orders("orders")
        transaction.set_rollback(True)
    del _kept["orders"]
    random_seed()
    assert orders("orders") == first
