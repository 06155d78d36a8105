"""A site deletes by itself what is due, and says so where it could not."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from generator.queue import process
from survey import doctor, housekeeping
from survey.models import Invitation, Participant, Recruit, Study
from survey.session import starting
from survey.study import erasure
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def started(monkeypatch, settings, tmp_path) -> list[str]:
    """Notes which commands are started in the background, and starts none."""
    settings.DATA_DIR = tmp_path
    commands: list[str] = []
    monkeypatch.setattr(process, "start", lambda name, lock, *command: commands.extend(command))
    return commands


def past(days: int) -> dt.date:
    return timezone.localdate() - dt.timedelta(days=days)


def with_person(purge_on: dt.date | None, slug: str = "study") -> Participant:
    study = make_study(slug=slug)
    person = starting.start(study)
    Study.objects.filter(pk=study.pk).update(purge_on=purge_on)
    return person


@pytest.mark.parametrize(
    ("day", "is_due"), [(None, False), (past(-1), False), (past(0), True), (past(9), True)]
)
def test_a_look_starts_a_process_from_the_purge_date_on(started, day, is_due):
    with_person(day)
    housekeeping.wake()
    assert started == (["purge_expired"] if is_due else [])


TIES: dict[str, Callable[[Participant], object]] = {
    "platform id": lambda person: Recruit.objects.create(
        study=person.study, participant=person, platform="x", person="p"
    ),
    "personal link": lambda person: Invitation.objects.create(study=person.study),
    "cookie": lambda person: Participant.objects.filter(pk=person.pk).update(token="t" * 32),
}


@pytest.mark.parametrize("tie", TIES)
def test_nothing_is_due_after_a_purge_until_something_ties_people_again(started, tie):
    person = with_person(past(3))
    housekeeping.delete_expired()
    housekeeping.wake()
    assert started == []
    TIES[tie](person)
    housekeeping.wake()
    assert started == ["purge_expired"]
    housekeeping.delete_expired()
    assert not housekeeping.waits()


def test_a_look_starts_nothing_while_a_process_is_at_work(started):
    with_person(past(1))
    lock = process.acquire("expired")
    assert lock is not None
    housekeeping.wake()
    assert started == []


def test_ended_sign_ins_are_deleted_and_others_stay(started, client):
    client.force_login(User.objects.create_user("here"))
    gone = Client()
    gone.force_login(User.objects.create_user("gone"))
    ended = Session.objects.filter(pk=gone.session.session_key)
    ended.update(expire_date=timezone.now() - dt.timedelta(hours=2))
    housekeeping.wake()
    assert started == []
    ended.update(expire_date=timezone.now() - dt.timedelta(days=2))
    housekeeping.wake()
    assert started == ["purge_expired"]
    assert housekeeping.delete_expired() == housekeeping.Deleted(people=0, sessions=1, counts=0)
    assert [row.pk for row in Session.objects.all()] == [client.session.session_key]


def test_counts_of_wrong_passwords_are_deleted_after_24_hours_though_nobody_tries_again(started, client):
    User.objects.create_user("ada", password="right")
    client.post("/sign-in/", {"username": "ada", "password": "wrong"})
    (count,) = AccessAttempt.objects.all()
    assert not housekeeping.waits()
    assert housekeeping.delete_expired().counts == 0
    AccessAttempt.objects.update(attempt_time=count.attempt_time - dt.timedelta(hours=26))
    assert housekeeping.waits()
    assert housekeeping.delete_expired().counts == 1
    assert not AccessAttempt.objects.exists()


def test_a_ratings_file_goes_after_its_hour_though_a_restart_forgot_its_timer(
    monkeypatch, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    folders = [tmp_path / "analyse" / name for name in ("old", "new")]
    for folder in folders:
        (folder / "file").mkdir(parents=True)
    coming = tmp_path / "analyse" / "coming"
    coming.mkdir()
    hour_ago = time.time() - 3700
    for path in (folders[0] / "file", folders[0]):
        os.utime(path, (hour_ago, hour_ago))
    looked = threading.Event()

    def look() -> None:
        looked.set()
        threading.Event().wait()

    monkeypatch.setattr(housekeeping, "wake", look)
    housekeeping.start_clock(first=0)
    assert looked.wait(60)
    assert [folder.exists() for folder in folders] == [False, True]
    assert coming.exists()


def test_the_clock_looks_again_after_a_look_that_failed(monkeypatch):
    looks: list[bool] = []
    twice = threading.Event()

    def look() -> None:
        looks.append(True)
        if len(looks) == 2:
            twice.set()
            threading.Event().wait()
        raise RuntimeError("the database is away")

    monkeypatch.setattr(housekeeping, "wake", look)
    monkeypatch.setattr(housekeeping, "_discard_files", lambda: None)
    clock = housekeeping.start_clock(first=0, between=0)
    assert twice.wait(60)
    # It never keeps a server from ending.
    assert clock.daemon


@pytest.mark.parametrize(("days", "is_late"), [(0, False), (1, True)])
def test_a_deletion_that_is_a_day_late_is_told_to_administrators(client, settings, days, is_late):
    settings.METRICS_KEY = "key"
    person = with_person(past(days), "late")
    finding = doctor._deletion()
    assert finding.fails == is_late
    assert ("1 study is past the purge date, with data of people: late" in finding.state) == is_late
    metrics = client.get("/metrics", headers={"Authorization": "Bearer key"}).text.splitlines()
    assert f"nstsite_studies_past_purge {int(is_late)}" in metrics
    client.force_login(User.objects.create_superuser("admin"))
    assert ("still there: late" in client.get("/studies/").text) == is_late
    client.force_login(User.objects.create_user("researcher"))
    assert "still there" not in client.get("/studies/").text
    erasure.purge_expired(timezone.localdate())
    assert not doctor._deletion().fails
    person.refresh_from_db()
    assert person.token is None


def test_doctor_says_nothing_of_deletion_before_there_are_tables(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    monkeypatch.setattr(doctor, "_database", lambda: doctor.Finding("database", "not migrated", "migrate"))
    assert "deletion" not in [finding.name for finding in doctor.examine()]
