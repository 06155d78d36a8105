from __future__ import annotations

import pytest
from django.core.cache import cache, caches
from django.test import RequestFactory

from nstsite import throttle
from survey.models import Participant
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings, monkeypatch):
    settings.STARTS_PER_MINUTE = 3
    monkeypatch.setattr("time.time", lambda: 6000.0)
    cache.clear()
    yield
    cache.clear()


def start(client, address: str = "203.0.113.1") -> int:
    client.cookies.clear()
    return int(client.post("/s/study/", {"consent": "on"}, REMOTE_ADDR=address).status_code)


def test_it_refuses_the_start_beyond_the_limit_and_writes_nothing(client):
    make_study()
    assert [start(client) for _ in range(4)] == [303, 303, 303, 429]
    assert Participant.objects.count() == 3


def test_other_addresses_and_the_next_minute_are_free(client, monkeypatch):
    make_study()
    for _ in range(4):
        start(client)
    assert start(client, "203.0.113.2") == 303
    monkeypatch.setattr("time.time", lambda: 6060.0)
    assert start(client) == 303


def test_an_ipv6_network_counts_as_one(client):
    make_study()
    assert [start(client, f"2001:db8:1:2::{host}") for host in range(1, 5)] == [303, 303, 303, 429]
    assert start(client, "2001:db8:1:3::1") == 303


def test_no_number_of_other_networks_pushes_a_counter_out(client):
    make_study()
    for _ in range(3):
        start(client)
    factory = RequestFactory()
    for number in range(3000):
        throttle.count(factory.get("/", REMOTE_ADDR=f"10.{number // 250}.{number % 250}.1"), "starts")
    assert start(client) == 429


def test_who_has_a_place_is_never_held_up(client):
    make_study()
    for _ in range(4):
        start(client)
    client.cookies.clear()
    assert client.get("/s/study/", REMOTE_ADDR="203.0.113.1").status_code == 200
    assert client.post("/s/study/rate/", {}, REMOTE_ADDR="203.0.113.1").status_code != 429


def test_zero_is_no_limit(client, settings):
    settings.STARTS_PER_MINUTE = 0
    make_study()
    assert {start(client) for _ in range(8)} == {303}


def test_the_address_is_not_in_the_cache(client):
    make_study()
    start(client)
    held = str(vars(caches["default"])["_cache"])
    assert "starts-" in held
    assert "203.0.113" not in held


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "1.1.1.1", "127.0.0.1"),
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 10.0.0.1", "1.1.1.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_a_client_cannot_choose_its_address(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
    assert throttle.client_address(request) == address
