"""What is kept of a study's results is made anew after every change of what they show."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models import F

from survey.access import tokens
from survey.exports.files import study_files
from survey.models import OwnAnswer, Participant, Question, Rating, Stimulus, Study, Trial
from survey.results.collect import collect, fingerprint
from survey.results.monitor import watch
from survey.session import finishing, starting
from survey.study import decisions, erasure
from survey.study.revise import revise
from survey.study.study_file import parse
from tests.survey.exports.studies import rated_study

pytestmark = pytest.mark.django_db

ABOUT = 'about = ["age"]\n'


@pytest.fixture
def study() -> Study:
    study = rated_study(ABOUT, people=4)
    for person in study.participants.all():
        finishing.tell_about(person, {"age": "30-44"})
    return study


@pytest.mark.slow
def test_after_a_purge_no_export_and_no_answer_of_the_api_holds_what_was_purged(study, client):
    owner = User.objects.create_user("owner")
    Study.objects.update(owner=owner)
    secret = {"Authorization": f"Bearer {tokens.make(owner, 'a notebook')}"}
    address = "/api/v1/studies/study/results"
    first = client.get(address, headers=secret)
    assert b"30-44" in first.content
    assert b"30-44" in b"".join(study_files(study, "json").values())
    erasure.purge(study, None)
    for file_format in ("json", "csv", "psych-ds"):
        assert b"30-44" not in b"".join(study_files(study, file_format).values())
    again = client.get(address, headers=secret | {"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert b"30-44" not in again.content


def swap_two_answers(study: Study) -> None:
    first, second = Rating.objects.order_by("pk")[:2]
    Rating.objects.filter(pk=first.pk).update(value=5)
    Rating.objects.filter(pk=second.pk).update(value=1)


def one(study: Study) -> Participant:
    person = study.participants.order_by("pk").first()
    assert person is not None
    return person


CHANGES: dict[str, Callable[[Study], object]] = {
    "about": lambda study: study.participants.filter(pk=one(study).pk).update(about={"age": "60+"}),
    "before": lambda study: study.participants.filter(pk=one(study).pk).update(before={"job": "Baker"}),
    "own answer": lambda study: OwnAnswer.objects.create(
        trial=Trial.objects.filter(participant=one(study))[0], key="why", words="Dull"
    ),
    "state": lambda study: study.participants.filter(pk=one(study).pk).update(state="stopped"),
    "language": lambda study: study.participants.filter(pk=one(study).pk).update(language="fr"),
    "times": lambda study: study.participants.filter(pk=one(study).pk).update(finished_at=F("started_at")),
    "purge": lambda study: erasure.purge(study, None),
    "withdrawal": lambda study: erasure.withdraw(one(study)),
    "exclusion": lambda study: decisions.exclude(one(study), "a reason", User.objects.create_user("x")),
    "title": lambda study: revise(study, parse('title = "Another"\n' + ABOUT, "a")),
    "question": lambda study: Question.objects.update(text="Otherwise?"),
    "item": lambda study: Stimulus.objects.filter(item="cat-weak").update(expected=3),
    "answers": swap_two_answers,
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_key_of_the_caches_follows_every_change(study, change):
    if change == "answers":
        first, second = Rating.objects.order_by("pk")[:2]
        Rating.objects.filter(pk=first.pk).update(value=1)
        Rating.objects.filter(pk=second.pk).update(value=5)
    before = fingerprint(study)
    assert fingerprint(study) == before
    CHANGES[change](study)
    assert fingerprint(Study.objects.get()) != before


def test_a_participant_who_stopped_is_shown_as_such_at_once(study):
    person = starting.start(study)
    assert "active" in set(collect(study).participants["state"])
    finishing.stop_session(person)
    assert "active" not in set(collect(study).participants["state"])


def test_the_live_page_names_nobody_who_is_deleted(study):
    cache.clear()
    person = one(study)
    kept = replace(watch(study), flagged={person.code: ["too fast"]})
    cache.set(f"watch:{study.pk}", kept)
    assert person.code in watch(study).flagged
    erasure.withdraw(person)
    assert person.code not in json.dumps(watch(study).flagged)
