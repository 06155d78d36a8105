"""After ballot stuffing: many are left out at once, by when they started, by flag or by link, and all come back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from survey.access.errors import DeskError
from survey.models import AuditEntry, Exclusion, Participant, Study
from survey.results.collect import collect
from survey.session import starting
from survey.study import bulk, decisions
from survey.study.bulk import Choice
from survey.study.lifecycle import invite
from tests.survey.factories import make_study, rate_all

pytestmark = pytest.mark.django_db

NIGHT = dt.datetime(2026, 3, 1, 2, tzinfo=dt.UTC)


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def study(owner: User) -> Study:
    """Three by day, two of them invited; three in one night; one preview."""
    study = make_study()
    Study.objects.update(owner=owner)
    links = invite(study, 2, owner)
    day = [starting.start(study, invitation=link.token) for link in links] + [starting.start(study)]
    night = [starting.start(study) for _ in range(3)]
    for person in (*day, *night):
        rate_all(person)
    Participant.objects.filter(pk__in=[person.pk for person in night]).update(started_at=NIGHT)
    starting.start(study, preview_by=User.objects.create_superuser("admin"))
    return study


def counted(study: Study) -> int:
    return int(collect(study).ratings["participant"].nunique())


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        (Choice(), 6),
        (Choice(since=NIGHT, until=NIGHT), 3),
        (Choice(since=NIGHT + dt.timedelta(hours=1)), 3),
        (Choice(until=NIGHT - dt.timedelta(hours=1)), 0),
        (Choice(came="invited"), 2),
        (Choice(came="uninvited"), 4),
        (Choice(came="uninvited", until=NIGHT), 3),
        (Choice(invitation="nobody's"), 0),
        (Choice(codes=[]), 0),
    ],
)
def test_it_means_those_who_fit_every_part(study, choice, meant):
    assert bulk.chosen(study, choice).count() == meant


def test_all_are_left_out_at_once_and_all_come_back(study, owner):
    assert counted(study) == 6
    assert bulk.exclude_many(study, Choice(until=NIGHT), "bots", owner) == 3
    assert counted(study) == 3
    (batch,) = bulk.batches(study)
    assert (batch["count"], batch["reason"], batch["by"]) == (3, "bots", "owner")
    assert bulk.lift_many(study, batch["batch"], owner) == 3
    assert bulk.lift_many(study, batch["batch"], owner) == 0
    assert counted(study) == 6
    assert Exclusion.objects.filter(lifted_by=owner).count() == 3


def test_who_was_left_out_before_stays_so_when_the_others_come_back(study, owner):
    first = study.participants.filter(started_at=NIGHT)[0]
    decisions.exclude(first, "asleep", owner)
    assert bulk.exclude_many(study, Choice(until=NIGHT), "bots", owner) == 2
    bulk.lift_many(study, bulk.batches(study)[0]["batch"], owner)
    assert counted(study) == 5
    assert bulk.lift_many(study, "", owner) == 0


def test_the_log_has_the_choice_and_names_nobody(study, owner):
    token = study.invitations.exclude(participant=None)[0].token
    bulk.exclude_many(study, Choice(invitation=token), "shared the link", owner)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.act, entry.who, entry.detail["participants"]) == ("exclusion.make_many", "owner", 1)
    assert token not in str(entry.detail)
    assert not [
        code for code in study.participants.values_list("code", flat=True) if code in str(entry.detail)
    ]


def test_nothing_happens_without_a_reason_for_nobody_or_when_others_came_meanwhile(study, owner):
    for choice, reason, expected in (
        (Choice(), " ", None),
        (Choice(codes=[]), "bots", None),
        (Choice(), "bots", 5),
    ):
        with pytest.raises(DeskError):
            bulk.exclude_many(study, choice, reason, owner, expected=expected)
    assert not Exclusion.objects.exists()


def test_the_page_says_how_many_first_and_takes_back_after(study, owner, client):
    client.force_login(owner)
    form = {"until": NIGHT.strftime("%Y-%m-%dT%H:%M"), "came": "", "reason": "bots"}
    page = client.post("/studies/study/leave-out/", form)
    assert page.context["count"] == 3
    assert not Exclusion.objects.exists()
    client.post("/studies/study/leave-out/", form | {"expected": "3"})
    assert Exclusion.objects.count() == 3
    page = client.get("/studies/study/leave-out/")
    client.post("/studies/study/leave-out/lift/", {"batch": page.context["batches"][0]["batch"]})
    assert counted(study) == 6
    assert client.post("/studies/study/leave-out/", form | {"until": "soon"}).status_code == 422


def test_a_study_takes_as_many_people_as_it_says(client, owner):
    study = make_study("[limits]\nparticipants = 2\n", slug="small")
    first, _ = starting.start(study), starting.start(study)
    assert client.get("/s/small/").status_code == 410
    assert client.post("/s/small/", {"consent": "on"}).status_code == 410
    # A place is free again once its holder is left out.
    decisions.exclude(first, "a bot", owner)
    assert client.get("/s/small/").status_code == 200
    assert client.post("/s/small/", {"consent": "on"}).status_code == 303
    assert study.participants.count() == 3


def test_a_study_takes_as_many_people_an_hour_as_it_says(client):
    study = make_study("[limits]\nper_hour = 2\n", slug="slow")
    starting.start(study)
    starting.start(study)
    refused = client.post("/s/slow/", {"consent": "on"})
    assert (refused.status_code, refused["Retry-After"]) == (503, "600")
    Participant.objects.update(started_at=timezone.now() - dt.timedelta(minutes=61))
    assert client.post("/s/slow/", {"consent": "on"}).status_code == 303
