"""Which trials count when the next session's images are drawn: answers, and places of sessions that are still alive."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from survey.models import Participant, Study
from survey.session.assignment import votes
from survey.session.starting import start
from survey.study import decisions
from tests.survey.factories import make_study, rate_all

pytestmark = pytest.mark.django_db

IMAGES = 6


@pytest.fixture
def study() -> Study:
    return make_study()


def silent_for(person: Participant, minutes: int) -> None:
    now = timezone.now()
    Participant.objects.filter(pk=person.pk).update(last_seen_at=now - dt.timedelta(minutes=minutes))


@pytest.mark.parametrize(("minutes", "places"), [(44, IMAGES), (46, 0)])
def test_an_unanswered_place_counts_for_45_minutes(study, minutes, places):
    silent_for(start(study), minutes)
    assert sum(votes(study).values()) == places


def test_an_answer_counts_however_long_ago_it_was_given(study):
    person = start(study)
    rate_all(person, limit=2)
    silent_for(person, 1000)
    assert sum(votes(study).values()) == 2


def test_a_preview_counts_nothing(study):
    rate_all(start(study, preview_by=User.objects.create_user("ada")), limit=2)
    assert votes(study) == {}


def test_answers_of_an_excluded_participant_count_again_once_the_exclusion_is_lifted(study):
    owner = User.objects.create_user("ada")
    person = start(study)
    rate_all(person)
    exclusion = decisions.exclude(person, "a test", owner)
    assert sum(votes(study).values()) == 0
    decisions.lift(exclusion, owner)
    assert sum(votes(study).values()) == IMAGES
