"""How long a session takes is said on the first page: as the study says, as people took, or our guess."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from survey.models import Participant
from survey.session import finishing, starting
from survey.study.duration import ENOUGH, FIRST
from tests.survey.factories import make_study, rate_all

pytestmark = pytest.mark.django_db


def finish_in(study, minutes: float, count: int = 1, **start) -> None:
    """Let people finish in so many minutes each."""
    for _ in range(count):
        person = starting.start(study, **start)
        rate_all(person)
        began = timezone.now() - dt.timedelta(minutes=minutes)
        Participant.objects.filter(pk=person.pk).update(started_at=began)
        person.refresh_from_db()
        finishing.finish(person)


def welcome(client) -> str:
    """Return the first page as a newcomer sees it."""
    return str(client.get("/s/study/").content.decode())


def test_the_first_page_says_how_long_a_session_takes_by_its_images(client):
    make_study()
    assert "It takes about 1 minute." in welcome(client)
    study = make_study("[session]\nrepeats = 6\nstabilising = 8\n", slug="longer")
    assert study.stimuli.count() == 6
    assert "It takes about 4 minutes." in client.get("/s/longer/").content.decode()


def test_own_questions_make_it_longer(client):
    make_study('[[own_questions]]\nkey = "why"\nabout = "image"\ntext = "Why?"\n')
    assert "It takes about 3 minutes." in welcome(client)


def test_the_first_finished_sessions_correct_it(client):
    study = make_study()
    finish_in(study, 7, ENOUGH - 1)
    assert "It takes about 1 minute." in welcome(client)
    finish_in(study, 7000)
    assert "It takes about 7 minutes." in welcome(client)


def test_what_the_study_says_stands(client):
    study = make_study("[consent]\nminutes = 9\n")
    finish_in(study, 2, ENOUGH)
    assert "It takes about 9 minutes." in welcome(client)


def test_programs_and_previews_say_nothing_of_how_long_people_take(client, admin_user):
    study = make_study()
    finish_in(study, 7, ENOUGH, preview_by=admin_user)
    finish_in(study, 7, ENOUGH, is_simulated=True)
    assert "It takes about 1 minute." in welcome(client)


@pytest.mark.slow
def test_it_comes_to_rest_after_the_first_sessions(client):
    study = make_study()
    finish_in(study, 7, FIRST)
    finish_in(study, 60, 2)
    study.version.refresh_from_db()
    assert study.version.median_seconds == 7 * 60
