"""What is kept of a study's results is made anew after every change of what they show."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from survey.access import tokens
from survey.exports.files import study_files
from survey.models import OwnAnswer, Participant, Question, Rating, Recruit, Stimulus, Stored, Study, Trial
from survey.results.collect import collect, fingerprint
from survey.results.monitor import watch
from survey.session import finishing, starting
from survey.study import decisions, erasure, stored
from survey.study.prolific.api import Submission
from survey.study.prolific.submissions import sort_out
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


@pytest.fixture
def told_much() -> Study:
    """A rated study by Prolific in which people said much, and its owner."""
    own = '[[own_questions]]\nkey = "why"\nabout = "image"\ntext = "Why?"\n'
    study = rated_study(ABOUT + own, people=2)
    owner = User.objects.create_superuser("owner")
    Study.objects.update(owner=owner)
    for person in study.participants.all():
        finishing.tell_about(person, {"age": "30-44"})
        Recruit.objects.create(
            study=study, participant=person, platform="prolific", person=f"pid-{person.pk}"
        )
        OwnAnswer.objects.create(
            trial=Trial.objects.filter(participant=person)[0], key="why", words="I, Jane"
        )
        Participant.objects.filter(pk=person.pk).update(before={"job": "Baker"}, screening={"vision": "odd"})
    return Study.objects.get()


TELLING = (b"30-44", b"Baker", b"I, Jane", b"pid-")


@pytest.mark.slow
def test_from_the_purge_date_on_nothing_is_shown_that_is_still_to_be_deleted(told_much, client):
    """The deletion comes within ten minutes; the promise holds from midnight on."""
    study = told_much
    secret = {"Authorization": f"Bearer {tokens.make(study.owner, 'a notebook')}"}
    api = "/api/v1/studies/study/results"
    person = one(study)
    client.force_login(study.owner)
    pages = [
        "/studies/study/participants/",
        "/studies/study/live/",
        f"/admin/survey/participant/{person.pk}/change/",
        "/admin/survey/ownanswer/",
        "/admin/survey/recruit/",
    ]

    def shown() -> set[bytes]:
        files = [b"".join(study_files(study, kind).values()) for kind in ("json", "csv", "psych-ds")]
        files += [client.get(api, headers=secret).content]
        for address in pages:
            answer = client.get(address)
            assert answer.status_code == 200, address
            files.append(answer.content)
        return {word for word in TELLING if any(word in file for file in files)}

    assert shown() == set(TELLING)
    Study.objects.update(purge_on=timezone.localdate())
    study.refresh_from_db()
    assert shown() == set()
    assert Recruit.objects.count() == 2


def test_what_was_made_before_the_purge_date_is_not_shown_on_it(study):
    made = stored.ask(study, "csv")
    taken = stored.take()
    assert taken is not None
    stored.keep(taken, "old.csv", [b"30-44"])
    assert stored.latest(study, "csv") == made
    study.purge_on = timezone.localdate()
    study.save()
    assert stored.latest(study, "csv") == made
    Stored.objects.update(began_at=timezone.now() - dt.timedelta(days=1, hours=1))
    assert stored.latest(study, "csv") is None


def test_from_the_purge_date_on_prolific_s_submissions_are_told_apart_no_more(told_much):
    person = f"pid-{one(told_much).pk}"
    submissions = [Submission(id="s1", participant_id=person, status="AWAITING REVIEW")]
    Recruit.objects.update(session="s1")
    assert sort_out(told_much, submissions).finished == submissions
    told_much.purge_on = timezone.localdate()
    (after,) = sort_out(told_much, submissions).others
    assert after[1] == "no session here"


def test_results_do_not_read_how_images_were_made_until_an_export_asks(study, monkeypatch):
    monkeypatch.setattr("survey.results.collect.settings_table", lambda study: 1 / 0)
    export = collect(study)
    with pytest.raises(ZeroDivisionError):
        _ = export.settings
