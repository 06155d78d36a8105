"""The last three answers can be given anew; the first answer is kept beside the new one."""

from __future__ import annotations

import pytest

from survey.models import Rating, Trial
from survey.session import answering
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
    answering.undo(person)
    first.refresh_from_db()
    answer(client, first, 5)
    rating = Rating.objects.get()
    assert (rating.value, rating.first_value, rating.changes) == (5, 2, 1)


def test_an_answer_counts_until_it_is_given_anew(person):
    rate_all(person, value=2, limit=1)
    answering.undo(person)
    assert Rating.objects.get().value == 2


def test_a_form_from_before_the_undo_is_a_replay(client, person):
    """A resent answer must not pass for the new one."""
    first = current(person)
    answer(client, first, 2)
    answering.undo(person)
    answer(client, first, 2)
    first.refresh_from_db()
    assert first.outcome == Trial.Outcome.OPEN


def test_three_answers_can_be_undone_and_no_fourth(person):
    rate_all(person, limit=5)
    undone = [answering.undo(person) for _ in range(4)]
    assert [trial.position if trial else None for trial in undone] == [5, 4, 3, None]


def test_undo_at_the_first_image_does_nothing(client, person):
    assert answering.undo(person) is None
    assert client.post("/s/study/undo/").status_code == 303


def test_undo_needs_a_post(client, person):
    rate_all(person, limit=1)
    assert client.get("/s/study/undo/").status_code == 405


def test_the_very_last_answer_can_be_undone_from_the_page_after_it(client):
    """The mistake that is noticed too late: the last image is gone, the thanks are there."""
    person = join(client, make_study())
    rate_all(person, value=2)
    page = client.get("/s/study/done/").content.decode()
    assert "Change my last answer" in page
    back = client.post("/s/study/undo/", follow=True)
    assert back.redirect_chain[-1][0] == "/s/study/rate/"
    person.refresh_from_db()
    assert (person.state, person.finished_at) == ("active", None)
    assert Rating.objects.count() == 6
    answer(client, current(person), 5)
    assert "Thank you" in client.get("/s/study/", follow=True).content.decode()
    person.refresh_from_db()
    assert person.state == "finished"
    assert Rating.objects.filter(value=5, first_value=2).count() == 1


def test_the_last_answer_can_be_undone_before_the_questions_about_oneself(client):
    person = join(client, make_study('about = ["age"]\n'))
    rate_all(person)
    assert "Change my last answer" in client.get("/s/study/about/").content.decode()
    client.post("/s/study/undo/")
    assert client.get("/s/study/").url == "/s/study/rate/"


def test_who_stopped_has_nothing_to_undo(client, person):
    rate_all(person, limit=2)
    client.post("/s/study/leave/", {"action": "keep"})
    assert answering.undo(person) is None
    assert "Change my last answer" not in client.get("/s/study/done/").content.decode()


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_study_that_shows_no_image_offers_no_undo(client, person, state):
    rate_all(person)
    person.study.state = state
    person.study.save()
    assert "Change my last answer" not in client.get("/s/study/done/").content.decode()


def test_the_script_is_told_what_comes_after_an_undo(client, person):
    first = current(person)
    answer(client, first, 2)
    news = client.post("/s/study/undo/", headers={"accept": "application/json"}).json()
    assert (news["saved"], news["total"], news["undo"]) == (0, 6, False)
    assert (news["ahead"][0]["token"], news["ahead"][0]["revision"]) == (first.token, 1)
    assert news["ahead"][0]["given"] == {"overall": 2}


def test_the_undo_button_is_on_the_page_itself_not_only_in_the_script(client, person):
    """It came by script alone: without one, and after a refresh, there was no way back."""
    assert 'value="1" hidden>' in client.get("/s/study/rate/").content.decode()
    rate_all(person, limit=1)
    assert 'value="1" hidden>' not in client.get("/s/study/rate/").content.decode()
