"""Guessing takes ever longer at every door of accounts, as at the sign-in page, and nothing typed there is stored."""

from __future__ import annotations

import datetime as dt

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from survey.access import accounts
from survey.access.roles import Role
from tests.survey.access.conftest import PASSWORD, signed_in
from tests.survey.access.test_second_factor import PAGE, code_of, first_step, set_up

pytestmark = pytest.mark.django_db


def pass_time(minutes: float) -> None:
    for attempt in AccessAttempt.objects.all():
        attempt.attempt_time -= dt.timedelta(minutes=minutes)
        attempt.save()


def stored() -> str:
    return str(list(AccessAttempt.objects.values()))


@pytest.mark.parametrize("door", ["join", "new-password"])
def test_who_guesses_links_has_to_wait_and_others_do_not(admin, door):
    path = f"/join/{accounts.invite(admin, Role.VIEWER)}/"
    for number in range(settings.AXES_FAILURE_LIMIT):
        Client().get(f"/{door}/guess-{number}/", REMOTE_ADDR="203.0.113.1")
    assert Client().get(path, REMOTE_ADDR="203.0.113.1").status_code == 429
    assert Client().get(path, REMOTE_ADDR="198.51.100.7").status_code == 200
    assert "guess-" not in stored()
    pass_time(1.1)
    assert Client().get(path, REMOTE_ADDR="203.0.113.1").status_code == 200


def test_a_used_link_is_no_guess(admin):
    secret = accounts.invite(admin, Role.VIEWER)
    form = {"username": "mara", "password1": PASSWORD, "password2": PASSWORD}
    statuses = {
        Client().post(f"/join/{secret}/", form).status_code for _ in range(settings.AXES_FAILURE_LIMIT + 3)
    }
    assert statuses == {302, 410}


def test_wrong_codes_have_to_wait(mara):
    set_up(mara, signed_in(mara))
    browser = first_step(mara)
    for number in range(settings.AXES_FAILURE_LIMIT):
        TOTPDevice.objects.update(throttling_failure_count=0)
        browser.post("/sign-in/code/", {"code": f"10000{number}"})
    right = code_of(mara)
    assert browser.post("/sign-in/code/", {"code": right}).status_code == 429
    assert "100001" not in stored()
    pass_time(1.1)
    assert browser.post("/sign-in/code/", {"code": right}).status_code == 302


def test_wrong_codes_from_many_networks_have_to_wait_too(mara):
    set_up(mara, signed_in(mara))
    browser = first_step(mara)
    right = code_of(mara)
    for number in range(2):
        browser.post("/sign-in/code/", {"code": f"10000{number}"}, REMOTE_ADDR=f"203.0.113.{number}")
    assert browser.post("/sign-in/code/", {"code": right}, REMOTE_ADDR="198.51.100.7").status_code == 422


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("/account/password/", {"old_password": "a guess", "new_password1": "x", "new_password2": "x"}),
        (PAGE, {"act": "begin", "password": "a guess"}),
    ],
)
def test_who_finds_an_open_browser_cannot_guess_its_password(mara, page, form):
    browser = signed_in(mara)
    statuses = [browser.post(page, form).status_code for _ in range(settings.AXES_FAILURE_LIMIT + 1)]
    assert statuses[0] == 422
    assert statuses[-1] == 429
    assert "a guess" not in stored()


def test_an_administrator_ends_every_wait_of_an_account(admin, mara):
    browser = signed_in(mara)
    for _ in range(settings.AXES_FAILURE_LIMIT):
        browser.post(PAGE, {"act": "begin", "password": "a guess"})
    signed_in(admin).post(f"/accounts/{mara.pk}/", {"act": "unlock"})
    assert browser.post(PAGE, {"act": "begin", "password": PASSWORD}).status_code == 302
