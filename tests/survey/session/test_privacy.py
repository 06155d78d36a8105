"""No address of a person, and nothing of their browser, is anywhere: not in the database, not in a log."""

from __future__ import annotations

import logging

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from survey.models import Participant
from survey.session import progress
from tests.survey.factories import answer, current, join, make_study

pytestmark = pytest.mark.django_db

ADDRESS = "203.0.113.77"
PROXIED = "198.51.100.23"
BROWSER = "Marker-Browser/99.7"
TELLING = ("203.0.113", "198.51.100", "Marker-Browser")


def everything_stored() -> str:
    """Return all values of all tables as one text."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            texts += [repr(row) for row in cursor.fetchall()]
    return "\n".join(texts)


@pytest.fixture
def marked():
    return Client(REMOTE_ADDR=ADDRESS, headers={"user-agent": BROWSER, "x-forwarded-for": PROXIED})


def test_a_whole_session_leaves_no_address_in_database_or_logs(marked, caplog):
    caplog.set_level(logging.DEBUG)
    study = make_study('about = ["age"]\n[screening]\nvision = true\n')
    person = join(marked, study)
    marked.post("/s/study/screening/", {"vision": "yes"})
    answer(marked, current(person), "x")
    while trial := progress.next_trial(person):
        answer(marked, trial, 3)
    marked.post("/s/study/about/", {"age": "18-29"})
    marked.get("/s/study/done/")
    marked.get("/s/study/image/guessed")
    marked.post("/s/study/rate/", {"trial": "guessed"})
    marked.get("/nowhere/")
    stored = everything_stored()
    assert person.code in stored
    assert not [word for word in TELLING if word in stored or word in caplog.text]


def test_signing_in_and_failing_to_leaves_no_address(marked, django_user_model, caplog):
    caplog.set_level(logging.DEBUG)
    django_user_model.objects.create_user("jane", password="a-long-password")
    marked.post("/sign-in/", {"username": "jane", "password": "wrong"})
    marked.post("/sign-in/", {"username": "jane", "password": "a-long-password"})
    stored = everything_stored()
    assert "jane" in stored
    assert not [word for word in TELLING[:2] if word in stored or word in caplog.text]


def test_no_table_of_the_survey_has_a_column_for_an_address_or_a_browser():
    names = [f.name for model in apps.get_app_config("survey").get_models() for f in model._meta.get_fields()]
    assert len(names) > 50
    assert not [name for name in names if {"ip", "address", "agent", "ua", "email"} & set(name.split("_"))]


def test_a_visitor_who_only_looks_is_not_stored(marked):
    make_study()
    before = everything_stored()
    marked.get("/s/study/")
    marked.get("/")
    assert everything_stored() == before
    assert not Participant.objects.exists()


def test_the_tidy_table_holds_no_secret_of_a_participant(client):
    from survey.results.tidy_table import tidy_table

    person = join(client, make_study())
    trial = current(person)
    answer(client, trial, 3)
    text = tidy_table(person.study).to_csv()
    assert person.code in text
    assert not [secret for secret in (person.token, person.withdrawal, trial.token) if str(secret) in text]
