"""A rating is kept once, whatever the browser does; a bad one is refused with a clear answer."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from survey.models import Participant, Rating, Trial
from tests.survey.factories import answer, current, join, make_study, rate_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return make_study()


@pytest.fixture
def person(client, study):
    return join(client, study)


def test_a_rating_is_committed_before_the_next_image_shows(client, person):
    first = current(person)
    response = answer(client, first, 4)
    assert response.status_code == 303
    assert Rating.objects.get(trial=first).value == 4
    page = client.get(response.url)
    assert current(person).token in page.content.decode()
    assert first.token not in page.content.decode()


@pytest.mark.parametrize("value", ["0", "6", "-1", "x", "", "4.5", "３", "1 ", "true", "9" * 500])
def test_it_refuses_a_rating_that_is_not_on_the_scale(client, person, value):
    trial = current(person)
    response = answer(client, trial, value)
    assert response.status_code == 422
    assert "Please choose an answer." in response.content.decode()
    assert not Rating.objects.exists()
    assert current(person) == trial


def test_it_refuses_a_form_without_a_rating(client, person):
    trial = current(person)
    response = client.post("/s/study/rate/", {"trial": trial.token})
    assert response.status_code == 422
    assert current(person) == trial


@pytest.mark.parametrize("value", [0, 6])
def test_the_database_itself_refuses_a_rating_off_the_scale(person, value):
    trial = current(person)
    question = person.study.questions.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(trial=trial, question=question, value=value, first_value=3)


def test_the_database_itself_refuses_a_second_rating_of_one_trial(person):
    trial = current(person)
    question = person.study.questions.get()
    Rating.objects.create(trial=trial, question=question, value=3, first_value=3)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(trial=trial, question=question, value=4, first_value=4)


def test_a_double_click_keeps_one_row_and_skips_no_image(client, person):
    first = current(person)
    answer(client, first, 4)
    second = current(person)
    again = answer(client, first, 4)
    assert again.status_code == 303
    assert Rating.objects.count() == 1
    assert current(person) == second


def test_an_old_page_sent_again_does_not_change_what_was_answered(client, person):
    """The back button brings the old form back; only Undo opens an answer again."""
    first = current(person)
    answer(client, first, 4)
    answer(client, first, 1)
    assert Rating.objects.get().value == 4


def test_two_tabs_on_one_image_give_one_row(client, person):
    trial = current(person)
    pages = [client.get("/s/study/rate/").content.decode() for _ in range(2)]
    assert all(trial.token in page for page in pages)
    answer(client, trial, 5)
    answer(client, trial, 2)
    assert list(Rating.objects.values_list("value", flat=True)) == [5]


def test_refreshing_shows_the_same_image(client, person):
    pages = {client.get("/s/study/rate/").content for _ in range(3)}
    assert len(pages) == 1


def test_the_time_when_an_image_was_first_shown_stays(client, person):
    client.get("/s/study/rate/")
    first = current(person).shown_at
    assert first is not None
    client.get("/s/study/rate/")
    assert current(person).shown_at == first


def test_all_questions_of_an_image_are_kept_or_none(client):
    study = make_study(
        '[[questions]]\nkey = "overall"\ntext = "A?"\n[[questions]]\nkey = "style"\ntext = "B?"\n'
    )
    person = join(client, study)
    trial = current(person)
    response = client.post("/s/study/rate/", {"trial": trial.token, "q-overall": "3"})
    assert response.status_code == 422
    assert not Rating.objects.exists()
    # What was chosen is still chosen on the page that asks for the rest.
    assert 'value="3" checked' in response.content.decode()
    client.post("/s/study/rate/", {"trial": trial.token, "q-overall": "3", "q-style": "5"})
    assert dict(Rating.objects.values_list("question__key", "value")) == {"overall": 3, "style": 5}


def test_a_guessed_trial_gets_a_clear_answer_and_changes_nothing(client, person):
    response = client.post("/s/study/rate/", {"trial": "guessed", "q-overall": "3"})
    assert response.status_code == 404
    assert "Nothing was changed" in response.content.decode()
    assert not Rating.objects.exists()


def test_an_answer_outlives_the_loss_of_the_cookie(client, person):
    trial = current(person)
    client.cookies.clear()
    response = answer(client, trial, 2)
    assert response.status_code == 303
    assert Rating.objects.get().value == 2


def test_someone_elses_answer_shows_nothing_of_their_session(client, person):
    """A trial's token is enough to keep an answer, not to read on."""
    stranger = Client()
    join(stranger, person.study)
    trial = current(person)
    response = stranger.post(
        "/s/study/rate/", {"trial": trial.token, "q-overall": "3"}, headers={"accept": "application/json"}
    )
    assert response.json() == {"kept": True}


def test_closing_the_browser_and_coming_back_goes_on_where_it_stopped(client, person):
    rate_all(person, limit=2)
    later = Client()
    later.cookies = client.cookies
    response = later.get("/s/study/", follow=True)
    assert current(person).token in response.content.decode()
    assert "Image 3 of 6" in response.content.decode()


def test_a_rating_in_a_paused_study_is_still_kept(client, person):
    trial = current(person)
    person.study.state = "paused"
    person.study.save()
    assert answer(client, trial, 3).status_code == 303
    assert Rating.objects.count() == 1
    assert client.get("/s/study/rate/").status_code == 503


def test_measurements_out_of_range_count_as_not_known(client, person):
    trial = current(person)
    answer(
        client, trial, 3, rt_ms="-5", dpr="NaN", viewport_w="1e300", zoom="two", input="nose", shown_w="300.5"
    )
    trial.refresh_from_db()
    rating = Rating.objects.get()
    assert (rating.rt_ms, rating.input) == (None, "")
    assert (trial.dpr, trial.viewport_w, trial.zoom, trial.shown_w) == (None, None, None, 300.5)


def test_the_time_to_answer_and_the_screen_are_kept(client, person):
    trial = current(person)
    answer(
        client, trial, 3, rt_ms="1234", waited_ms="60000", input="key", dpr="2", viewport_w="390", changes="1"
    )
    trial.refresh_from_db()
    rating = Rating.objects.get()
    assert (rating.rt_ms, rating.input, rating.changes) == (1234, "key", 1)
    assert (trial.dpr, trial.viewport_w) == (2.0, 390)
    assert (trial.answered_at - trial.shown_at).total_seconds() == pytest.approx(1.234)
    assert (rating.created_at - trial.answered_at).total_seconds() > 59


def test_an_image_that_does_not_load_is_skipped_with_the_reason_and_never_rated(client, person):
    """jsPsych #1393: truncated images were rated all the same."""
    trial = current(person)
    response = client.post("/s/study/skip/", {"trial": trial.token, "reason": "truncated"})
    assert response.status_code == 303
    trial.refresh_from_db()
    assert (trial.outcome, trial.reason) == (Trial.Outcome.SKIPPED, "truncated")
    answer(client, trial, 4)
    assert not Rating.objects.exists()


def test_without_a_script_the_person_says_that_an_image_does_not_show(client, person):
    trial = current(person)
    page = client.get("/s/study/rate/").content.decode()
    noscript = page.rpartition("<noscript>")[2].partition("</noscript>")[0]
    assert 'formaction="/s/study/skip/"' in noscript
    assert 'name="reason" value="reported"' in noscript
    client.post("/s/study/skip/", {"trial": trial.token, "revision": "0", "reason": "reported"})
    trial.refresh_from_db()
    assert (trial.outcome, trial.reason) == (Trial.Outcome.SKIPPED, "reported")


def test_a_skip_for_no_known_reason_is_refused(client, person):
    trial = current(person)
    assert client.post("/s/study/skip/", {"trial": trial.token, "reason": "lazy"}).status_code == 404
    trial.refresh_from_db()
    assert trial.outcome == Trial.Outcome.OPEN


def test_the_last_answer_finishes_the_session(client, person):
    rate_all(person)
    response = client.get("/s/study/rate/", follow=True)
    assert "6 of 6" in response.content.decode()
    person.refresh_from_db()
    assert person.state == Participant.State.FINISHED
    assert person.finished_at is not None
