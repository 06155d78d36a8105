"""A study's own questions: about the person before and after the images, and about each image."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from survey.models import OwnAnswer, Participant
from survey.session import answering, finishing, progress, starting
from survey.study import erasure
from survey.study.study_file import DefinitionError, parse
from tests.survey.factories import answer, current, join, make_study, rate_all

pytestmark = pytest.mark.django_db

OWN = """
languages = ["en", "de"]
about = ["age"]
[[own_questions]]
key = "job"
when = "before"
text = {en = "What is your job?", de = "Was ist Ihr Beruf?"}
required = true
max_length = 20
[[own_questions]]
key = "arts"
text = {en = "Which arts do you like?", de = "Welche Künste mögen Sie?"}
answer = "several"
choices = {en = ["Painting", "Music", "Dance"], de = ["Malerei", "Musik", "Tanz"]}
[[own_questions]]
key = "why"
about = "image"
text = {en = "Why?", de = "Warum?"}
[[own_questions]]
key = "seen"
about = "image"
answer = "one"
required = true
text = {en = "Have you seen it before?", de = "Kennen Sie es?"}
choices = {en = ["Yes", "No"], de = ["Ja", "Nein"]}
"""


def rated(person: Participant, **own: list[str]) -> None:
    """Answer the current trial."""
    trial = current(person)
    answering.rate(trial.token, {"overall": 4}, own=own, revision=trial.revision)


def test_a_question_before_the_images_comes_before_them_and_once(client):
    person = join(client, make_study(OWN))
    assert client.get("/s/study/").url == "/s/study/before/"
    assert client.get("/s/study/rate/").url == "/s/study/before/"
    assert "What is your job?" in client.get("/s/study/before/").content.decode()
    assert client.post("/s/study/before/", {"n-job": " Baker\r\n "}).url == "/s/study/rate/"
    assert client.post("/s/study/before/", {"n-job": "Cook"}).url == "/s/study/rate/"
    person.refresh_from_db()
    assert person.before == {"job": "Baker"}


@pytest.mark.parametrize("sent", ["", "  ", "x" * 21])
def test_an_answer_that_is_missing_or_too_long_is_asked_for_again_with_what_was_typed(client, sent):
    join(client, make_study(OWN))
    page = client.post("/s/study/before/", {"n-job": sent})
    assert page.status_code == 422
    told = "at most 20 characters" if len(sent) > 20 else "Please answer this question."
    assert told in page.content.decode()
    assert sent in page.content.decode()


def test_choices_are_kept_in_the_first_language_whatever_the_persons(client):
    person = join(client, make_study(OWN), language="de")
    client.post("/s/study/before/", {"n-job": "Bäcker"})
    page = client.get("/s/study/rate/").content.decode()
    assert "Kennen Sie es?" in page
    assert "Nein</label>" in page
    trial = current(person)
    answer(client, trial, 4, **{"n-seen": "2", "n-why": "Zu dunkel"})
    kept = {row.key: row.answer for row in OwnAnswer.objects.filter(trial=trial)}
    assert kept == {"seen": "No", "why": "Zu dunkel"}


def test_a_required_answer_about_an_image_is_needed_for_the_rating(client):
    person = join(client, make_study(OWN))
    client.post("/s/study/before/", {"n-job": "Baker"})
    wrong: list[dict[str, Any]] = [{}, {"n-seen": "3"}, {"n-seen": "x"}, {"n-seen": ["1", "2"]}]
    for seen in wrong:
        page = answer(client, current(person), 4, **{"n-why": "Because <b>", **seen})
        assert page.status_code == 422
        assert "Because &lt;b&gt;" in page.content.decode()
    assert not current(person).ratings.exists()
    assert not OwnAnswer.objects.exists()


def test_undo_shows_what_was_answered_and_a_new_answer_replaces_it(client):
    person = join(client, make_study(OWN))
    client.post("/s/study/before/", {"n-job": "Baker"})
    trial = current(person)
    answer(client, trial, 4, **{"n-seen": "2", "n-why": "Dull"})
    client.post("/s/study/undo/")
    page = client.get("/s/study/rate/").content.decode()
    assert ">Dull</textarea>" in page
    state = json.loads(html.unescape(page.split('type="application/json">')[1].split("</script>")[0]))
    assert state["ahead"][0]["own"] == {"seen": ["2"], "why": ["Dull"]}
    answer(client, current(person), 3, **{"n-seen": "1"})
    assert [(row.key, row.answer) for row in OwnAnswer.objects.filter(trial=trial)] == [("seen", "Yes")]


def test_questions_after_the_images_stand_beside_the_groups(client):
    person = join(client, make_study(OWN))
    client.post("/s/study/before/", {"n-job": "Baker"})
    while progress.next_trial(person):
        rated(person, seen=["1"])
    page = client.get("/s/study/about/").content.decode()
    assert "Which arts do you like?" in page
    assert "How old are you?" in page
    done = client.post("/s/study/about/", {"age": "18-29", "n-arts": ["3", "1"]}, follow=True)
    assert "Thank you" in done.content.decode()
    person.refresh_from_db()
    assert person.about == {"age": "18-29", "arts": ["Painting", "Dance"]}


def test_a_study_without_them_reads_none_and_keeps_one_tap(client):
    tap = 'answer = "tap"\n'
    join(client, make_study(tap))
    assert "by-tap" in client.get("/s/study/rate/").content.decode()
    own = '[[own_questions]]\nkey = "why"\nabout = "image"\ntext = "Why?"\n'
    client.cookies.clear()
    join(client, make_study(tap + own, slug="other"))
    page = client.get("/s/other/rate/").content.decode()
    assert "by-tap" not in page
    assert ">Next</button>" in page


def test_a_purge_deletes_words_and_what_people_said_of_themselves():
    study = make_study(OWN)
    person = starting.start(study)
    finishing.tell_before(person, {"job": "Baker"})
    rated(person, seen=["1"], why=["I am Jane"])
    erasure.purge(study, None)
    person.refresh_from_db()
    assert person.before is None
    assert [(row.key, row.answer) for row in OwnAnswer.objects.all()] == [("seen", "Yes")]


def test_a_withdrawal_deletes_them_all():
    person = starting.start(make_study(OWN))
    finishing.tell_before(person, {"job": "Baker"})
    rated(person, seen=["1"], why=["I am Jane"])
    erasure.withdraw(person)
    assert not OwnAnswer.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [{"words": ""}, {"words": "a", "chosen": "b"}, {"words": "x" * 2001}, {"key": "twice", "words": "a"}],
)
def test_the_database_keeps_one_answer_of_one_kind_and_no_novel(fields):
    trial = current(starting.start(make_study()))
    OwnAnswer.objects.create(trial=trial, key="twice", words="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        OwnAnswer.objects.create(trial=trial, **{"key": "other", **fields})


def test_a_study_that_is_over_asks_nothing_more(client):
    study = make_study(OWN)
    join(client, study)
    study.state = "closed"
    study.save()
    assert client.post("/s/study/before/", {"n-job": "Baker"}).status_code in (410, 303)
    assert not Participant.objects.exclude(before__isnull=True).exists()


QUESTION = '[[own_questions]]\nkey = "a"\ntext = "A?"\n'


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        (QUESTION + 'answer = "one"', "choices: answer = 'one' needs at least two"),
        (QUESTION + 'choices = ["a", "b"]', "choices: an answer in words has none"),
        (QUESTION + 'answer = "one"\nchoices = ["a", "a"]', "'a' stands there twice"),
        (QUESTION + 'answer = "several"\nchoices = ["a;b", "c"]', "no ';' within one"),
        (QUESTION + 'about = "image"\nwhen = "before"', "when: a question about each image"),
        (QUESTION + QUESTION, "own_questions: the key 'a' stands there twice"),
        (QUESTION.replace('"a"', '"age"'), "'age' stands there twice, or is one of `about`'s"),
        ('languages = ["en", "de"]\n' + QUESTION.replace('"A?"', '{en = "A?"}'), "no text in de"),
        (QUESTION + 'answer = "one"\nchoices = {en = ["a", "b"], de = ["a"]}', "choices"),
        (QUESTION + 'answer = "one"\nchoices = ["a", "b"]\nmax_length = 9', "is for answers in words only"),
        (QUESTION + "max_length = 2001", "must be at most 2000, not 2001"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_with_its_place(toml, fault):
    with pytest.raises(DefinitionError) as error:
        parse('title = "T"\n' + toml, "study.toml")
    assert "own_questions" in error.value.lines[0]
    assert fault in error.value.lines[0]


def test_a_study_without_own_questions_keeps_its_hash():
    assert (
        parse('title = "A study"', "x").sha256 == parse('title = "A study"\nown_questions = []', "x").sha256
    )
    assert rate_all(starting.start(make_study())) == 6
