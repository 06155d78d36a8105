"""What is sent in one go is one transaction like any other: whole, or not at all."""

from __future__ import annotations

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from survey.access.together import ask, ask_first, ask_key, in_one_go, insert
from survey.models import Participant, Study, StudyVersion, Tally, Trial
from survey.session import starting
from survey.session.rating_sql import insert_trials
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("fault", ["at once", "at the end"])
def test_a_start_whose_trials_are_refused_leaves_nothing_and_the_next_one_is_whole(monkeypatch, fault):
    study = make_study()
    first = starting.start(study)

    def refused(participant, drawn, **how):
        # A position that is taken is refused at once, an image that is not there when the transaction ends.
        if fault == "at the end":
            drawn = [one._replace(place=(10**9, None)) for one in drawn]
        insert_trials(first.pk if fault == "at once" else participant, drawn, **how)

    before = Tally.objects.get().counts
    with monkeypatch.context() as patched:
        patched.setattr("survey.session.assignment.insert_trials", refused)
        with pytest.raises(IntegrityError):
            starting.start(study)
    assert Participant.objects.get() == first
    assert Tally.objects.get().counts == before
    assert connection.get_autocommit()
    second = starting.start(study)
    assert Trial.objects.filter(participant=second).count() == first.trials.count()


def test_what_was_asked_for_comes_in_order_and_in_pythons_types():
    study = make_study()
    with transaction.atomic(), in_one_go():
        before = ask(Study.objects.filter(pk=study.pk).values_list("title", "created_at"))
        Study.objects.filter(pk=study.pk).update(title="Another")
        after = ask_first(Study.objects.select_for_update().filter(pk=study.pk))
        version = ask_first(StudyVersion.objects.filter(study=study), later=["definition"])
        nothing = ask_first(Study.objects.filter(pk=0))
    assert before() == [(study.title, study.created_at)]
    found = after()
    assert (found, found.title, found.created_at) == (study, "Another", study.created_at)
    asked = version()
    assert asked.get_deferred_fields() == {"definition"}
    assert asked.definition == study.version.definition
    assert nothing() is None


def test_a_row_that_is_inserted_without_reading_back_is_the_row():
    study = make_study()
    version = study.version
    with transaction.atomic(), in_one_go():
        key = ask_key(Participant)
    person = Participant(
        pk=key(), study=study, version=version, consented_at=study.created_at, before={"a": 1}
    )
    person.started_at = person.last_seen_at = study.created_at
    with transaction.atomic(), in_one_go():
        insert(person)
    kept = Participant.objects.get()
    assert kept == person
    assert (kept.code, kept.before, kept.started_at) == (person.code, {"a": 1}, study.created_at)
    assert starting.start(study).pk > kept.pk


def test_a_row_that_may_not_be_is_refused_by_the_end():
    person = starting.start(make_study())
    again = Participant(study=person.study, version=person.version, consented_at=person.consented_at)
    again.code = person.code
    with pytest.raises(IntegrityError), transaction.atomic(), in_one_go():
        insert(again)
    assert Participant.objects.get() == person


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL is waited for")
def test_a_start_waits_for_postgresql_twice_within_its_transaction(monkeypatch):
    """Everybody who starts at the same moment waits for these answers."""
    study, waits = make_study(), []
    starting.start(study)
    pipeline = psycopg.Pipeline

    def left(self, *error):
        waits.append("left")
        return leave(self, *error)

    leave = pipeline.__exit__
    monkeypatch.setattr(pipeline, "__exit__", left)
    starting.start(study)
    assert waits == ["left", "left"]
