"""Guessing passwords takes ever longer, and keeps nobody else out of their account."""

from __future__ import annotations

import datetime as dt

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import timezone

from nstsite.sign_in import wait_after
from nstsite.throttle import client_network

pytestmark = pytest.mark.django_db

RIGHT = "a right password"
ATTACKER, OWNER = "203.0.113.1", "198.51.100.7"
PAGES = ("/sign-in/", "/admin/login/")


@pytest.fixture(autouse=True)
def anna() -> User:
    return User.objects.create_superuser("anna", password=RIGHT)


def sign_in(
    client: Client, password: str, address: str = ATTACKER, page: str = "/sign-in/", name: str = "anna"
) -> int:
    form = {"username": name, "password": password}
    return int(client.post(page, form, REMOTE_ADDR=address, headers={"User-Agent": "Firefox"}).status_code)


def guess(times: int, address: str = ATTACKER, page: str = "/sign-in/") -> list[int]:
    return [sign_in(Client(), f"wrong {number}", address, page) for number in range(times)]


def pass_time(minutes: float) -> None:
    for attempt in AccessAttempt.objects.all():
        attempt.attempt_time -= dt.timedelta(minutes=minutes)
        attempt.save()


@pytest.mark.parametrize("page", PAGES)
def test_after_some_wrong_passwords_even_the_right_one_has_to_wait_there(client, page):
    statuses = guess(settings.AXES_FAILURE_LIMIT + 3, page=page)
    assert set(statuses[: settings.AXES_FAILURE_LIMIT - 1]) == {200}
    assert set(statuses[settings.AXES_FAILURE_LIMIT :]) == {429}
    assert sign_in(client, RIGHT, page=page) == 429
    assert "_auth_user_id" not in client.session


def test_the_wait_grows_with_each_wrong_password_and_ends():
    guess(settings.AXES_FAILURE_LIMIT)
    pass_time(0.9)
    assert sign_in(Client(), RIGHT) == 429
    pass_time(0.2)
    assert sign_in(Client(), "wrong again") == 429
    pass_time(1.5)
    assert sign_in(Client(), RIGHT) == 429
    pass_time(0.6)
    assert sign_in(Client(), RIGHT) == 302
    assert sign_in(Client(), "wrong") == 200
    waits = [wait_after(failures) for failures in range(30)]
    assert waits == sorted(waits)
    assert waits[-1] == dt.timedelta(hours=1)


def test_tries_during_the_wait_do_not_make_it_longer():
    guess(settings.AXES_FAILURE_LIMIT + 50)
    pass_time(1.1)
    assert sign_in(Client(), RIGHT) == 302


@pytest.mark.parametrize("page", PAGES)
def test_nobody_can_lock_the_account_of_another(client, page):
    guess(30, page=page)
    assert sign_in(client, RIGHT, OWNER, page) == 302


def test_a_known_browser_gets_in_with_the_right_password_wherever_the_guesses_come_from(client):
    assert sign_in(client, RIGHT, OWNER) == 302
    client.post("/sign-out/")
    guess(30, OWNER)
    assert sign_in(Client(), RIGHT, OWNER) == 429
    assert sign_in(client, RIGHT, OWNER) == 302


def test_a_browser_is_known_for_its_own_account_and_password_only(client, anna):
    User.objects.create_user("berta", password=RIGHT)
    assert sign_in(client, RIGHT, name="berta") == 302
    client.post("/sign-out/")
    guess(settings.AXES_FAILURE_LIMIT)
    assert sign_in(client, RIGHT) == 429
    AccessAttempt.objects.all().delete()
    assert sign_in(client, RIGHT) == 302
    client.post("/sign-out/")
    anna.set_password("another password")
    anna.save()
    guess(settings.AXES_FAILURE_LIMIT)
    assert sign_in(client, "another password") == 429
    client.cookies["known_browser"] = "forged:1:x"
    assert sign_in(client, "another password") == 429


def test_the_page_says_how_long_to_wait(client):
    guess(settings.AXES_FAILURE_LIMIT)
    response = client.post("/sign-in/", {"username": "anna", "password": RIGHT}, REMOTE_ADDR=ATTACKER)
    assert "in 1 minute." in response.content.decode()
    assert response["Retry-After"] == "60"


def test_an_administrator_ends_the_wait_by_a_button(client, anna):
    guess(settings.AXES_FAILURE_LIMIT)
    client.force_login(anna)
    form = {"action": "end_wait", "_selected_action": [anna.pk]}
    assert client.post("/admin/auth/user/", form, follow=True).status_code == 200
    assert sign_in(Client(), RIGHT) == 302


def test_neither_address_nor_browser_is_kept():
    guess(2)
    (attempt,) = AccessAttempt.objects.all()
    assert (attempt.ip_address, attempt.http_accept) == (None, "")
    assert "Firefox" not in str(vars(attempt))
    assert ATTACKER not in str(vars(attempt))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_an_ipv6_host_is_its_network(address, network):
    assert client_network(RequestFactory().get("/", REMOTE_ADDR=address)) == network


def test_a_session_ends_after_hours_without_use(client, settings):
    settings.SESSION_COOKIE_AGE = 3600
    sign_in(client, RIGHT)
    assert client.session.get_expiry_age() == 3600

    def left() -> float:
        row = client.session.model.objects.get(session_key=client.session.session_key)
        return float((row.expire_date - timezone.now()).total_seconds())

    def age(minutes: int) -> None:
        session = client.session
        session["used_at"] = int(timezone.now().timestamp()) - 60 * minutes
        session.save()
        row = session.model.objects.get(session_key=session.session_key)
        row.expire_date = timezone.now() + dt.timedelta(minutes=60 - minutes)
        row.save()

    age(40)
    client.get("/studies/nowhere/live/now.json")
    assert left() < 21 * 60
    client.get("/studies/")
    assert left() > 59 * 60
    age(61)
    assert client.get("/studies/").status_code == 302


def test_the_first_sign_in_begins_the_count(client):
    assert sign_in(client, RIGHT) == 302
    assert client.get("/studies/").status_code == 200
    assert "used_at" in client.session
