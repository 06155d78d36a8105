"""The last three answers can be given anew; the first answer is kept beside the new one."""

from __future__ import annotations

import pytest

from survey import services
from survey.models import Rating, Trial
from tests.survey.factories import answer, current, join, make_study, rate_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client):
    return join(client, make_study())


def test_undo_brings_the_last_image_back_with_its_answer_chosen(client, person):
    first = current(person)
    answer(client, first, 2)
    page = client.post("/s/study/undo/", follow=True).content.decode()
    assert first.token in page
    assert 'value="2" checked' in page


def test_the_first_answer_is_kept_beside_the_new_one(client, person):
    first = current(person)
    answer(client, first, 2)
    services.undo(person)
    first.refresh_from_db()
    answer(client, first, 5)
    rating = Rating.objects.get()
    assert (rating.value, rating.first_value, rating.changes) == (5, 2, 1)


def test_an_answer_counts_until_it_is_given_anew(person):
    rate_all(person, value=2, limit=1)
    services.undo(person)
    assert Rating.objects.get().value == 2


def test_a_form_from_before_the_undo_is_a_replay(client, person):
    """A resent answer must not pass for the new one."""
    first = current(person)
    answer(client, first, 2)
    services.undo(person)
    answer(client, first, 2)
    first.refresh_from_db()
    assert first.outcome == Trial.Outcome.OPEN


def test_three_answers_can_be_undone_and_no_fourth(person):
    rate_all(person, limit=5)
    undone = [services.undo(person) for _ in range(4)]
    assert [trial.position if trial else None for trial in undone] == [5, 4, 3, None]


def test_undo_at_the_first_image_does_nothing(client, person):
    assert services.undo(person) is None
    assert client.post("/s/study/undo/").status_code == 303


def test_undo_needs_a_post(client, person):
    rate_all(person, limit=1)
    assert client.get("/s/study/undo/").status_code == 405
