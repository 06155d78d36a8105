"""With a second factor nobody is in without a code, at any door; each code works once."""

from __future__ import annotations

import re
import time

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from survey.access import second_factor
from survey.models import AuditEntry
from tests.survey.access.conftest import PASSWORD, signed_in

pytestmark = pytest.mark.django_db
PAGE = "/account/second-factor/"


def code_of(user: User) -> str:
    """Return the code that the app shows, as if the last one was long ago."""
    TOTPDevice.objects.filter(user=user).update(last_t=-1, throttling_failure_count=0)
    return f"{totp(TOTPDevice.objects.get(user=user).bin_key):06d}"


def set_up(user: User, browser: Client) -> list[str]:
    """Switch the second factor on in the browser; return the recovery codes."""
    assert browser.post(PAGE, {"act": "begin", "password": PASSWORD}).status_code == 302
    page = browser.post(PAGE, {"act": "confirm", "code": code_of(user)}).content.decode()
    return re.findall(r"\b[2-9A-Z]{5}-[2-9A-Z]{5}\b", page)


def first_step(user: User, door: str = "/sign-in/") -> Client:
    browser = Client()
    answer = browser.post(door, {"username": user.get_username(), "password": PASSWORD})
    assert answer["Location"] == "/sign-in/code/"
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/studies/").status_code == 200


def test_the_page_shows_a_key_to_scan_and_to_type(mara):
    browser = signed_in(mara)
    browser.post(PAGE, {"act": "begin", "password": PASSWORD})
    page = browser.get(PAGE)
    html = page.content.decode()
    assert 'src="data:image/svg+xml' in html
    assert second_factor.key_of(TOTPDevice.objects.get(user=mara)) in html
    assert "no-store" in page["Cache-Control"]
    assert not second_factor.is_on(mara), "it is on before its first code"


@pytest.mark.parametrize("door", ["/sign-in/", "/admin/login/"])
def test_the_password_alone_opens_nothing(admin, door):
    set_up(admin, signed_in(admin))
    browser = first_step(admin, door)
    assert not is_in(browser)
    assert browser.get("/admin/").status_code == 302
    wanted = "/admin/" if "admin" in door else "/studies/"
    assert browser.post("/sign-in/code/", {"code": code_of(admin)})["Location"] == wanted
    assert is_in(browser)
    assert browser.get("/admin/").status_code == 200


def test_a_wrong_code_and_a_used_code_do_not_sign_in(mara):
    set_up(mara, signed_in(mara))
    code = code_of(mara)
    first, second = first_step(mara), first_step(mara)
    assert first.post("/sign-in/code/", {"code": f"{(int(code) + 1) % 10**6:06d}"}).status_code == 422
    TOTPDevice.objects.update(throttling_failure_count=0)
    assert first.post("/sign-in/code/", {"code": f" {code[:3]} {code[3:]} "}).status_code == 302
    assert second.post("/sign-in/code/", {"code": code}).status_code == 422
    assert not is_in(second)


def test_the_sessions_from_before_end_and_this_one_stays(mara):
    here, there = signed_in(mara), signed_in(mara)
    set_up(mara, here)
    assert is_in(here)
    assert not is_in(there)


def test_a_recovery_code_works_once_however_it_is_typed(mara):
    codes = set_up(mara, signed_in(mara))
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    browser = first_step(mara)
    assert browser.post("/sign-in/code/", {"code": codes[0].lower().replace("-", " ")}).status_code == 302
    assert is_in(browser)
    again = first_step(mara)
    assert again.post("/sign-in/code/", {"code": codes[0]}).status_code == 422
    assert AuditEntry.objects.get(act="factor.recovery").detail == {"left": 9}


def test_recovery_codes_are_stored_as_keyed_hashes(mara, settings):
    codes = set_up(mara, signed_in(mara))
    stored = str(list(StaticToken.objects.values_list("token", flat=True)))
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored.upper()]
    settings.SECRET_KEY = "another installation's key"
    assert second_factor.check(mara, codes[0]) is None


def test_new_recovery_codes_replace_the_old_ones(mara):
    browser = signed_in(mara)
    old = set_up(mara, browser)
    page = browser.post(PAGE, {"act": "codes", "password": PASSWORD}).content.decode()
    assert len(re.findall(r"\b[2-9A-Z]{5}-[2-9A-Z]{5}\b", page)) == 10
    assert is_in(browser)
    assert second_factor.check(mara, old[0]) is None


@pytest.mark.parametrize("act", ["begin", "codes", "off"])
def test_each_change_takes_the_password(mara, act):
    browser = signed_in(mara)
    if act != "begin":
        set_up(mara, browser)
    before = list(StaticToken.objects.values()), list(TOTPDevice.objects.values())
    assert browser.post(PAGE, {"act": act, "password": "wrong"}).status_code == 422
    assert (list(StaticToken.objects.values()), list(TOTPDevice.objects.values())) == before


def test_it_can_be_switched_off(mara):
    browser = signed_in(mara)
    set_up(mara, browser)
    browser.post(PAGE, {"act": "off", "password": PASSWORD})
    assert is_in(signed_in(mara))
    acts = AuditEntry.objects.filter(act__startswith="factor").order_by("pk")
    assert [(entry.act, entry.who) for entry in acts] == [("factor.on", "mara"), ("factor.off", "mara")]


def test_an_administrator_removes_that_of_a_lost_phone(admin, mara):
    set_up(mara, signed_in(mara))
    signed_in(admin).post(f"/accounts/{mara.pk}/", {"act": "factor"})
    assert is_in(signed_in(mara))
    entry = AuditEntry.objects.get(act="factor.remove")
    assert (entry.who, entry.detail) == ("admin", {"account": "mara"})


def test_a_command_removes_that_of_the_only_administrator(admin, capsys):
    set_up(admin, signed_in(admin))
    call_command("remove_second_factor", "admin")
    assert is_in(signed_in(admin))
    assert AuditEntry.objects.get(act="factor.remove").who == "(command)"


def test_the_second_step_ends_after_ten_minutes_and_with_the_password(mara, monkeypatch):
    set_up(mara, signed_in(mara))
    late, changed = first_step(mara), first_step(mara)
    now = time.time()
    monkeypatch.setattr("survey.desk.pages.accounts.sign_in.time.time", lambda: now + 601)
    assert late.get("/sign-in/code/")["Location"] == "/sign-in/"
    monkeypatch.undo()
    mara.set_password("another long password")
    mara.save()
    assert changed.get("/sign-in/code/")["Location"] == "/sign-in/"
    assert Client().get("/sign-in/code/")["Location"] == "/sign-in/"


@pytest.mark.parametrize(("setting", "asked"), [("optional", ""), ("admins", "admin"), ("all", "admin mara")])
def test_an_installation_may_ask_for_it(admin, mara, settings, setting, asked):
    settings.SECOND_FACTOR = setting
    for user in (admin, mara):
        browser = signed_in(user)
        answer = browser.get("/studies/")
        assert (answer.status_code == 302) == (user.username in asked.split())
        if answer.status_code == 302:
            assert answer["Location"] == PAGE
            assert "before you can go on" in browser.get(PAGE).content.decode()
            set_up(user, browser)
            assert is_in(browser)
