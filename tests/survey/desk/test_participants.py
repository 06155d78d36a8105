"""Leaving a participant out is explicit, kept, and taken back at will."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.urls import reverse

from survey.access.errors import DeskError
from survey.exports.files import csv_files
from survey.models import Exclusion, Rating
from survey.results.collect import collect
from survey.study import decisions
from tests.survey.exports.studies import give_ratings
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


def test_who_is_left_out_is_not_counted_and_not_lost(study, desk, owner):
    person = study.participants.first()
    before = collect(study).analysis.summary["ratings"]
    desk.post(reverse("exclude", args=[study.slug, person.pk]), {"reason": "rated in the dark"})
    export = collect(study)
    assert export.analysis.summary["ratings"] == before - 6
    assert person.code not in set(export.analysis.observers["participant"])
    assert Rating.objects.filter(trial__participant=person).count() == 6
    files = csv_files(export)
    assert files["ratings_excluded.csv"].count(person.code.encode()) == 6
    people = {
        row["participant"]: row for row in csv.DictReader(io.StringIO(files["participants.csv"].decode()))
    }
    assert people[person.code]["excluded"] == "rated in the dark"


def test_counting_again_restores_every_number_and_keeps_the_history(study, desk, owner):
    person = study.participants.first()
    before = collect(study).analysis.mos
    exclusion = decisions.exclude(person, "a mistake", owner)
    desk.post(reverse("lift", args=[study.slug, exclusion.pk]))
    assert collect(study).analysis.mos.equals(before)
    kept = Exclusion.objects.get()
    assert (kept.by, kept.lifted_by, kept.reason) == (owner, owner, "a mistake")
    assert kept.lifted_at is not None
    html = desk.get(reverse("participants", args=[study.slug])).content.decode()
    assert "a mistake" in html


def test_a_reason_is_required(study, desk):
    person = study.participants.first()
    response = desk.post(reverse("exclude", args=[study.slug, person.pk]), {"reason": "  "}, follow=True)
    assert "Give a reason" in response.content.decode()
    assert not Exclusion.objects.exists()


def test_nobody_is_left_out_twice_at_once(study, owner):
    person = study.participants.first()
    decisions.exclude(person, "once", owner)
    with pytest.raises(DeskError, match="is already left out"):
        decisions.exclude(person, "twice", owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        Exclusion.objects.create(participant=person, reason="twice")


def test_lifting_twice_keeps_the_first_time(study, owner):
    exclusion = decisions.exclude(study.participants.first(), "x", owner)
    decisions.lift(exclusion, owner)
    first = Exclusion.objects.get().lifted_at
    decisions.lift(exclusion, User.objects.create_user("late"))
    assert (Exclusion.objects.get().lifted_at, Exclusion.objects.get().lifted_by) == (first, owner)


def test_a_participant_of_another_study_cannot_be_left_out_here(study, desk, owner):
    from survey.session.starting import start

    stranger = start(make_study(slug="other"))
    assert desk.post(reverse("exclude", args=[study.slug, stranger.pk]), {"reason": "x"}).status_code == 404


def test_many_participants_have_pages_and_the_flagged_a_list(study, desk, monkeypatch):
    monkeypatch.setattr("survey.desk.pages.study.participants.ON_A_PAGE", 2)
    address = reverse("participants", args=[study.slug])
    first, second = (desk.get(address, {"page": number}).content.decode() for number in (1, 2))
    codes = list(study.participants.order_by("pk").values_list("code", flat=True))
    assert [code in first for code in codes] == [True, True, False]
    assert [code in second for code in codes] == [False, False, True]
    assert "Page 1 of 2" in first
    flagged = desk.get(address, {"flagged": 1})
    assert {person.code for person, flags in flagged.context["people"] if not flags} == set()


def test_marks_are_told_in_words(study, desk):
    """Names of rules are for files: they once stood on the page as "correlation bt1788"."""
    give_ratings(study, 12, seed=5)
    for address in ("participants/", "live/"):
        page = desk.get(f"/studies/{study.slug}/{address}").content.decode()
        assert "Disagrees with the rest (ITU-R BT.1788)" in page
        assert not re.search("bt1788|left[_ ]out 0|_p913|straight[_ ]lining", page)
