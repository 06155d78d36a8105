"""Results by share link are made once for many readers, and only so often for one network."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.urls import reverse

from nstsite import shared_pages
from survey.models import ShareLink
from survey.study import decisions
from tests.survey.exports.studies import give_ratings, rated_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(django_user_model, settings):
    settings.LINK_PAGES_PER_MINUTE = 3
    cache.clear()
    study = rated_study(people=3)
    decisions.share(study, django_user_model.objects.create_superuser("owner"))
    yield ShareLink.objects.get()
    cache.clear()


def page(client, link, name="results", *more, network="203.0.113.1", **asked):
    address = reverse(f"shared_{name}", args=[link.token, *more])
    return client.get(address, asked, REMOTE_ADDR=network)


def test_a_page_is_made_once_for_many_readers(client, link, monkeypatch):
    first = page(client, link)
    monkeypatch.setattr("survey.results.collect.fingerprint", None)
    for number in range(5):
        again = page(client, link, network=f"203.0.113.{number}")
        assert again.content == first.content
        assert (again["X-Robots-Tag"], "Content-Security-Policy" in again) == ("noindex", True)


def test_a_page_is_made_again_after_some_seconds(client, link, monkeypatch):
    first = page(client, link)
    give_ratings(link.study, 2, seed=3)
    assert page(client, link).content == first.content
    monkeypatch.setattr(shared_pages, "KEPT_SECONDS", -1)
    assert page(client, link).content != first.content


def test_what_researchers_decide_shows_at_once(client, link, django_user_model):
    assert "3 people" in page(client, link).content.decode()
    person = link.study.participants.first()
    decisions.exclude(person, "spoke of it", django_user_model.objects.get())
    assert "2 people" in page(client, link).content.decode()


def test_one_network_has_only_so_many_pages_made(client, link, monkeypatch):
    # The limit is one of each minute, and a minute may end in the middle of a test.
    monkeypatch.setattr("nstsite.throttle.time", SimpleNamespace(time=lambda: 6000.0))
    wanted = [page(client, link, only=f"style=x{number}").status_code for number in range(4)]
    assert wanted == [200, 200, 200, 429]
    assert page(client, link, only="style=x0").status_code == 200
    assert page(client, link, only="style=x9", network="203.0.113.2").status_code == 200


def test_pictures_and_people_with_an_account_are_not_counted(client, link, django_user_model):
    name = link.study.stimuli.first().name
    for _ in range(5):
        assert page(client, link, "stimulus_thumbnail", name).status_code == 200
    client.force_login(django_user_model.objects.get())
    assert [page(client, link, only=f"style={n}").status_code for n in range(5)] == [200] * 5


def test_a_revoked_link_opens_nothing_that_was_kept(client, link, django_user_model):
    assert page(client, link).status_code == 200
    decisions.revoke(link, django_user_model.objects.get())
    assert page(client, link).status_code == 404
