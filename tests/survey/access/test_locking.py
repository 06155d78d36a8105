"""What goes away between a look and an act is not found: a second click, or somebody else, was faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import Http404
from django.test import Client

from survey.desk import image_set_actions
from survey.models import Study
from survey.session import answering, finishing, starting
from survey.simulation.example import PARTICIPANTS, example_of
from survey.study import erasure, lifecycle
from tests.survey.desk.sets import finished_set
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db

ACTS: dict[str, Callable[[Study, User], Any]] = {
    "close": lambda study, by: lifecycle.set_state(study, Study.State.CLOSED, by),
    "archive": lifecycle.archive,
    "purge": lambda study, by: lifecycle.purge(study, "study", by),
    "delete": lambda study, by: lifecycle.delete(study, "study", by),
    "begin": lambda study, by: starting.start(study),
}


@pytest.fixture
def admin() -> User:
    return User.objects.create_superuser("admin")


@pytest.mark.parametrize("act", ACTS)
def test_a_study_that_is_gone_is_not_found(admin: User, act: str) -> None:
    study = make_study()
    Study.objects.filter(pk=study.pk).delete()
    with pytest.raises(Http404):
        ACTS[act](study, admin)


@pytest.mark.parametrize("act", [finishing.finish, answering.undo])
def test_a_person_who_is_gone_is_not_found(act: Callable[..., Any]) -> None:
    person = starting.start(make_study())
    pk = person.pk
    erasure.withdraw(person)
    person.pk = pk
    with pytest.raises(Http404):
        act(person)


def test_an_image_set_that_is_gone_is_not_found(admin: User) -> None:
    image_set = finished_set(admin)
    type(image_set).objects.filter(pk=image_set.pk).delete()
    with pytest.raises(Http404):
        image_set_actions.delete_set(image_set, admin)


def test_the_second_of_two_clicks_at_once_gets_a_page(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study()
    Study.objects.filter(pk=study.pk).update(state=Study.State.CLOSED)
    monkeypatch.setattr("survey.desk.pages.study.lifecycle.own_study", lambda user, slug: study)
    client = Client()
    client.force_login(admin)
    answers = [client.post("/studies/study/end/delete/", {"typed": "study"}).status_code for _ in range(2)]
    assert answers == [302, 404]


def test_an_example_that_was_asked_for_twice_at_once_is_whole(admin: User) -> None:
    study = example_of(admin)
    starting.start(study, is_simulated=True)
    assert example_of(admin).participants.count() == PARTICIPANTS + 1
