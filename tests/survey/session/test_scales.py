"""A question is answered on its own scale, on the page, by the services and in the database."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError, transaction

from survey.models import Rating
from survey.session import starting
from survey.study.pictures import PublishError
from survey.study.revise import revise
from tests.survey.factories import answer, current, definition, join, make_study, rate_all

pytestmark = pytest.mark.django_db


def asked(scale: str, more: str = "", key: str = "overall") -> str:
    """Return a question on a scale, as a study file has it."""
    return f'[[questions]]\nkey = "{key}"\ntext = "How good?"\nscale = "{scale}"\n{more}\n'


@pytest.mark.parametrize(
    ("scale", "value", "stored"),
    [
        ("1:7", "7", 7),
        ("0:10", "0", 0),
        ("1:11", "11", 11),
        ("-3:3", "-3", -3),
        ("1:5:0.5", "4.5", 4.5),
        ("0:100", "62.5", 62.5),
        ("0:100", "0", 0),
        ("0:100", "33.333333333333336", 33.333333333333336),
        ("0:1:0.05", "0.3", 0.3),
    ],
)
def test_an_answer_on_the_scale_is_kept_as_it_is(client, scale, value, stored):
    study = make_study(asked(scale))
    person = join(client, study)
    assert answer(client, current(person), value).status_code == 303
    assert Rating.objects.get().value == stored


@pytest.mark.parametrize(
    ("scale", "value"),
    [
        ("1:7", "8"),
        ("1:7", "0"),
        ("1:7", "4.5"),
        ("0:10", "010"),
        ("1:5:0.5", "4.25"),
        ("0:100", "100.5"),
        ("0:100", "-1"),
        ("0:100", ""),
        ("0:100", "nan"),
        ("0:100", "inf"),
        ("0:100", "1e1"),
        ("0:100", "５０"),
        ("0:100", "9" * 500),
        ("0:1:0.05", "0.31"),
    ],
)
def test_an_answer_off_the_scale_is_refused(client, scale, value):
    person = join(client, make_study(asked(scale)))
    trial = current(person)
    response = answer(client, trial, value)
    assert response.status_code == 422
    assert "Please choose an answer." in response.content.decode()
    assert current(person) == trial
    assert not Rating.objects.exists()


@pytest.mark.parametrize(("scale", "value"), [("0:100", 101), ("1:7", 3.5), ("1:5:0.5", 0.5), ("1:5", 5.5)])
def test_the_database_itself_keeps_ratings_on_the_scale_of_their_question(client, scale, value):
    study = make_study(asked(scale))
    trial = current(join(client, study))
    question = study.questions.get()
    for values in ({"value": value, "first_value": 3}, {"value": 3, "first_value": value}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Rating.objects.create(trial=trial, question=question, **values)
    rating = Rating.objects.create(trial=trial, question=question, value=3, first_value=3)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.filter(pk=rating.pk).update(value=value)


def test_each_question_has_its_own_scale(client):
    study = make_study(asked("1:7") + asked("0:100", key="liking"))
    person = join(client, study)
    trial = current(person)
    fields = {"trial": trial.token, "q-overall": "7", "q-liking": "71"}
    assert client.post("/s/study/rate/", fields | {"q-overall": "71"}).status_code == 422
    assert client.post("/s/study/rate/", fields).status_code == 303
    assert dict(Rating.objects.values_list("question__key", "value")) == {"overall": 7, "liking": 71}


@pytest.mark.parametrize(("scale", "value"), [("0:100", "62.5"), ("1:7", "6")])
def test_undo_brings_the_answer_back(client, scale, value):
    person = join(client, make_study(asked(scale)))
    answer(client, current(person), value)
    page = client.post("/s/study/undo/", follow=True).content.decode()
    chosen = f'value="{value}" required' if scale == "0:100" else f'value="{value}" checked'
    assert chosen in page


def test_a_scale_stays_once_somebody_has_taken_part():
    study = make_study(asked("1:7"))
    revise(study, definition(asked("0:10")))
    assert study.questions.get().scale.high == 10
    rate_all(starting.start(study), limit=1)
    with pytest.raises(PublishError, match=r"questions\.1\.scale: 0:10 cannot become 0:100 once somebody"):
        revise(study, definition(asked("0:100")))
    revise(study, definition(asked("0:10", 'labels = ["no", "yes"]')))
    assert study.questions.get().labels == ["no", "yes"]


def test_the_page_has_buttons_for_up_to_eleven_categories_and_a_number_field_beyond(client):
    study = make_study(
        asked("1:11", key="a")
        + asked("1:7", 'labels = ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th"]', key="b")
        + asked("0:100", 'labels = ["never", "always"]', key="c")
        + asked("0:10:0.5", key="d")
    )
    join(client, study)
    page = client.get("/s/study/rate/").content.decode()
    assert [page.count(f'type="radio" name="q-{key}"') for key in "abcd"] == [11, 7, 0, 0]
    assert [page.count(f'type="number" name="q-{key}"') for key in "abcd"] == [0, 0, 1, 1]
    for text in ("Bad", "Excellent", "4th", "never", "always", "A number from 0 to 100"):
        assert f">{text}<" in page.replace("</span> ", "</span>") or text in page
    assert "data-none" in page  # "1" could be meant for 10.
    assert "<output" not in page


@pytest.mark.parametrize(
    ("scale", "keys"),
    [("1:5", "1 to 5"), ("1:9", "1 to 9"), ("0:4", "0 to 4"), ("0:10", ""), ("1:5:0.5", ""), ("0:100", "")],
)
def test_keys_answer_where_one_digit_says_which(client, scale, keys):
    join(client, make_study(asked(scale)))
    page = client.get("/s/study/rate/").content.decode()
    assert (f"Answer with the keys {keys}" in page) if keys else ("Answer with the keys" not in page)
    buttons = re.findall(r'<input type="radio" [^>]*value="(\d+)"[^>]*>', page) if keys else []
    assert sorted(re.findall(r'data-key="(\d)"', page)) == sorted(buttons)


def test_the_keys_of_a_choice_between_two_are_those_that_the_page_names(client):
    join(client, make_study('method = "pair"\n'))
    page = client.get("/s/study/rate/").content.decode()
    first, second, tie = re.findall(r'value="(?:first|second|tie)" required data-key="(\d)"', page)
    assert f"Answer with the keys {first}, {second} and {tie}" in page


def test_a_slider_shows_its_value_only_where_the_study_says_so(client):
    join(client, make_study(asked("0:100", "show_value = true")))
    assert "<output" in client.get("/s/study/rate/").content.decode()
