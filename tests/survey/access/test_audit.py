"""Every administrative act leaves an entry in the same transaction, and no entry can be changed or taken away."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from survey.access.audit import ACTS, COMMAND, record
from survey.access.errors import DeskError
from survey.models import AuditEntry, ShareLink, Study
from survey.session import starting
from survey.study import decisions, erasure, lifecycle
from survey.study.revise import revise
from tests.survey.desk.conftest import client_of
from tests.survey.factories import definition, make_study, rate_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def study(owner: User) -> Study:
    study = make_study()
    Study.objects.filter(pk=study.pk).update(owner=owner)
    study.refresh_from_db()
    return study


def acts(study: Study) -> list[str]:
    return list(study.audit.order_by("pk").values_list("act", flat=True))


def test_each_act_is_kept_with_who_and_what(study, owner):
    person = starting.start(study)
    lifecycle.set_state(study, Study.State.PAUSED, owner)
    revise(study, definition("[consent]\nminutes = 5\n"), owner)
    exclusion = decisions.exclude(person, "said so", owner)
    decisions.lift(exclusion, owner)
    decisions.revoke(decisions.share(study, owner), owner)
    decisions.remove_viewer(decisions.add_viewer(study, owner.username, owner), owner)
    lifecycle.invite(study, 3, owner)
    decisions.withdraw(person, person.code.lower(), owner)
    lifecycle.set_state(study, Study.State.CLOSED, owner)
    lifecycle.archive(study, owner)
    lifecycle.restore(study, owner)
    lifecycle.purge(study, study.slug, owner)
    assert acts(study) == [
        "study.publish",
        "study.state",
        "study.revise",
        "exclusion.make",
        "exclusion.lift",
        "share.make",
        "share.revoke",
        "viewer.add",
        "viewer.remove",
        "invitations.make",
        "participant.withdraw",
        "study.state",
        "study.archive",
        "study.restore",
        "study.purge",
    ]
    by = dict(study.audit.values_list("act", "who"))
    assert by.pop("study.publish") == COMMAND
    assert set(by.values()) == {"owner"}
    assert study.audit.get(act="invitations.make").detail == {"count": 3}
    assert study.audit.filter(act="study.state").last().detail == {"from": "open", "to": "paused"}


def test_what_changes_nothing_leaves_no_entry(study, owner):
    link = decisions.share(study, owner)
    decisions.revoke(link, owner)
    before = acts(study)
    decisions.revoke(link, owner)
    lifecycle.set_state(study, Study.State.OPEN, owner)
    lifecycle.restore(study, owner)
    revise(study, definition(), owner)
    with pytest.raises(DeskError):
        lifecycle.archive(study, owner)
    assert acts(study) == before


def test_an_act_that_fails_leaves_no_entry(study, owner, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(erasure, "withdraw", fail)
    person = starting.start(study)
    with pytest.raises(RuntimeError):
        decisions.withdraw(person, person.code, owner)
    assert "participant.withdraw" not in acts(study)


def test_an_entry_that_cannot_be_written_stops_the_act(study, owner, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(decisions, "record", fail)
    with pytest.raises(DatabaseError):
        decisions.share(study, owner)
    assert not ShareLink.objects.exists()


@pytest.mark.parametrize(
    "change",
    [lambda rows: rows.update(who="somebody else"), lambda rows: rows.delete()],
    ids=["update", "delete"],
)
def test_the_database_refuses_to_change_or_delete_an_entry(audit_protected, change):
    entry = record("study.archive", None, None)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change(AuditEntry.objects.filter(pk=entry.pk))
    assert AuditEntry.objects.get(pk=entry.pk).who == COMMAND


def test_after_all_migrations_the_trigger_against_changes_is_there():
    """SQLite drops triggers when a later migration rebuilds the table; the other one is taken out for the tests."""
    entry = record("study.archive", None, None)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(act="nothing")


def test_the_log_outlives_its_study(study, owner, audit_protected):
    lifecycle.set_state(study, Study.State.CLOSED, owner)
    slug = study.slug
    lifecycle.delete(study, slug, owner)
    connection.check_constraints()
    entry = AuditEntry.objects.get(act="study.delete")
    assert (entry.who, entry.slug, entry.detail["images"]) == ("owner", slug, 6)
    owner.delete()
    assert AuditEntry.objects.filter(who="owner").exists()


def test_the_log_names_no_participant(study, owner):
    person = starting.start(study)
    rate_all(person, limit=2)
    decisions.exclude(person, "said so", owner)
    code = person.code
    decisions.withdraw(person, code, owner)
    assert code not in json.dumps(list(AuditEntry.objects.values("who", "slug", "act", "detail")))


def test_commands_are_kept_too(study, tmp_path):
    call_command("invite", "study", "2")
    file = tmp_path / "study.toml"
    file.write_text('title = "New"\n', encoding="utf-8")
    call_command("revise_study", "study", str(file))
    Study.objects.update(purge_on="2020-01-01")
    call_command("purge_expired")
    call_command("purge_expired")
    assert acts(study) == ["study.publish", "invitations.make", "study.revise", "study.purge"]
    assert set(study.audit.values_list("who", flat=True)) == {COMMAND}
    assert study.audit.get(act="study.purge").at.date() <= dt.datetime.now(dt.UTC).date()


def test_the_page_and_the_file_show_every_act(study, owner):
    client = client_of(owner)
    lifecycle.set_state(study, Study.State.PAUSED, owner)
    page = client.get(reverse("log", args=["study"])).content.decode()
    assert "opened, paused or closed" in page
    assert "published" in page
    lines = client.get(reverse("log_file", args=["study"])).content.decode().splitlines()
    assert lines[0] == "at,who,study,act,detail"
    assert len(lines) == 3
    assert lines[2].endswith('owner,study,study.state,"{""from"": ""open"", ""to"": ""paused""}"')


def test_an_admin_reads_the_log_of_what_is_gone(study, owner):
    lifecycle.set_state(study, Study.State.CLOSED, owner)
    lifecycle.delete(study, "study", owner)
    admin = client_of(User.objects.create_superuser("admin"))
    assert "deleted the study and everything in it" in admin.get(reverse("whole_log")).content.decode()


def test_a_long_log_has_pages(study, owner):
    for _ in range(60):
        lifecycle.set_state(study, Study.State.PAUSED, owner)
        lifecycle.set_state(study, Study.State.OPEN, owner)
    client = client_of(owner)
    assert "Page 1 of 2" in client.get(reverse("log", args=["study"])).content.decode()
    assert "published" in client.get(reverse("log", args=["study"]), {"page": 2}).content.decode()


def test_every_act_that_is_recorded_has_its_words():
    sources = [path.read_text() for path in (Path(settings.BASE_DIR) / "survey").rglob("*.py")]
    recorded = {act for source in sources for act in re.findall(r'\brecord\(\s*"([^"]+)"', source)}
    assert len(recorded) > 30
    assert recorded - set(ACTS) == set()
