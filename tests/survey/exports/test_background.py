"""Large studies: pages show what was made in the background, exports are made there, and nothing that must go stays."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import re

import pandas as pd
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from survey.access import tokens
from survey.exports import background
from survey.exports.files import packed
from survey.models import ApiToken, Stored, StoredPart, Study
from survey.results.collect import collect
from survey.results.figures import figures_of, from_json, to_json
from survey.results.monitor import Watch, look
from survey.session.starting import start
from survey.study import decisions, stored
from survey.study.erasure import purge, withdraw
from tests.survey.exports.studies import TWO_QUESTIONS, give_ratings, rated_study
from tests.survey.factories import make_study, rate_all

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def owner(django_user_model):
    return django_user_model.objects.create_superuser("owner")


@pytest.fixture
def desk(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def large(monkeypatch):
    """A rated study that counts as large."""
    study = rated_study(TWO_QUESTIONS, people=4)
    make_large(monkeypatch)
    return study


def make_large(monkeypatch):
    monkeypatch.setattr(stored, "MAX_RATINGS", 10)
    monkeypatch.setattr(stored, "MAX_IN_FILES", 10)


def page(desk, study, name="results", *more, **keys):
    response = desk.get(reverse(name, args=[study.slug, *more]), keys)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def later(monkeypatch):
    """Let nothing count as new for its age alone."""
    return lambda: monkeypatch.setattr(stored, "FRESH", dt.timedelta(0))


def test_figures_are_read_back_as_they_were_written(large):
    made = figures_of(large)
    again = from_json(to_json(made))
    assert again.marks == made.marks
    for key, table in made.mos.items():
        pd.testing.assert_frame_equal(again.mos[key], table)
        pd.testing.assert_frame_equal(again.watch.scores[key].images, made.watch.scores[key].images)
    pd.testing.assert_frame_equal(again.watch.reached, look(large).reached)
    tables = {"reached", "scores"}
    plain = [field.name for field in dataclasses.fields(Watch) if field.name not in tables]
    assert {name: getattr(again.watch, name) for name in plain} == {
        name: getattr(made.watch, name) for name in plain
    }


@pytest.mark.parametrize("name", ["results", "live", "participants"])
def test_a_page_never_computes_what_a_large_study_shows(desk, large, name, monkeypatch):
    monkeypatch.setattr("survey.results.collect.tidy_table", None)
    monkeypatch.setattr("survey.results.collect.rating_counts", None)
    assert "waits to be made" in page(desk, large, name)
    assert Stored.objects.get().kind == "figures"


@pytest.mark.parametrize("method", ["acr", "pair"])
def test_a_large_study_shows_how_people_saw_the_images_as_a_small_one_does(desk, owner, monkeypatch, method):
    study = make_study(f'method = "{method}"\n[viewing]\ncard = true\ndistance = true\n')
    for number in range(12):
        person = start(study, is_simulated=False, window=(1200, 900))
        person.viewing = {"pixels_per_mm": 3 + number / 4, "dpr": 1, "distance_by": "said", "distance_cm": 60}
        person.save()
        rate_all(person, 1 + number % 5)
    decisions.exclude(study.participants.all()[0], "a test", owner)
    small = page(desk, study, *(["results_reliability"] if method == "acr" else []))
    make_large(monkeypatch)
    page(desk, study)
    background.work()
    large = page(desk, study)
    (section,) = re.findall(r'<h2 id="viewing">.*?</svg>', small, re.S)
    assert "Of 11 of 11 people" in section
    assert section in large


def test_the_results_say_when_they_were_made_and_are_those_of_the_whole_analysis(desk, large):
    page(desk, large)
    background.work()
    html = page(desk, large, question="liking")
    assert "24 ratings: the scores alone" in html
    assert f"Made at {timezone.now():%Y-%m-%d}" in html
    table = desk.get(reverse("table", args=[large.slug, "mos"]), {"question": "liking"}).content.decode()
    whole = collect(large).analysis.questions["liking"].mos
    assert [float(row["mos"]) for row in csv.DictReader(io.StringIO(table))] == whole["mos"].tolist()
    live = page(desk, large, "live")
    assert "Made at" in live
    assert f"<dd>{look(large).ratings}</dd>" in live


def test_an_old_result_is_shown_while_a_newer_one_is_made(desk, large, later):
    page(desk, large)
    background.work()
    give_ratings(large, 1, seed=5)
    assert "waits to be made" not in page(desk, large)
    later()
    html = page(desk, large)
    assert "24 ratings" in html
    assert "A newer one waits to be made" in html
    background.work()
    assert "30 ratings" in page(desk, large)
    assert Stored.objects.count() == 1


def test_nothing_is_made_anew_where_nothing_came(desk, large, later):
    page(desk, large)
    background.work()
    later()
    large.participants.update(last_seen_at=timezone.now() - dt.timedelta(hours=1))
    page(desk, large)
    assert Stored.objects.get().state == "done"


def test_a_decision_about_the_study_makes_the_figures_old(desk, large, owner, later):
    page(desk, large)
    background.work()
    later()
    large.participants.update(last_seen_at=timezone.now() - dt.timedelta(hours=1))
    decisions.exclude(large.participants.first(), "a test", owner)
    assert "A newer one waits to be made" in page(desk, large)


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "json"])
def test_an_export_is_made_in_the_background_and_streamed(desk, large, file_format, monkeypatch):
    monkeypatch.setattr(stored, "_PART", 1000)
    address = reverse("download", args=[large.slug, file_format])
    assert "waits to be made" in desk.get(address).content.decode()
    assert desk.get(address, {"made": 1}).status_code == 404
    background.work()
    html = desk.get(address).content.decode()
    made = Stored.objects.get()
    assert f'href="?made={made.pk}"' in html
    response = desk.get(address, {"made": made.pk})
    assert response.streaming
    data = b"".join(response)
    name, pieces = packed(large, file_format)
    whole = b"".join(pieces)
    assert data == whole
    assert (made.name, made.size, response["Content-Length"]) == (name, len(whole), str(len(whole)))
    assert StoredPart.objects.count() == -(-len(whole) // 1000)


def test_a_file_that_was_made_is_its_studys_own(desk, large, client, django_user_model):
    """In another program whoever knew a made file's id could fetch it."""
    address = reverse("download", args=[large.slug, "csv"])
    desk.get(address)
    background.work()
    made = Stored.objects.get()
    assert desk.get(address, {"made": made.pk}).streaming
    stranger = Client()
    stranger.force_login(django_user_model.objects.create_user("stranger"))
    assert stranger.get(address, {"made": made.pk}).status_code in (403, 404)
    assert Client().get(address, {"made": made.pk}).status_code == 302
    # Nor does the number open it by way of a study that one may read.
    theirs = make_study(slug="theirs")
    Study.objects.filter(pk=theirs.pk).update(owner=django_user_model.objects.get(username="stranger"))
    answer = stranger.get(reverse("download", args=["theirs", "csv"]), {"made": made.pk})
    assert b"".join(answer).find(large.participants.all()[0].code.encode()) == -1


def test_files_are_made_in_the_background_long_before_pages_are(desk, large, monkeypatch):
    monkeypatch.setattr(stored, "MAX_RATINGS", 1000)
    assert "made in the background" not in page(desk, large)
    assert "made in the background" in page(desk, large, "download", "csv")


def test_two_askers_wait_for_one_making(desk, large):
    for _ in range(3):
        desk.get(reverse("download", args=[large.slug, "csv"]))
    assert Stored.objects.count() == 1


def test_what_was_made_goes_with_a_withdrawn_person_and_with_a_purge(desk, large, owner):
    for goes in (lambda: withdraw(large.participants.first()), lambda: purge(large, owner)):
        page(desk, large)
        background.work()
        assert stored.latest(large, "figures")
        goes()
        assert not Stored.objects.exists()
        assert not StoredPart.objects.exists()
        assert "waits to be made" in page(desk, large)


def test_what_is_being_made_when_somebody_leaves_is_thrown_away(large):
    making = stored.ask(large, "csv")
    assert stored.take() == making
    withdraw(large.participants.first())
    assert not stored.keep(making, "old.csv", [b"of all"])
    assert not StoredPart.objects.exists()


def test_a_dead_process_is_noticed_said_and_not_started_at_every_look(desk, large):
    making = stored.ask(large, "figures")
    stored.take()
    stored.bury()
    assert "its process ended early" in page(desk, large)
    assert Stored.objects.get() == making
    Stored.objects.update(asked_at=timezone.now() - stored.FRESH - dt.timedelta(seconds=1))
    assert "waits to be made" in page(desk, large)


def test_an_error_of_the_program_is_said_and_the_next_request_is_made(desk, large, monkeypatch):
    monkeypatch.setattr(background, "figures_of", None)
    page(desk, large)
    stored.ask(large, "tex")
    background.work()
    assert "the last attempt failed" in page(desk, large).lower()
    assert stored.latest(large, "tex")


@pytest.mark.parametrize("name", ["results", "live", "participants"])
def test_a_page_of_a_large_study_asks_as_many_questions_whatever_its_size(desk, large, name):
    page(desk, large, name)
    background.work()
    page(desk, large, name)
    with CaptureQueriesContext(
        connection,
    ) as few:
        page(desk, large, name)
    give_ratings(large, 12, seed=7)
    with CaptureQueriesContext(connection) as many:
        page(desk, large, name)
    assert len(many) == len(few) <= 16


def test_no_other_page_of_the_results_analyses_a_large_study(desk, large, monkeypatch):
    monkeypatch.setattr("survey.results.collect._collect", None)
    others = (
        ("plot", "mos", "svg"),
        ("table", "comparisons"),
        ("results_conditions",),
        ("results_downloads",),
    )
    for name, *keys in others:
        assert desk.get(reverse(name, args=[large.slug, *keys])).status_code == 404


def test_planning_by_a_large_study_takes_its_figures(desk, large, monkeypatch):
    address = reverse("planning")
    monkeypatch.setattr("survey.results.collect._collect", None)
    assert "are being made" in desk.get(address, {"noise": large.slug}).content.decode()
    monkeypatch.undo()
    make_large(monkeypatch)
    background.work()
    a = max(part.a for part in look(large).scores.values())
    assert f"a = {a:.3f}" in desk.get(address, {"noise": large.slug}).content.decode()


@pytest.mark.parametrize("scope", [ApiToken.Scope.ALL, ApiToken.Scope.RESULTS])
def test_programs_wait_for_a_large_study_and_get_what_they_would_have_got(owner, large, scope, monkeypatch):
    token = {"Authorization": f"Bearer {tokens.make(owner, 'a notebook', scope=scope)}"}
    names = ["api_results"] + (["api_ratings"] if scope == ApiToken.Scope.ALL else [])
    addresses = [
        reverse(name, args=[large.slug, *(["csv"] if name == "api_ratings" else [])]) for name in names
    ]
    for address in addresses:
        answer = Client().get(address, headers=token)
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
        assert "waiting" in answer.json()["error"]
    background.work()
    monkeypatch.setattr("survey.results.collect._collect", None)
    large_ones = [Client().get(address, headers=token) for address in addresses]
    for address, answer in zip(addresses, large_ones, strict=True):
        again = Client().get(address, headers=token | {"If-None-Match": answer["ETag"]})
        assert again.status_code == 304
    monkeypatch.undo()
    for address, answer in zip(addresses, large_ones, strict=True):
        assert b"".join(answer) == Client().get(address, headers=token).content
